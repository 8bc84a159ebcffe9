package main

import (
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/proxychaos/proxychaos/bench/soak"
)

// published is how long a soak has to be to stand in the document.
const published = 20 * time.Minute

// soak is the subcommand that soaks goproxy.
func (o *options) soak() *cobra.Command {
	var s soak.Options
	cmd := &cobra.Command{
		Use: "soak", Short: "goproxy under a constant load while the name of its upstream moves", Args: cobra.NoArgs,
		Long: "goproxy under a constant load while the name of its upstream moves every few seconds and the nodes it left fail.\n\n" +
			"Exits with 1 unless no request failed, the proxy did not grow, and each move and fault was seen to happen.\n" +
			"The document is written where the soak takes at least 20m; the samples, the section and the plot always are.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			var err error
			if s.Binary, err = filepath.Abs(o.Binary); err != nil {
				return err
			}
			s.Progress = cmd.ErrOrStderr()
			s.Command = fmt.Sprintf("make soak SOAK=%s RATE=%d FLIP=%s", short(s.Duration), s.Rate, short(s.Flip))
			if s.Pinned {
				s.Command = fmt.Sprintf("go run ./cmd/bench soak --pinned --duration %s --rate %d --flip %s", short(s.Duration), s.Rate, short(s.Flip))
			}
			report, err := soak.Run(cmd.Context(), s)
			if err != nil {
				return err
			}
			stored, err := report.Save(o.runs)
			if err != nil {
				return err
			}
			fmt.Fprintln(cmd.OutOrStdout(), report.Markdown())
			fmt.Fprintln(cmd.OutOrStdout(), "samples, section and plot:", stored)
			v := report.Judge()
			if s.Duration >= published && !s.Pinned && v.Outcome != soak.Unproven {
				if err := report.Publish(o.document); err != nil {
					return err
				}
			}
			if v.Outcome != soak.Pass {
				return errors.New("the soak did not pass: " + string(v.Outcome))
			}
			return nil
		},
	}
	f := cmd.Flags()
	f.DurationVar(&s.Duration, "duration", published, "of the load")
	f.IntVar(&s.Rate, "rate", 1000, "requests a second")
	f.DurationVar(&s.Flip, "flip", 2*time.Second, "from one move of the name to the next, at least 2s")
	f.BoolVar(&s.Pinned, "pinned", false, "give goproxy the first addresses in place of the name, to see the soak fail")
	f.StringVar(&o.Binary, "binary", "bin/proxychaos", "proxychaos, statically linked")
	f.StringVar(&o.runs, "runs", "runs", "folder for the samples")
	return cmd
}

// short is a duration as one types it: 20m rather than 20m0s.
func short(d time.Duration) string {
	if d%time.Minute == 0 {
		return fmt.Sprintf("%dm", d/time.Minute)
	}
	return d.String()
}
