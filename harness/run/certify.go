package run

import (
	"context"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/proxychaos/proxychaos/fakealb/cert"
	"github.com/proxychaos/proxychaos/fakedns"
)

// certifyEvery is the time between two looks for names that the proxy has asked for.
const certifyEvery = 20 * time.Millisecond

// certified does something, and meanwhile puts each name that the proxy asks for into the
// certificate for clients that send no SNI. The default certificate of a load balancer
// is for the name by which its clients know it, so a client that checks it goes through.
func (c *cell) certified(ctx context.Context, do func(context.Context) error) error {
	names := certifier{cell: c}
	if err := names.look(ctx); err != nil { // those that were asked for at the proxy's start
		return err
	}
	group, ctx := errgroup.WithContext(ctx)
	naming, stop := context.WithCancel(ctx)
	group.Go(func() error { return names.follow(naming) })
	group.Go(func() error {
		defer stop()
		return do(ctx)
	})
	return group.Wait()
}

// certifier has the names that the proxy has asked for, up to a query.
type certifier struct {
	*cell
	names []string
	after uint64
}

// follow looks for more names until ctx ends.
func (c *certifier) follow(ctx context.Context) error {
	for {
		err := sleepUntil(ctx, time.Now().Add(certifyEvery))
		if err == nil {
			err = c.look(ctx)
		}
		switch {
		case ctx.Err() != nil:
			return nil // what was done meanwhile has ended, well or not
		case err != nil:
			return err
		}
	}
}

func (c *certifier) look(ctx context.Context) error {
	queries, err := c.to.dns.Queries(ctx, fakedns.Filter{After: c.after})
	known := len(c.names)
	for _, q := range queries {
		c.after = q.Seq
		if len(c.names) < cert.MaxNames && len(q.Answers) > 0 && !c.to.isProbe(q.Client) && !slices.Contains(c.names, q.Name) {
			c.names = append(c.names, q.Name)
		}
	}
	if err == nil && len(c.names) > known {
		_, err = c.to.alb.PutDefaultCertificate(ctx, c.names...)
	}
	return err
}
