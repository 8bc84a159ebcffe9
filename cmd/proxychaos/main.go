// Command proxychaos is the agents of a testbed, the bundled proxy, and what
// can be done with recordings, in one static binary.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/proxychaos/proxychaos/fakealb"
	"github.com/proxychaos/proxychaos/fakedns"
	"github.com/proxychaos/proxychaos/goproxy"
	"github.com/proxychaos/proxychaos/goproxy/migrate"
	"github.com/proxychaos/proxychaos/harness/load"
	"github.com/proxychaos/proxychaos/harness/pod"
	"github.com/proxychaos/proxychaos/harness/reaper"
)

func main() { os.Exit(execute(os.Args[1:])) }

// exitError ends the process with a code of its own.
type exitError struct {
	code int
	text string
}

func (e *exitError) Error() string { return e.text }

func execute(args []string) int {
	root := &cobra.Command{
		Use:   "proxychaos",
		Short: "Show, before a rollout, whether a proxy's config survives what an AWS load balancer does to it",
		// One clear line for an error, and no page of usage after it.
		SilenceUsage: true, SilenceErrors: true,
	}
	root.SetArgs(args)
	root.AddCommand(
		goproxy.Command(), migrate.Command(), fakealb.Command(), fakedns.Command(),
		demoCommand(), listCommand(), checkCommand(), compareCommand(), recheckCommand(), reportCommand(), versionCommand(),
	)
	for _, agent := range []*cobra.Command{pod.Command(), load.Command(), reaper.Command()} {
		agent.Hidden = true // only the harness starts them
		root.AddCommand(agent)
	}
	root.InitDefaultCompletionCmd(args...)
	refuseUnknownWords(root)
	err := root.ExecuteContext(context.Background())
	var exit *exitError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &exit):
		if exit.text != "" {
			fmt.Fprintln(os.Stderr, exit.text)
		}
		return exit.code
	default:
		fmt.Fprintln(os.Stderr, "proxychaos:", err)
		return 1
	}
}
