package migrate

import (
	"errors"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"github.com/proxychaos/proxychaos/goproxy"
)

// readers is how each kind of config is read.
var readers = map[string]func(file string) (goproxy.Config, []Note, error){
	"apache": Apache,
	"nginx":  Nginx,
}

// ErrNotWhole says that a draft was written that lacks a part of what the file does.
var ErrNotWhole = errors.New("the draft is incomplete: its first lines say what is missing; --force exits with 0 all the same")

// Command is "migrate": the config goes to the output, the notes to the error
// output.
func Command() *cobra.Command {
	var from string
	var force bool
	cmd := &cobra.Command{
		Use:   "migrate FILE --from apache|nginx",
		Short: "Make a goproxy config from one of Apache or nginx, and say on standard error what it leaves out",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			read, ok := readers[from]
			if !ok {
				return fmt.Errorf("got --from %q, want apache or nginx: the proxy that %s is for", from, args[0])
			}
			cfg, notes, err := read(args[0])
			for _, n := range notes {
				if _, err := fmt.Fprintln(cmd.ErrOrStderr(), n); err != nil {
					return err
				}
			}
			if err != nil {
				return err
			}
			if err := Write(cmd.OutOrStdout(), cfg, notes); err != nil {
				return err
			}
			if !force && slices.ContainsFunc(notes, func(n Note) bool { return n.NotWhole }) {
				return ErrNotWhole
			}
			return nil
		},
	}
	cmd.Flags().StringVar(&from, "from", "", "the `PROXY` that FILE is for: apache or nginx")
	cmd.Flags().BoolVar(&force, "force", false, "exit with 0 even if the draft is incomplete")
	return cmd
}
