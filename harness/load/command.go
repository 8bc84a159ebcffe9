package load

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"runtime/debug"
	"time"

	"github.com/spf13/cobra"
)

// Command is "proxychaos load": the agent as a process of its own. It prints
// the address it listens on and runs until its context ends.
func Command() *cobra.Command {
	var control string
	command := &cobra.Command{
		Use:   "load --control <address>",
		Short: "Run the load agent (TEST ONLY: whoever reaches it can send load)",
		Args:  cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			ctx := command.Context()
			listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp4", control)
			if err != nil {
				return fmt.Errorf("load: listen for control: %w", err)
			}
			command.Printf("load: TEST ONLY. Control API on http://%s\n", listener.Addr())
			// A collection stops the senders for a moment. Rows leave as they
			// come, so the heap is small and fewer collections cost little.
			debug.SetGCPercent(gcPercent)
			return serve(ctx, listener)
		},
	}
	command.Flags().StringVar(&control, "control", "127.0.0.1:0", "IPv4 address of the control API; port 0 takes a free one")
	return command
}

const gcPercent = 800

// stopWithin is how long answers under way may take once the agent ends.
const stopWithin = time.Second

func serve(ctx context.Context, listener net.Listener) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	server := &http.Server{
		Handler:           Handler(),
		ReadHeaderTimeout: 10 * time.Second,
		// Requests end with the agent, and their attacks with them.
		BaseContext: func(net.Listener) context.Context { return ctx },
	}
	stopped := make(chan error, 1)
	context.AfterFunc(ctx, func() {
		grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopWithin)
		defer cancel()
		stopped <- server.Shutdown(grace)
	})
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("load: serve control: %w", err)
	}
	return <-stopped
}
