package soak

import (
	"context"
	"fmt"
	"net/http"
	"net/netip"
	"slices"
	"time"

	"github.com/proxychaos/proxychaos/bench/gen"
	"github.com/proxychaos/proxychaos/fakealb"
	"github.com/proxychaos/proxychaos/fakedns"
	"github.com/proxychaos/proxychaos/harness/recording"
)

// kinds are what the nodes that the name has left do in turn: go silent, refuse,
// answer 503 as a load balancer without targets. Each group comes to each kind.
var kinds = []fakealb.FaultKind{fakealb.FaultSilence, fakealb.FaultRefuse, fakealb.FaultLinger}

const (
	probePath    = "/soak-probe" // of requests of this package to nodes
	probeTimeout = 200 * time.Millisecond
)

// move moves the name every s.Flip until ctx ends, and lets the nodes that it
// left fail after a grace of three quarters of that.
func (s *stage) move(ctx context.Context) ([]Move, error) {
	moves := []Move{{Nodes: s.group[0].nodes}}
	for k := 1; ; k++ {
		at := s.began.Add(time.Duration(k) * s.Flip)
		// The last move has its whole time too.
		if s.since(at.Add(s.Flip)) > s.Duration || !until(ctx, at) {
			break
		}
		if k >= groups {
			s.collect(ctx, &moves[k-groups])
		}
		m, err := s.one(ctx, k, moves[k-1].Nodes)
		if err != nil {
			if ctx.Err() != nil {
				break
			}
			return moves, fmt.Errorf("move %d: %w", k, err)
		}
		moves = append(moves, m)
	}
	<-ctx.Done()
	// The load is over; what is not read yet can be read in peace.
	rest := context.WithoutCancel(ctx)
	for i := range moves {
		if !moves[i].Whole {
			s.collect(rest, &moves[i])
		}
	}
	return moves, nil
}

// one makes the k-th move, away from old.
func (s *stage) one(ctx context.Context, k int, old []netip.Addr) (Move, error) {
	next, from := &s.group[k%groups], &s.group[(k-1)%groups]
	if _, err := next.alb.Reset(ctx); err != nil {
		return Move{}, err
	}
	for _, node := range next.nodes {
		if err := gen.Serves(ctx, gen.Answers(next.url(node))); err != nil {
			return Move{}, fmt.Errorf("%s is to serve again: %w", node, err)
		}
	}
	before, err := s.dns.LastSeq(ctx)
	if err != nil {
		return Move{}, err
	}
	at, err := s.dns.PutNames(ctx, fakedns.Name{Name: name, TTL: ttl, A: next.nodes})
	if err != nil {
		return Move{}, err
	}
	m := Move{At: recording.Of(s.since(at)), Nodes: next.nodes, Fault: kinds[(k+k/groups)%len(kinds)]}
	if !until(ctx, at.Add(s.Flip*3/4)) {
		return m, ctx.Err()
	}
	asked, err := s.dns.Queries(ctx, fakedns.Filter{Name: name, After: before})
	if err != nil {
		return m, err
	}
	for _, q := range asked {
		if slices.Contains(q.Answers, next.nodes[0]) {
			m.Queries++
		}
	}
	applied, err := from.alb.SetFault(ctx, m.Fault, old...)
	if err != nil {
		return m, err
	}
	m.FaultAt = recording.Of(s.since(applied.InForceAt))
	m.InForce = !slices.ContainsFunc(old, func(node netip.Addr) bool { return from.serves(ctx, node) })
	return m, nil
}

func (g *group) url(node netip.Addr) string {
	return "http://" + netip.AddrPortFrom(node, g.port).String() + probePath
}

// serves reports whether a node answers a request with 200.
func (g *group) serves(ctx context.Context, node netip.Addr) bool {
	ctx, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, g.url(node), nil)
	if err != nil {
		return false
	}
	transport := &http.Transport{DisableKeepAlives: true}
	resp, err := transport.RoundTrip(req)
	if err != nil {
		return false
	}
	_ = resp.Body.Close()
	return resp.StatusCode == http.StatusOK
}

// collect reads what the nodes of a move recorded since they were reset.
func (s *stage) collect(ctx context.Context, m *Move) {
	g := &s.group[slices.IndexFunc(s.group[:], func(g group) bool { return g.nodes[0] == m.Nodes[0] })]
	attempts, err := g.alb.Attempts(ctx)
	if err != nil {
		fmt.Fprintf(s.Progress, "records of %v: %v\n", m.Nodes, err)
		return
	}
	m.Requests = map[string]int{}
	for _, a := range attempts {
		switch {
		case a.Path == probePath:
		case a.Fault != "":
			m.Stale++
		default:
			m.Requests[a.Node.String()]++
			if a.Method == http.MethodPost {
				s.load.posted(a.Seq)
			}
		}
	}
	m.Whole = true
}

// until waits for a moment and reports whether ctx lasted so long.
func until(ctx context.Context, t time.Time) bool {
	timer := time.NewTimer(time.Until(t))
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}
