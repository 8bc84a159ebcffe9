// Command proxychaos runs scenarios, compares configs, and judges recordings again; it is
// the agents of a testbed and the bundled proxy too. One binary, which needs no checkout.
package main

import (
	"context"
	"errors"
	"os"

	"github.com/spf13/cobra"

	"github.com/proxychaos/proxychaos/fakealb"
	"github.com/proxychaos/proxychaos/fakedns"
	"github.com/proxychaos/proxychaos/goproxy"
	"github.com/proxychaos/proxychaos/goproxy/migrate"
	"github.com/proxychaos/proxychaos/harness/load"
	"github.com/proxychaos/proxychaos/harness/pod"
	"github.com/proxychaos/proxychaos/harness/reaper"
	"github.com/proxychaos/proxychaos/harness/renew"
)

func main() { os.Exit(execute(os.Args[1:])) }

func execute(args []string) int {
	root := newRoot()
	root.SetArgs(args)
	page := checkHelp(root)
	command, err := root.ExecuteContextC(context.Background())
	trouble := exitTrouble
	if command.Name() == compareName {
		trouble = exitNotRun
	}
	return end(os.Stderr, errors.Join(err, page()), trouble)
}

// newRoot is the command with all its subcommands.
func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:   "proxychaos",
		Short: "Test, before a rollout, whether a reverse proxy survives what an AWS load balancer does to it",
		Long: "proxychaos tests, before a rollout, whether a reverse proxy survives what an AWS load balancer does to it.\n" +
			"It runs the real proxy with your config, moves the load balancer's name and fails its nodes, and says what broke, and why.",
		Example: "  proxychaos run alb-ip-rotate --proxy nginx --config ./nginx    # one scenario on your config\n" +
			"  proxychaos run alb-ip-rotate                                   # the same on the catalogued configs\n" +
			"  proxychaos list                                                # the scenarios",
		Version: build(),
		// One clear line for an error, and no page of usage after it.
		SilenceUsage: true, SilenceErrors: true,
	}
	root.SetOut(os.Stdout) // or cobra prints some errors on standard error, in a second line
	root.SetVersionTemplate("{{.Name}} {{.Version}}\n")
	root.AddCommand(
		goproxy.Command(), migrate.Command(), fakealb.Command(), fakedns.Command(),
		runCommand(), nightlyCommand(), compareCommand(), atlasCommand(), incidentCommand(), claimsCommand(), listCommand(), checkCommand(), imagesCommand(), parallelCommand(), recheckCommand(), reportCommand(), baselineCommand(), proxiesCommand(),
		demoCommand(), manCommand(), versionCommand(),
	)
	agents := func() []*cobra.Command { return []*cobra.Command{pod.Command(), load.Command(), fakealb.Command()} }
	for _, agent := range []*cobra.Command{pod.Command(), load.Command(), reaper.Command(), renew.Command(agents)} {
		agent.Hidden = true // only the harness starts them
		root.AddCommand(agent)
	}
	root.InitDefaultCompletionCmd()
	root.InitDefaultHelpCmd()
	refuseWrongWords(root)
	return root
}
