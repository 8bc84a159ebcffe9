// Command podtest is what the tests of package pod run in containers and
// network namespaces: the agent itself, and programs that behave as proxies do
// as far as processes and sockets go.
package main

import (
	"fmt"
	"os"

	"github.com/proxychaos/proxychaos/harness/pod"
	"github.com/spf13/cobra"
)

func main() {
	root := &cobra.Command{Use: "podtest", SilenceErrors: true, SilenceUsage: true}
	root.AddCommand(pod.Command(), preforkCommand(), workerCommand(), idleCommand(), orphanCommand(), orphanedCommand(), statesCommand(), resolveCommand())
	if err := root.Execute(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
