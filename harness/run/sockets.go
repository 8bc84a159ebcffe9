package run

import (
	"context"
	"errors"

	"github.com/proxychaos/proxychaos/harness/load"
	"github.com/proxychaos/proxychaos/harness/recording"
)

// messageEvery is the time between two messages of one WebSocket.
const messageEvery = recording.Seconds(0.2)

// hold has clients hold WebSockets beside the load, if the scenario has any.
func (c *cell) hold(ctx context.Context) error {
	if c.plan.Sockets == 0 {
		return nil
	}
	var writeErr error
	held, gone := 0, 0
	err := c.to.load.Hold(ctx, load.Sockets{
		Way: c.calls, Clients: c.plan.Sockets, Every: messageEvery, Timeout: c.plan.ClientTimeout,
		Duration: c.plan.Duration, StartAt: c.t0,
	}, func(r load.SocketRow) {
		writeErr = errors.Join(writeErr, c.dir.Sockets.Append(r.Socket(c.t0)))
		if held++; r.Outcome != recording.OK {
			gone++
		}
	})
	c.progress("WebSockets done: %d were asked for, %d were denied or went", held, gone)
	return errors.Join(err, writeErr)
}
