package recording

import (
	"net/netip"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/proxychaos/proxychaos/harness/world"
)

// Version 1 knew one topology: a name with old nodes, which it leaves or which are
// struck, and fresh ones. What it says of them is turned into effects here, and
// nothing else reads it.

type manifest1 struct {
	Scenario string    `json:"scenario"`
	Summary  string    `json:"summary"`
	Subject  Subject   `json:"subject"`
	Plan     plan1     `json:"plan"`
	T0       time.Time `json:"t0"`
	Began    time.Time `json:"began"`
	Ended    time.Time `json:"ended"`
	Testbed  string    `json:"testbed"`
	Host     Host      `json:"host"`
	Tool     Tool      `json:"tool"`
	Image    Image     `json:"image"`
	Config   Config    `json:"config"`
	Replay   string    `json:"replay"`
	Lost     uint64    `json:"lost"`
	Overhead Seconds   `json:"overhead"`
}

type plan1 struct {
	TTL           Seconds      `json:"ttl"`
	Grace         Seconds      `json:"grace"`
	Refresh       Seconds      `json:"refresh"`
	Phase         Seconds      `json:"phase"`
	FlipAt        Seconds      `json:"flip_at"`
	RetireAt      Seconds      `json:"retire_at"`
	Duration      Seconds      `json:"duration"`
	ClientTimeout Seconds      `json:"client_timeout"`
	Rate          int          `json:"rate"`
	Clients       int          `json:"clients"`
	Seed          uint64       `json:"seed"`
	Stays         bool         `json:"stays"`
	Outage        Seconds      `json:"outage"`
	Posts         int          `json:"posts"`
	Budget        Budget       `json:"budget"`
	Proofs        []string     `json:"proofs"`
	Old           []netip.Addr `json:"old"`
	Fresh         []netip.Addr `json:"fresh"`
	OldEnd        string       `json:"old_end"`
}

type step1 struct {
	Name    string  `json:"name"`
	Planned Seconds `json:"planned"`
	Asked   Seconds `json:"asked"`
	InForce Seconds `json:"in_force"`
	Proofs  []struct {
		Kind string `json:"kind"`
		Proof
	} `json:"proofs"`
}

// What a step of version 1 proves, in the order in which scenarios had them.
var proofs1 = []string{"name-moved", "old-silent", "old-refuses", "old-no-target", "dns-fails", "tls-refused", "nodes-back", "dns-back"}

// openVersion1 reads the manifest and the steps.
func (r *Recording) openVersion1(path string) error {
	var m manifest1
	if err := readJSON(path, &m); err != nil {
		return err
	}
	var steps []step1
	if err := readRows(filepath.Dir(path), StepsFile, &steps, decodeJSON[step1]); err != nil {
		return err
	}
	p := m.Plan
	r.Manifest = Manifest{
		Schema: 1, Scenario: m.Scenario, Summary: m.Summary, Subject: m.Subject,
		T0: m.T0, Began: m.Began, Ended: m.Ended, Testbed: m.Testbed, Host: m.Host, Tool: m.Tool, Image: m.Image,
		Config: m.Config, Replay: m.Replay, Lost: m.Lost, Overhead: m.Overhead,
		World: p.topology(),
		Plan: Plan{
			Clock: ScaledClock, TTL: p.TTL, Refresh: p.Refresh, Phase: p.Phase, Duration: p.Duration, ClientTimeout: p.ClientTimeout,
			Rate: p.Rate, Clients: p.Clients, Posts: p.Posts, Seed: p.Seed, Budget: p.Budget, Steps: p.steps(),
		},
	}
	for _, s := range steps {
		r.Steps = append(r.Steps, m.step(s))
	}
	return nil
}

// topology is one upstream. All its nodes are named if the name stayed.
func (p plan1) topology() world.Topology {
	b := world.Balancer{Name: "backend", Nodes: len(p.Old), Spare: len(p.Fresh), Targets: 2}
	if p.Stays {
		b.Nodes, b.Spare = len(p.Old)+len(p.Fresh), 0
	}
	t := world.Topology{World: world.World{Balancers: []world.Balancer{b}}}
	for i, addr := range slices.Concat(p.Old, p.Fresh) {
		t.Nodes = append(t.Nodes, world.Node{Addr: addr, Upstream: 1, Balancer: b.Name, Number: i + 1})
	}
	return t
}

// steps are the moments that had something to prove: the flip, the end of the old
// nodes after the grace or at once, the end of the outage.
func (p plan1) steps() []PlannedStep {
	var steps []PlannedStep
	at := Seconds(0)
	for _, kind := range proofs1 {
		if !slices.Contains(p.Proofs, kind) {
			continue
		}
		due := p.due(kind)
		fault := PlannedFault{Name: kind}
		if n := len(steps); n > 0 && due == at {
			steps[n-1].Faults = append(steps[n-1].Faults, fault)
			continue
		}
		steps = append(steps, PlannedStep{At: due, Wait: due - at, Faults: []PlannedFault{fault}})
		at = due
	}
	return steps
}

func (p plan1) due(kind string) Seconds {
	switch {
	case strings.HasSuffix(kind, "-back"):
		return p.FlipAt + p.Outage
	case strings.HasPrefix(kind, "old-"):
		return p.RetireAt
	}
	return p.FlipAt
}

// step gives a row its effects, by what it was to prove.
func (m manifest1) step(s step1) Step {
	step := Step{Name: s.Name, Planned: s.Planned, Asked: s.Asked, InForce: s.InForce}
	kind := ""
	for _, proof := range s.Proofs {
		kind = proof.Kind
		step.Proofs = append(step.Proofs, proof.Proof)
	}
	for i, planned := range m.Plan.steps() {
		if slices.ContainsFunc(planned.Faults, func(f PlannedFault) bool { return f.Name == kind }) {
			step.Number = i + 1
		}
	}
	step.Effects = m.effects(kind)
	return step
}

func (m manifest1) effects(kind string) []world.Effect {
	yes, no := world.Truth(true), world.Truth(false)
	var effects []world.Effect
	each := func(nodes []netip.Addr, e world.Effect) {
		for _, node := range nodes {
			e.Node = node
			effects = append(effects, e)
		}
	}
	switch kind {
	case "name-moved":
		each(m.Plan.Old, world.Effect{Named: no})
		each(m.Plan.Fresh, world.Effect{Named: yes})
	case "old-silent":
		each(m.Plan.Old, world.Effect{Serves: no, How: world.Silence})
	case "old-refuses":
		each(m.Plan.Old, world.Effect{Serves: no, How: "refuse"})
	case "old-no-target":
		each(m.Plan.Old, world.Effect{Serves: no, How: "no-targets"})
	case "tls-refused":
		each(m.Plan.Old, world.Effect{Serves: no, How: m.Scenario})
	case "nodes-back":
		each(m.Plan.Old, world.Effect{Serves: yes})
	case "dns-fails":
		effects = append(effects, world.Effect{Resolves: no, How: strings.TrimPrefix(m.Scenario, "dns-")})
	case "dns-back":
		effects = append(effects, world.Effect{Resolves: yes})
	}
	return effects
}

// renameMoments1 gives the snapshot just before the first fault its name of today.
func (r *Recording) renameMoments1() {
	for i := range r.Snapshots {
		if r.Snapshots[i].Moment == "flip" {
			r.Snapshots[i].Moment = MomentFault
		}
	}
}
