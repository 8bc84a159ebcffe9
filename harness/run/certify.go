package run

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/proxychaos/proxychaos/fakedns"
)

const (
	// certifyEvery is how often is looked for names that the proxy has asked for.
	certifyEvery = 20 * time.Millisecond
	// certifyMost is how many names a certificate can have.
	certifyMost = 100
)

// certified does something while each name that the proxy asks for gets into the
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
		if len(c.names) < certifyMost && len(q.Answers) > 0 && !c.to.isProbe(q.Client) && !slices.Contains(c.names, q.Name) {
			c.names = append(c.names, q.Name)
		}
	}
	if err == nil && len(c.names) > known {
		_, err = c.to.alb.PutDefaultCertificate(ctx, c.names...)
	}
	return err
}

// unanswerable adds to an error what the proxy spoke to nodes that no node answers.
func (c *cell) unanswerable(ctx context.Context, err error) error {
	connections, readErr := c.to.alb.Connections(ctx)
	if readErr != nil {
		return errors.Join(err, readErr)
	}
	var spoken []string
	for _, k := range connections {
		text := fmt.Sprintf("%s to port %d", k.Spoke, k.Port)
		if k.Spoke != "" && !slices.Contains(spoken, text) {
			spoken = append(spoken, text)
		}
	}
	if len(spoken) == 0 {
		return err
	}
	return fmt.Errorf("%w; the proxy spoke %s: nodes answer HTTP/1, HTTP/2 and TLS", err, strings.Join(spoken, ", "))
}
