// Package renew lets an agent restart in its container. To make a container, a network
// for it and to take both away costs seconds of a small machine, two thirds of what a
// cell takes before its load; the agent that restarts is a new process of the same container,
// and the kernel keeps nothing for it of the one before.
package renew

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"

	"github.com/spf13/cobra"
	"golang.org/x/sys/unix"
)

// Name is the command's: `proxychaos renewable TURN AGENT ARGUMENTS`.
const Name = "renewable"

// Command runs one of the agents, until it is told over [Port] to restart with other
// arguments.
func Command(agents func() []*cobra.Command) *cobra.Command {
	return &cobra.Command{
		Use:   Name + " TURN AGENT ARGUMENTS",
		Short: "Run an agent that can restart in its container",
		// The flags are the agent's.
		DisableFlagParsing: true,
		Args:               cobra.MinimumNArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			turn, err := strconv.Atoi(args[0])
			if err != nil {
				return fmt.Errorf("%s: got the turn %q, want a number", Name, args[0])
			}
			return run(cmd.Context(), agents(), turn, args[1:])
		},
	}
}

// run returns when the agent has ended, and does not return if it restarts.
func run(ctx context.Context, agents []*cobra.Command, turn int, args []string) error {
	if err := closeWayOut(); err != nil {
		return err
	}
	ctx, end := context.WithCancel(ctx)
	defer end()
	next := make(chan request, 1)
	stop, err := serve(turn, func(r request) {
		next <- r
		end()
	})
	if err != nil {
		return err
	}
	root := &cobra.Command{Use: "proxychaos", SilenceUsage: true, SilenceErrors: true}
	root.AddCommand(agents...)
	root.SetArgs(args)
	if err := errors.Join(root.ExecuteContext(ctx), stop()); err != nil || len(next) == 0 {
		return err
	}
	if err := forget(); err != nil {
		return err
	}
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("%s: find the program itself: %w", Name, err)
	}
	r := <-next
	again := append([]string{self, Name, strconv.Itoa(r.Turn)}, r.Args...)
	return fmt.Errorf("%s: restart as %v: %w", Name, again, unix.Exec(self, again, os.Environ()))
}
