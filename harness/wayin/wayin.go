// Package wayin finds how load gets through a proxy to the nodes behind it: to which port,
// over plain HTTP or TLS, for which host and which paths. It tries, and believes nothing
// but the answer of a node.
package wayin

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/proxychaos/proxychaos/harness/load"
	"github.com/proxychaos/proxychaos/harness/recording"
	"github.com/proxychaos/proxychaos/harness/world"
)

// What is asked for first: a path of the user's, and a host that many name.
const (
	DefaultPath = "/"
	DefaultHost = "www.example.com"
)

const (
	// searchLimit is how long a way is looked for, in all.
	searchLimit = 5 * time.Second
	// answerLimit is how long a proxy may listen before it can answer: one that looks its
	// upstream up in the background (nginx's "server ... resolve") listens before it knows
	// an address.
	answerLimit = 3 * time.Second
	// patience is how long what is asked for first is preferred, if it may come yet.
	patience = 500 * time.Millisecond
	// listenLimit is how long a port may be waited for: a proxy opens several one by one.
	listenLimit = time.Second
	// loopbackLimit is the same while it listens on loopback addresses alone: Varnish opens
	// its command line there, and then compiles its configuration.
	loopbackLimit = 5 * time.Second
	// tryTimeout is of one request. It is longer than a proxy that works takes on a busy machine.
	tryTimeout = 2 * time.Second
	// maxTries bounds how many ways are tried.
	maxTries = 1500
	// maxPaths is how many paths are asked for in rotation, of those that are found: a
	// burst of the warm-up has one request for each.
	maxPaths = 8
)

// Wanted is what the user says of the requests. What is empty is found by trying.
type Wanted struct {
	Host  string   // the Host header
	Paths []string // each begins with /; asked for in rotation
	// Headers are sent besides those of a browser behind an ALB, or in place of those that
	// have the same name.
	Headers map[string]string
	Port    uint16 // of the proxy
}

// Hints are what a configuration says about itself. What is wrong among them reaches no
// node and is not used.
type Hints struct {
	Hosts []string // that it serves
	// Unsaid says that it serves others too, which only its users know: it has patterns.
	Unsaid bool
	Paths  []string // that it may proxy
	// Notes say what of it may be why no request gets through.
	Notes []string
}

// Search looks for a way to an ALB node, by trying: no word of a configuration, and no
// status of a proxy, says that it proxies. Only an answer does that a node made.
type Search struct {
	Wanted
	Hints Hints
	// Several asks for several paths in rotation, if the user names none and several lead
	// to nodes of the same load balancer: what depends on the path is not seen with one.
	// Paths to another one are another site, and are only told of.
	Several bool
	Config  string // its path, for messages
	// Early is the status that the proxy answers with before it has read what it serves; 0
	// for none.
	Early int
	// Listeners says where the proxy listens now.
	Listeners func(context.Context) ([]netip.AddrPort, error)
	// Try has the load agent try ways.
	Try func(context.Context, load.Trials) ([]load.Trial, error)
	// Burst has it send requests at once, with which limits of the proxy are found. It is for
	// Several.
	Burst func(context.Context, load.Burst) (load.BurstResult, error)
	// Rate is how many requests a second the load will have.
	Rate int

	began  time.Time
	all    []netip.AddrPort // where the proxy listens, the preferred first
	chosen []netip.AddrPort // of them those that are tried
	tried  []tried          // in the order of the first time
	others []string         // paths that lead to another load balancer than the way
	hosts  []string         // hosts that do
	beside []string         // paths that lead to an application beside the proxy, besides those in tried
	// limited are paths at which the proxy itself refuses a part of the load, with refusal.
	limited []string
	refusal string
}

// tried is a way and the result of its last try.
type tried struct {
	way  recording.Way
	came load.Trial
}

// Find returns the first way that leads to a node, or a *NoWayError. It takes 5 s at most
// from when it is known where the proxy listens, and then, for Several, a few more to try the
// other paths and to look for limits.
func (s *Search) Find(ctx context.Context) (recording.Way, error) {
	if err := s.look(ctx); err != nil {
		return recording.Way{}, err
	}
	s.began = time.Now()
	first := s.way(s.chosen[0], false, s.askedHosts()[0], s.askedPaths()[0], "http")
	for {
		way, err := s.try(ctx, []recording.Way{first})
		if err != nil || way != nil {
			return s.found(ctx, way, err)
		}
		if !s.mayChange(s.tried[0]) || time.Since(s.began) > patience {
			break
		}
		if err := sleep(ctx, 20*time.Millisecond); err != nil {
			return recording.Way{}, err
		}
	}
	// By now the others listen too.
	before := time.Now()
	if err := s.look(ctx); err != nil {
		return recording.Way{}, err
	}
	s.began = s.began.Add(time.Since(before))
	for _, stage := range []func() []recording.Way{s.redirected, s.everyPort, s.everyHostOrPath, s.everyHostAndPath} {
		for ways := s.fresh(stage()); len(ways) > 0; ways = s.fresh(s.redirected()) {
			if way, err := s.try(ctx, ways); err != nil || way != nil {
				return s.found(ctx, way, err)
			}
		}
	}
	for again := s.changing(); len(again) > 0 && time.Since(s.began) < answerLimit; again = s.changing() {
		if err := sleep(ctx, 100*time.Millisecond); err != nil {
			return recording.Way{}, err
		}
		if way, err := s.try(ctx, again); err != nil || way != nil {
			return s.found(ctx, way, err)
		}
	}
	return recording.Way{}, &NoWayError{search: s}
}

// look reads where the proxy listens.
func (s *Search) look(ctx context.Context) error {
	began := time.Now()
	for {
		listeners, err := s.Listeners(ctx)
		if err != nil {
			return err
		}
		s.all = inOrder(listeners)
		s.chosen = slices.DeleteFunc(slices.Clone(s.all), func(d netip.AddrPort) bool { return s.Port != 0 && d.Port() != s.Port })
		switch {
		case len(s.chosen) > 0:
			return nil
		// Varnish has a listener for a moment before that of its own port.
		case time.Since(began) < listenLimit || len(s.all) == 0 && time.Since(began) < loopbackLimit:
		case len(s.tried) > 0: // it no longer listens
			return nil
		case len(s.all) == 0:
			return fmt.Errorf("%s: the proxy listens on loopback addresses only, where no client reaches it: let it listen on every address", s.Config)
		default:
			return fmt.Errorf("PROXY_PORT=%d: the proxy listens on %s", s.Port, ports(s.all))
		}
		if err := sleep(ctx, 20*time.Millisecond); err != nil {
			return err
		}
	}
}

// inOrder are the listeners in the order in which they are tried: 80, 443, then the others
// by their numbers.
func inOrder(listeners []netip.AddrPort) []netip.AddrPort {
	found := slices.Clone(listeners)
	rank := func(d netip.AddrPort) int {
		if i := slices.Index([]uint16{80, 443}, d.Port()); i >= 0 {
			return i
		}
		return 2 + int(d.Port())
	}
	slices.SortStableFunc(found, func(a, b netip.AddrPort) int { return rank(a) - rank(b) })
	return slices.CompactFunc(found, func(a, b netip.AddrPort) bool { return a.Port() == b.Port() })
}

func ports(addrs []netip.AddrPort) string {
	var all []string
	for _, d := range addrs {
		all = append(all, fmt.Sprint(d.Port()))
	}
	return strings.Join(all, ", ")
}

// try sends requests by ways, in their order, and returns the first that leads to a node;
// nil if none does, or if the time is up.
func (s *Search) try(ctx context.Context, ways []recording.Way) (*recording.Way, error) {
	left := searchLimit - time.Since(s.began)
	if left <= 0 {
		return nil, nil
	}
	trials, err := s.Try(ctx, load.Trials{Ways: ways, Except: world.Beside, Timeout: recording.Of(tryTimeout), Within: recording.Of(left)})
	if err != nil {
		return nil, err
	}
	for i, way := range ways {
		if k := s.place(way); k >= 0 {
			s.tried[k].came = trials[i]
		} else {
			s.tried = append(s.tried, tried{way, trials[i]})
		}
	}
	if i := slices.IndexFunc(trials, leads); i >= 0 {
		return &ways[i], nil
	}
	return nil, nil
}

// leads says whether a try led to a node that faults can be about. An application beside the
// proxy is none.
func leads(t load.Trial) bool { return t.Reached && t.LB != world.Beside }

// place is where a way is among those that were tried, or -1.
func (s *Search) place(way recording.Way) int {
	return slices.IndexFunc(s.tried, func(t tried) bool { return sameWay(t.way, way) })
}

// fresh are those that were not tried yet, each once, and not more than a proxy can bear.
func (s *Search) fresh(ways []recording.Way) []recording.Way {
	var found []recording.Way
	for _, way := range ways {
		known := s.place(way) >= 0 || slices.ContainsFunc(found, func(f recording.Way) bool { return sameWay(f, way) })
		if !known && len(s.tried)+len(found) < maxTries {
			found = append(found, way)
		}
	}
	return found
}

// changing are the ways of which something else may come in a moment.
func (s *Search) changing() []recording.Way {
	var found []recording.Way
	for _, t := range s.tried {
		if s.mayChange(t) {
			found = append(found, t.way)
		}
	}
	return found
}

// mayChange says whether the proxy may not have been ready.
func (s *Search) mayChange(t tried) bool {
	switch t.came.Came {
	case load.Refused, load.Silent:
		return true
	case load.Alert: // so it answers while its certificate is still being made
		return strings.HasSuffix(t.came.Error, "internal error")
	case load.Answered:
		return !t.came.Reached && (t.came.Code >= 500 && t.came.Code <= 504 || s.Early != 0 && t.came.Code == s.Early)
	}
	return false
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-timer.C:
		return nil
	}
}
