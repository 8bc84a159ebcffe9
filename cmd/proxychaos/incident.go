package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/proxychaos/proxychaos/scenarios/incidents"
)

// incidentCommand is `proxychaos incident`, behind `make incident`.
func incidentCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "incident NAME",
		Short: "Run a well-known outage, on a config that breaks in it and on one that holds",
		Long: "Runs a well-known outage. One config has to break in the reported way, with the same failures, cause and log line,\n" +
			"and another one has to hold. Exits 0 if so, 1 if not, 2 if a run proved nothing, or was not made. The incidents:\n\n" + listed(),
		Args: cobra.ExactArgs(1),
		ValidArgsFunction: func(_ *cobra.Command, args []string, _ string) (names []cobra.Completion, _ cobra.ShellCompDirective) {
			if len(args) > 0 {
				return nil, cobra.ShellCompDirectiveNoFileComp
			}
			for _, i := range incidents.All {
				names = append(names, i.Name)
			}
			return names, cobra.ShellCompDirectiveNoFileComp
		},
	}
	p := player{settings: addSettings(cmd, nil, notOfIncidents...), whole: true}
	p.addFlags()
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		incident, err := incidents.Named(args[0])
		if err != nil {
			return err
		}
		cells, err := incident.Cells()
		if err != nil {
			return err
		}
		asked, err := p.request(nil)
		if err != nil {
			return err
		}
		asked.Options.NeedsEngine = true // goproxy alone shows no outage
		if !p.quiet {
			fmt.Fprintf(cmd.ErrOrStderr(), "%s\n%s\n", incident.Told, strings.Join(incident.Sources, "\n"))
		}
		return p.playCells(cmd, asked, cells)
	}
	return cmd
}

// notOfIncidents are the words that an incident settles.
var notOfIncidents = []string{
	"PROXY", "CONFIG", "IMAGE", "COMMAND", "ENV", "RELEASE", "SUBJECT", "CLOUD", "MAX_FAILED", "RECOVER_WITHIN",
	"HOST_HEADER", "URL_PATH", "PROXY_PORT", "HEADERS", "FLOOR",
}

// listed are the incidents, a line each.
func listed() string {
	var lines []string
	for _, i := range incidents.All {
		var of []string
		for _, act := range i.Acts {
			of = append(of, act.Scenario.Name)
		}
		lines = append(lines, fmt.Sprintf("  %-22s %s", i.Name, strings.Join(of, ", ")))
	}
	return strings.Join(lines, "\n")
}
