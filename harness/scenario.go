// Package harness says what is run: scenarios and subjects as plain data, and
// how the two become a plan with every number filled in. It starts nothing.
//
// The rooms below it do the work, each using only those above it in this list:
//
//	world      who calls whom, and what is true of it at an instant
//	kind       the proxy programs: layout, start, releases, what their logs say
//	recording  everything observed in one run of one cell, as files
//	ledger     what the faults of a recording did to its world
//	judge      a recording to a verdict and its findings
//	fault      what a scenario does to the world, and the proof that it took hold
//	config     a configuration, read once, and hints of what it says
//	load, pod  the agents beside fakedns and fakealb
//	wayin      how requests get through a proxy to a node, found by trying
//	engine, images, reaper, testbed, embedded   where a cell runs
//	run        one cell from testbed to recording; many cells in parallel
package harness

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"net/netip"
	"slices"
	"strings"

	"github.com/proxychaos/proxychaos/fakealb/cloud"
	"github.com/proxychaos/proxychaos/harness/fault"
	"github.com/proxychaos/proxychaos/harness/kind"
	"github.com/proxychaos/proxychaos/harness/meant"
	"github.com/proxychaos/proxychaos/harness/world"
)

// Scenario is what happens to a subject, and what the subject may lose. It can be
// written to JSON and read back.
type Scenario struct {
	// Name is the same word everywhere: file, NAME=, run folder, report row.
	Name string `json:"name"`
	// Summary is one sentence that an operator understands.
	Summary string `json:"summary"`
	// World is who calls whom.
	World world.World `json:"world"`
	// Load is how clients ask, besides what the settings say.
	Load Load `json:"load,omitzero"`
	// Timeline is what happens, in order. The first step comes after a healthy
	// stretch, at a phase against the proxy's own timers that is drawn from the seed.
	Timeline []Step `json:"timeline"`
	// Budget is what the subject may lose.
	Budget Budget `json:"budget"`
}

// Load is how clients ask in a scenario.
type Load struct {
	// Rate is how many requests are sent in a second, if it is not for the settings to say.
	Rate int `json:"rate,omitempty"`
	// After is how long the load goes on after the last step, if not as long as the clock says.
	After Span `json:"after,omitempty"`
	// Quiet is how long no client asks for anything, once: connections lie idle meanwhile.
	Quiet Span `json:"quiet,omitempty"`
	// QuietAfter is how long after the last step Quiet begins, if not 1 s. It is shorter than After.
	QuietAfter Span `json:"quiet_after,omitempty"`
	// Patience is how long a client waits for an answer, if not as long as the clock says.
	Patience Span `json:"patience,omitempty"`
	// Posts is how many of 100 requests are POSTs unless the settings say so.
	Posts int `json:"posts,omitempty"`
	// Sessions has clients keep the cookies that answers set.
	Sessions bool `json:"sessions,omitempty"`
	// Sockets is how many clients hold a WebSocket each, beside those that send requests, and
	// send a message on it five times a second.
	Sockets int `json:"sockets,omitempty"`
	// Paths are asked for in rotation, unless the settings name others; none is /.
	Paths []string `json:"paths,omitempty"`
	// Bare has requests carry no number in their query: their URLs are as short as Paths says.
	Bare bool `json:"bare,omitempty"`
}

// Step is one or several faults of one instant.
type Step struct {
	// Wait is how long after the step before; the first step waits from the end of
	// the healthy stretch.
	Wait Span
	// Do are the faults, one right after the other.
	Do []fault.Fault
}

// Do is a step that follows the one before at once.
func Do(faults ...fault.Fault) Step { return Step{Do: faults} }

// After is a step that waits.
func After(wait Span, faults ...fault.Fault) Step { return Step{Wait: wait, Do: faults} }

// Budget is what any subject may lose in a scenario.
type Budget struct {
	// Recovery allows failures for as long as a proxy that follows DNS cannot know
	// better: TTL + its own refresh + 1 s after each fault that takes something
	// away. If the name keeps its nodes, it has as long to find out by itself.
	// Without Recovery nothing may fail at all.
	Recovery bool `json:"recovery,omitempty"`
	// Query allows no request to reach a node without the query that its client sent.
	Query bool `json:"query,omitempty"`
	// Client allows no request to reach a node without the address of its client in
	// X-Forwarded-For, which the load balancer in front had put there.
	Client bool `json:"client,omitempty"`
	// Sessions allows no session to be moved to another node while its own serves.
	Sessions bool `json:"sessions,omitempty"`
	// Sockets allows no WebSocket to be cut while its node serves, and none to be denied: not
	// before anything fails, and not later than Recovery allows.
	Sockets bool `json:"sockets,omitempty"`
	// Shares are how much of the requests each node gets, from the one with the most on; they
	// add up to 1. Before the first fault no share may be off by more than 0.05, and once all
	// nodes serve again and the proxy has had its time, each node has the share again that it
	// had.
	Shares []float64 `json:"shares,omitempty"`
	// Connections is how many connections to nodes may be opened for each request before the
	// first fault; 0 is any number.
	Connections float64 `json:"connections,omitempty"`
	// Within is how long any answer may take from the first fault on; empty is any time.
	Within Span `json:"within,omitempty"`
}

// maxSockets is how many WebSockets a load agent holds.
const maxSockets = 1000

// Check says what is wrong with the scenario; nil if nothing is.
func (s Scenario) Check() error {
	if err := s.World.Check(); err != nil {
		return fmt.Errorf("scenario %s: %w", s.Name, err)
	}
	if of := cloud.Name(s.World.Cloud); !cloud.Known(of) {
		return fmt.Errorf("scenario %s: got the cloud %q%s", s.Name, of, meant.Hint(of, cloud.Names()))
	}
	if len(s.Timeline) == 0 {
		return fmt.Errorf("scenario %s: got no step, want at least one fault", s.Name)
	}
	if _, err := s.Load.Quiet.Of(DefaultSettings()); err != nil {
		return fmt.Errorf("scenario %s, load: %w", s.Name, err)
	}
	if _, err := s.Load.QuietAfter.Of(DefaultSettings()); err != nil {
		return fmt.Errorf("scenario %s, load: %w", s.Name, err)
	}
	if _, err := s.Load.Patience.Of(DefaultSettings()); err != nil {
		return fmt.Errorf("scenario %s, load: %w", s.Name, err)
	}
	if _, err := s.Load.After.Of(DefaultSettings()); err != nil {
		return fmt.Errorf("scenario %s, load: %w", s.Name, err)
	}
	if s.Load.Rate < 0 {
		return fmt.Errorf("scenario %s, load: got %d requests per second, want 0 for as many as the settings say, or more", s.Name, s.Load.Rate)
	}
	if s.Load.Posts < 0 || s.Load.Posts > 100 {
		return fmt.Errorf("scenario %s, load: got %d posts, want how many of 100 requests are POSTs", s.Name, s.Load.Posts)
	}
	if s.Load.Sockets < 0 || s.Load.Sockets > maxSockets {
		return fmt.Errorf("scenario %s, load: got %d clients with WebSockets, want 0 to %d", s.Name, s.Load.Sockets, maxSockets)
	}
	if s.Budget.Sockets && s.Load.Sockets == 0 {
		return fmt.Errorf("scenario %s, budget: it is about WebSockets, but no client holds one: want Load.Sockets", s.Name)
	}
	if _, err := s.Budget.Within.Of(DefaultSettings()); err != nil || s.Budget.Connections < 0 {
		return fmt.Errorf("scenario %s, budget: got %g connections for each request within %q, want no negative number, and a time: %w", s.Name, s.Budget.Connections, s.Budget.Within, err)
	}
	if err := checkShares(s.Budget.Shares); err != nil {
		return fmt.Errorf("scenario %s, budget: %w", s.Name, err)
	}
	for _, path := range s.Load.Paths {
		if !strings.HasPrefix(path, "/") {
			return fmt.Errorf("scenario %s, load: got the path %q, want one that begins with /", s.Name, path)
		}
	}
	for i, step := range s.Timeline {
		if err := step.check(); err != nil {
			return fmt.Errorf("scenario %s, step %d: %w", s.Name, i+1, err)
		}
	}
	return s.checkEffects()
}

// checkShares says what is wrong with Budget.Shares.
func checkShares(shares []float64) error {
	sum := 0.0
	for i, share := range shares {
		if share <= 0 || i > 0 && share > shares[i-1] {
			return fmt.Errorf("got the shares %v, want more than 0 for each, the largest first", shares)
		}
		sum += share
	}
	if len(shares) > 0 && math.Abs(sum-1) > 0.001 {
		return fmt.Errorf("got the shares %v, which add up to %g, want 1", shares, sum)
	}
	return nil
}

// checkEffects says which fault would find nothing to do when its step comes, leave the
// names without a node, or is about a node that is not there.
func (s Scenario) checkEffects() error {
	topology := s.World.Place(func(n int) netip.Addr { return netip.AddrFrom4([4]byte{198, 18, 0, byte(n)}) })
	if s.World.IPv6() {
		topology = topology.WithIPv6(func(n int) netip.Addr { return netip.AddrFrom16([16]byte{0x20, 0x01, 0, 2, 15: byte(n)}) })
	}
	state := topology.Start()
	for i, step := range s.Timeline {
		for _, f := range step.Do {
			var missing []int
			if p, ok := f.(fault.Picker); ok {
				missing = p.Picks().Missing(state)
			}
			effects := f.Effects(state)
			state = state.With(effects...)
			switch {
			case len(effects) == 0:
				return fmt.Errorf("scenario %s, step %d: %q would change nothing then: want nodes that it can be about", s.Name, i+1, f.Name())
			case len(world.Named.Of(state)) == 0:
				return fmt.Errorf("scenario %s, step %d: %q would leave the names without a node: want nodes or a balancer of this world", s.Name, i+1, f.Name())
			case s.World.Proxies() > 1 && slices.ContainsFunc(effects, aboutNames):
				return fmt.Errorf("scenario %s, step %d: %q changes what DNS says, which reaches the first of %d proxies only: want one proxy", s.Name, i+1, f.Name(), s.World.Proxies())
			case slices.ContainsFunc(effects, s.ofNoProxy):
				return fmt.Errorf("scenario %s, step %d: %q is about one of %d proxies behind a load balancer in front: want the number of one", s.Name, i+1, f.Name(), s.World.Proxies())
			case len(missing) > 0:
				return fmt.Errorf("scenario %s, step %d: %q: no current load balancer has a node %d then", s.Name, i+1, f.Name(), missing[0])
			}
		}
	}
	return nil
}

// aboutNames says whether an effect is about what resolvers answer.
func aboutNames(e world.Effect) bool { return e.Named != nil || e.Resolves != nil }

// ofNoProxy says whether an effect is about a proxy that the world does not have behind a load
// balancer in front.
func (s Scenario) ofNoProxy(e world.Effect) bool {
	return e.Proxy > 0 && (s.World.Front == nil || e.Proxy > s.World.Proxies())
}

func (s Step) check() error {
	if _, err := s.Wait.Of(DefaultSettings()); err != nil {
		return err
	}
	if len(s.Do) == 0 {
		return fmt.Errorf("got no fault, want at least one")
	}
	for _, f := range s.Do {
		if err := fault.Check(f); err != nil {
			return err
		}
	}
	return nil
}

// TLS says whether the scenario is about the handshake with the nodes: it shows
// nothing of a subject that speaks plain HTTP to them.
func (s Scenario) TLS() bool {
	return s.has(func(f fault.Fault) bool {
		over, ok := f.(fault.OverTLS)
		return ok && over.OverTLS()
	})
}

// Reloads says whether the proxy has to reload its configuration in it.
func (s Scenario) Reloads() bool {
	return s.has(func(f fault.Fault) bool {
		_, ok := f.(fault.ReloadProxy)
		return ok
	})
}

// has says whether a fault of the timeline is such a one.
func (s Scenario) has(such func(fault.Fault) bool) bool {
	return slices.ContainsFunc(s.Timeline, func(step Step) bool { return slices.ContainsFunc(step.Do, such) })
}

// Suits says whether the scenario is run on the subject. One of the catalogue names its
// scenarios. A config of one's own is run on any, but one about TLS shows nothing if it
// speaks plain HTTP, and one in which the proxy reloads its configuration needs a kind that
// can be told to.
func (s Scenario) Suits(subject Subject) bool {
	if subject.Role == Own {
		return (subject.TLS || !s.TLS()) && (kind.ReloadOf(subject.Kind) != nil || !s.Reloads())
	}
	return slices.Contains(subject.Scenarios, s.Name)
}

// stepJSON is a Step with its faults as package fault stores them.
type stepJSON struct {
	Wait Span              `json:"wait,omitempty"`
	Do   []json.RawMessage `json:"do"`
}

// MarshalJSON implements json.Marshaler.
func (s Step) MarshalJSON() ([]byte, error) {
	wire := stepJSON{Wait: s.Wait}
	for _, f := range s.Do {
		text, err := fault.Encode(f)
		if err != nil {
			return nil, err
		}
		wire.Do = append(wire.Do, text)
	}
	return json.Marshal(wire)
}

// UnmarshalJSON implements json.Unmarshaler. Unknown fields are errors.
func (s *Step) UnmarshalJSON(text []byte) error {
	var wire stepJSON
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&wire); err != nil {
		return fmt.Errorf("read a step: %w", err)
	}
	*s = Step{Wait: wire.Wait}
	for _, text := range wire.Do {
		f, err := fault.Decode(text)
		if err != nil {
			return err
		}
		s.Do = append(s.Do, f)
	}
	return nil
}
