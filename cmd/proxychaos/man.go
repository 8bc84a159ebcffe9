package main

import (
	"fmt"
	"os"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"
)

// manCommand is `proxychaos man FOLDER`.
func manCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "man FOLDER",
		Short:   "Write a man page for each command into a folder",
		Example: "  proxychaos man /usr/local/share/man/man1",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := os.MkdirAll(args[0], 0o755); err != nil {
				return err
			}
			root := cmd.Root()
			root.DisableAutoGenTag = true // it is the date, so that no two builds would write the same
			if err := doc.GenManTree(root, &doc.GenManHeader{Section: "1", Source: "proxychaos " + build()}, args[0]); err != nil {
				return err
			}
			_, err := fmt.Fprintf(cmd.OutOrStdout(), "wrote the man pages of proxychaos to %s\n", args[0])
			return err
		},
	}
}
