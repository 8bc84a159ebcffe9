package main

import (
	"fmt"
	"os"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/proxychaos/proxychaos/harness/engine"
	"github.com/proxychaos/proxychaos/scenarios"
)

// listCommand is `proxychaos list`, behind `make list`.
func listCommand() *cobra.Command {
	return &cobra.Command{
		Use: "list", Short: "List the scenarios and the catalogued configs", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			w := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 2, ' ', 0)
			fmt.Fprintln(w, "NAME\twhat happens")
			for _, s := range scenarios.All {
				fmt.Fprintf(w, "%s\t%s\n", s.Name, s.Summary)
			}
			fmt.Fprintln(w, "\nSUBJECT\twhat it is")
			for _, s := range scenarios.Subjects() {
				since := ""
				if s.Since != "" {
					since = fmt.Sprintf(" (%s and later)", s.Since)
				}
				fmt.Fprintf(w, "%s\t%s: %s%s\n", s.ID(), s.Role, s.Summary, since)
			}
			return w.Flush()
		},
	}
}

// checkCommand is `proxychaos check`: make asks it before it starts anything
// slow, so that a wrong word gets one clear line.
func checkCommand() *cobra.Command {
	return &cobra.Command{
		Use: "check", Short: "Check NAME, PROXY, CONFIG, TTL and the other variables of make, that RUNS can be written, and that there is an engine", Args: cobra.NoArgs, Hidden: true,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := unknownVariable(cmd.Root(), os.Environ()); err != nil {
				return err
			}
			asked, err := scenarios.FromEnvironment(scenarios.Environment)
			if err != nil {
				return err
			}
			release, _ := scenarios.Environment("RELEASE")
			if err := asked.BesideImage(release); err != nil {
				return err
			}
			if err := asked.Options.CanRecord(); err != nil || !asked.Options.InsistsOnEngine() {
				return err
			}
			return engine.Check(cmd.Context())
		},
	}
}
