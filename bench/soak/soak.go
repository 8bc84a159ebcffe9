package soak

import (
	"context"
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"github.com/proxychaos/proxychaos/bench/lab"
	"github.com/proxychaos/proxychaos/bench/peer"
	"github.com/proxychaos/proxychaos/harness/recording"
)

// Options say what is run and how.
type Options struct {
	Duration time.Duration // of the load
	Rate     int           // requests a second
	Flip     time.Duration // from one move of the name to the next
	// Pinned gives the proxy the first nodes' addresses in place of their name.
	// Such a run has to fail.
	Pinned   bool
	Command  string    // makes it again
	Binary   string    // proxychaos
	Progress io.Writer // a line now and then
}

// leastFlip leaves room for the grace, which is more than the name's TTL.
const leastFlip = 2 * time.Second

// Run soaks. The error is of what kept it from being a run at all; the report
// says the rest.
func Run(ctx context.Context, o Options) (Report, error) {
	if o.Rate < 1 || o.Flip < leastFlip || o.Duration < 3*o.Flip {
		return Report{}, fmt.Errorf("got a soak of %s at %d requests/s with a move every %s, want at least 1 request/s, %s between moves, and three moves", o.Duration, o.Rate, o.Flip, leastFlip)
	}
	r := Report{Schema: Schema, Command: o.Command, Duration: o.Duration, Rate: o.Rate, Flip: o.Flip, Pinned: o.Pinned}
	var err error
	if r.Machine, err = lab.Machine(ctx, []string{"vegeta " + peer.LibraryVersion("github.com/tsenart/vegeta/v12")}); err != nil {
		return r, err
	}
	dir, err := os.MkdirTemp("", "proxychaos-soak-")
	if err != nil {
		return r, fmt.Errorf("folder for configs and logs: %w", err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	shop := &peer.Shop{Dir: dir, Binary: o.Binary, Log: o.Progress}
	defer shop.Close()
	s, err := build(ctx, shop, o)
	if err != nil {
		return r, err
	}
	s.began = time.Now()
	r.Began = s.began

	loaded, over := context.WithCancel(ctx)
	defer over()
	var beside sync.WaitGroup
	var moveErr error
	beside.Go(func() { r.Moves, moveErr = s.move(loaded) })
	beside.Go(func() { r.Samples = s.sample(loaded) })
	s.attack(ctx)
	over()
	beside.Wait()
	r.Load = s.load.sum(s)
	r.Took = recording.Of(time.Since(s.began))
	if err := ctx.Err(); err != nil {
		return r, err
	}
	return r, moveErr
}
