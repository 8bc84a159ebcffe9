package reports

import (
	"fmt"
	"math"
	"math/rand/v2"
	"net/netip"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/proxychaos/proxychaos/harness/judge"
	"github.com/proxychaos/proxychaos/harness/kind"
	"github.com/proxychaos/proxychaos/harness/recording"
	"github.com/proxychaos/proxychaos/harness/world"
)

// behaviour is how a made-up subject takes the move of the name.
type behaviour struct {
	id, role, version, config string
	// leaves is how long after the flip it turns to the fresh nodes; negative:
	// never by itself.
	leaves recording.Seconds
	// heals is how long after the retirement it turns to them; negative: never.
	heals       recording.Seconds
	kinds       []string // how its requests fail, drawn evenly
	asks        recording.Seconds
	perRequest  bool
	finding     judge.Finding
	log         string
	expect      *judge.Expectation
	latencyBase float64 // seconds
}

const (
	proxyPeer = "10.10.0.9:40000"
	dnsName   = "backend.example.com."
)

var (
	oldNodes   = []netip.Addr{netip.MustParseAddr("10.10.1.55"), netip.MustParseAddr("10.10.2.55")}
	freshNodes = []netip.Addr{netip.MustParseAddr("10.10.1.77"), netip.MustParseAddr("10.10.2.77")}
)

// catalogue resembles the subjects of alb-ip-rotate.
func catalogue() []behaviour {
	fails := &judge.Expectation{Verdict: judge.Fail}
	passes := &judge.Expectation{Verdict: judge.Pass}
	once := judge.Finding{
		Code: judge.ResolvedOnce, Text: "resolved once at start: 0 DNS queries after t=0; 1,204 requests on the retired 10.10.1.55 and 10.10.2.55",
		Evidence: []string{"dns.jsonl:2 A backend.example.com. -> 10.10.1.55 10.10.2.55 TTL 1 s at -1.4 s, the last query", "packets.jsonl:1 syn to 10.10.1.55:80 at 8.061 s"},
	}
	followed := judge.Finding{Code: judge.FollowedDNS, Text: "left the old nodes 1.2 s after the name had moved"}
	pooled := judge.Finding{Code: judge.PooledOld, Text: "resolved again, but pooled connections kept 10.10.1.55: 3 DNS queries after the flip, none of their answers used"}
	perRequest := judge.Finding{Code: judge.ConnectionPerRequest, Text: "every request opens a connection: 1.00 connections per request"}
	ah := "[proxy:error] [pid 11:tid 37] (110)Connection timed out: AH00957: http: attempt to connect to 10.10.1.55:80 (backend.example.com:80) failed"
	apacheConf := "Listen 80\nServerName localhost\nProxyPass        / http://backend.example.com/\nProxyPassReverse / http://backend.example.com/\n"
	nginxConf := "server {\n    listen 80;\n    location / {\n        proxy_pass http://backend.example.com;\n    }\n}\n"
	return []behaviour{
		{id: "apache/pooled", role: "pitfall", version: "2.4.68", leaves: -1, heals: -1, kinds: []string{"503", "503", "503", "timeout"}, asks: -1, finding: pooled, log: ah, expect: fails, latencyBase: .0012, config: apacheConf},
		{id: "apache/disablereuse", role: "fix", version: "2.4.68", leaves: .9, heals: 0, asks: .4, perRequest: true, finding: perRequest, expect: passes, latencyBase: .002, config: apacheConf},
		{id: "apache/smax-ttl", role: "fix", version: "2.4.68", leaves: -1, heals: 2.6, kinds: []string{"502", "503"}, asks: -1, finding: judge.Finding{Code: judge.HealedItself, Text: "healed by itself 2.6 s after the retirement"}, log: ah, expect: passes, latencyBase: .0013, config: apacheConf},
		{id: "apache/addressttl", role: "fix", version: "2.4.68", leaves: 1.4, heals: 0, asks: 1, finding: followed, expect: passes, latencyBase: .0012, config: apacheConf},
		{id: "nginx/static", role: "pitfall", version: "1.30.6", leaves: -1, heals: -1, kinds: []string{"timeout", "504", "502"}, asks: -1, finding: once, log: "2026/11/20 12:00:08 [error] 7#7: *12 upstream timed out (110: Connection timed out) while connecting to upstream", expect: fails, latencyBase: .0006, config: nginxConf},
		{id: "nginx/resolver-only", role: "pitfall", version: "1.30.6", leaves: -1, heals: -1, kinds: []string{"timeout", "502", "connection", "wrong-body", "proxy-302", "404"}, asks: -1, finding: once, expect: fails, latencyBase: .0006, config: nginxConf},
		{id: "nginx/variable", role: "fix", version: "1.30.6", leaves: 1.1, heals: 0, asks: 1, perRequest: true, finding: followed, expect: passes, latencyBase: .0011, config: nginxConf},
		{id: "nginx/upstream-resolve", role: "fix", version: "1.30.6", leaves: 1.0, heals: 0, asks: 1, finding: followed, expect: passes, latencyBase: .0006, config: nginxConf},
		{id: "goproxy/default", role: "reference", version: "a1b2c3d", leaves: .6, heals: 0, asks: .5, finding: followed, expect: passes, latencyBase: .0005, config: "upstream = http://backend.example.com\n"},
	}
}

// synthesize makes the recording of one cell below root and judges it as made.
func synthesize(t *testing.T, root, scenario string, b behaviour, seed uint64) Cell {
	t.Helper()
	random := rand.New(rand.NewPCG(seed, 7))
	began := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	dir, err := recording.Create(root, scenario, b.id, began)
	must(t, err)
	defer func() { must(t, dir.Close()) }()

	m := syntheticManifest(scenario, b, seed, recording.Seconds(random.Float64()))
	if scenario == "alb-ip-abrupt" {
		allAtOnce(&m)
	}
	m.Config, err = dir.SaveConfig(kind.Config{Path: "proxy.conf", Files: []kind.File{{Name: "proxy.conf", Content: []byte(b.config)}}})
	must(t, err)
	v := &judge.Verdict{Result: judge.Pass, ByKind: map[string]int{}, Window: m.Plan.Duration - ends(m.Plan), Findings: []judge.Finding{b.finding}}
	writeSteps(t, dir, m.Plan)
	writeRequests(t, dir, m.Plan, b, random, v)
	writeQueries(t, dir, m.Plan, b, v)
	summarize(v, m.Plan, b)
	m.Overhead = recording.Seconds(1 + random.Float64())
	m.Began, m.T0 = began, began.Add(1500*time.Millisecond)
	m.Ended = m.Began.Add((m.Plan.Duration + m.Overhead).Duration())
	must(t, recording.SaveManifest(dir.Path, m))
	must(t, recording.SaveVerdict(dir.Path, v))
	return Cell{Manifest: m, Verdict: *v, Dir: dir.Path, Expect: b.expect}
}

func syntheticManifest(scenario string, b behaviour, seed uint64, phase recording.Seconds) recording.Manifest {
	of, name := filepath.Split(b.id)
	return recording.Manifest{
		Schema: recording.Schema, Scenario: scenario, Testbed: "containers",
		Summary: "the ALB scales: its DNS name moves to new nodes and the old ones go silent",
		Subject: recording.Subject{ID: b.id, Kind: filepath.Clean(of), Name: name, Role: b.role, Summary: "as the articles give it"},
		Plan: recording.Plan{
			TTL: 1, Refresh: 1, Phase: phase, Duration: 14, ClientTimeout: 2, Rate: 200, Clients: 32, Seed: seed,
			Steps: []recording.PlannedStep{
				{At: 4 + phase, Wait: 4 + phase, Faults: []recording.PlannedFault{{Name: "name moves"}}},
				{At: 7 + phase, Wait: 3, Faults: []recording.PlannedFault{{Name: "old nodes go silent"}}},
			},
		},
		World:  topology(),
		Host:   recording.Host{Cores: 2, MemoryMiB: 24105, Kernel: "6.18.0", Engine: "20.10.24"},
		Tool:   recording.Tool{Commit: "d44ba7a0c1", Go: "go1.26.8"},
		Image:  recording.Image{Ref: "localhost:1/proxychaos/" + filepath.Clean(of) + ":forky", Digest: "sha256:0a1b2c3d4e5f", Version: b.version, Source: "debian"},
		Replay: fmt.Sprintf("make scenario NAME=%s SUBJECT=%s SEED=%d", scenario, b.id, seed),
	}
}

// topology is one name with two nodes and two spare ones.
func topology() world.Topology {
	t := world.Topology{World: world.World{Balancers: []world.Balancer{{Name: "backend", Nodes: 2, Spare: 2, Targets: 2}}}}
	for i, addr := range slices.Concat(oldNodes, freshNodes) {
		t.Nodes = append(t.Nodes, world.Node{Addr: addr, Upstream: 1, Balancer: "backend", Number: i + 1})
	}
	return t
}

// allAtOnce makes the plan that of alb-ip-abrupt: no grace, and a time to recover.
func allAtOnce(m *recording.Manifest) {
	m.Summary = "DNS moves and the old nodes go silent in the same instant"
	p := &m.Plan
	p.Steps[0].Faults = append(p.Steps[0].Faults, p.Steps[1].Faults...)
	p.Steps = p.Steps[:1]
	p.Budget.RecoverWithin = p.TTL + p.Refresh + 1
}

// moves and ends are when the name moves and the old nodes go silent.
func moves(p recording.Plan) recording.Seconds { return p.Steps[0].At }

func ends(p recording.Plan) recording.Seconds { return p.Steps[len(p.Steps)-1].At }

func writeSteps(t *testing.T, dir *recording.Dir, p recording.Plan) {
	t.Helper()
	steps := syntheticSteps(moves(p), ends(p))
	steps[1].Number = len(p.Steps)
	must(t, dir.Steps.Append(steps...))
}

// syntheticSteps are a name that moves, and its old nodes that go silent.
func syntheticSteps(moved, ended recording.Seconds) []recording.Step {
	var left, silent []world.Effect
	for i := range oldNodes {
		left = append(left, world.Effect{Node: oldNodes[i], Named: world.Truth(false)}, world.Effect{Node: freshNodes[i], Named: world.Truth(true)})
		silent = append(silent, world.Effect{Node: oldNodes[i], Serves: world.Truth(false), How: "silence"})
	}
	return []recording.Step{
		{Number: 1, Name: "name moves", Planned: moved, Asked: moved + .001, InForce: moved + .002, Effects: left, Proofs: []recording.Proof{
			{OK: true, At: moved + .004, Detail: "asked 127.0.0.1 for backend.example.com: 10.10.1.77 10.10.2.77"},
		}},
		{Number: 2, Name: "old nodes go silent", Planned: ended, Asked: ended + .001, InForce: ended + .003, Effects: silent, Proofs: []recording.Proof{
			{OK: true, At: ended + .31, Detail: "SYN to 10.10.1.55:80: no answer in 0.3 s; open connection: no answer in 0.3 s"},
		}},
	}
}

func writeRequests(t *testing.T, dir *recording.Dir, p recording.Plan, b behaviour, random *rand.Rand, v *judge.Verdict) {
	t.Helper()
	var requests []recording.Request
	var attempts []recording.Attempt
	var packets []recording.Packet
	var log []recording.LogLine
	total := int(float64(p.Rate) * float64(p.Duration))
	for i := range total {
		due := recording.Seconds(float64(i) / float64(p.Rate))
		sent := due + recording.Seconds(random.ExpFloat64()*.0003)
		r := recording.Request{Seq: uint64(i + 1), Due: due, Sent: sent, Code: 200, Outcome: recording.OK}
		r.Latency = recording.Seconds(b.latencyBase * math.Exp(random.NormFloat64()*.35))
		left := b.leaves >= 0 && sent > moves(p)+b.leaves || b.heals >= 0 && sent > ends(p)+b.heals
		r.Node = oldNodes[i%2]
		if left {
			r.Node = freshNodes[i%2]
		}
		if !left && sent > ends(p) {
			fail(&r, p, b.kinds[random.IntN(len(b.kinds))], random)
			kind := recording.Segment
			if i%3 == 0 {
				kind = recording.SYN
			}
			packets = append(packets, recording.Packet{At: sent, Kind: kind, Node: oldNodes[i%2], Port: 80, Peer: netip.MustParseAddrPort(proxyPeer), Seq: r.Seq})
			v.Stale++
		} else {
			attempts = append(attempts, recording.Attempt{Seq: r.Seq, At: sent + r.Latency/4, Done: sent + r.Latency/2, Node: r.Node, Port: 80, LB: "alb", Conn: r.Seq % 8, Number: 1, Method: "GET", Path: "/", Status: 200})
		}
		requests = append(requests, r)
		v.Sent++
		if r.Outcome != recording.OK {
			v.Failed++
			v.ByKind[r.Outcome]++
			since := sent - moves(p)
			if v.FirstFailure == nil {
				v.FirstFailure = &since
			}
			last := sent - ends(p)
			v.Recovery = &last
		}
		if b.log != "" && r.Outcome != recording.OK {
			log = append(log, recording.LogLine{At: sent + r.Latency, Text: b.log})
		}
	}
	log = append(log, recording.LogLine{At: p.Duration, Text: "exiting"})
	must(t, dir.Requests.Append(requests...))
	must(t, dir.Attempts.Append(attempts...))
	must(t, dir.Packets.Append(packets...))
	must(t, dir.ProxyLog.Append(log...))
}

func fail(r *recording.Request, p recording.Plan, kind string, random *rand.Rand) {
	r.Outcome, r.Node, r.Code = kind, netip.Addr{}, 0
	switch kind {
	case recording.Timeout:
		r.Latency = p.ClientTimeout + recording.Seconds(random.Float64()*.002)
	case recording.WrongBody:
		r.Code = 200
	case recording.ByProxy(302):
		r.Code = 302
	case recording.Connection:
		r.Latency = recording.Seconds(.0004 * (1 + random.Float64()))
	default:
		_, _ = fmt.Sscan(kind, &r.Code)
		r.Latency = recording.Seconds(.3 * (1 + random.Float64()*2))
		if random.Float64() < .6 {
			r.Latency = recording.Seconds(.0005 * (1 + random.Float64()))
		}
	}
}

func writeQueries(t *testing.T, dir *recording.Dir, p recording.Plan, b behaviour, v *judge.Verdict) {
	t.Helper()
	ask := func(at recording.Seconds) {
		answers := oldNodes
		if at > moves(p) {
			answers = freshNodes
		}
		must(t, dir.Queries.Append(recording.Query{
			At: at, Answered: at + .0002, Client: netip.MustParseAddrPort("10.10.0.9:5353"), Resolver: netip.MustParseAddrPort("169.254.169.253:53"),
			Net: "udp", Name: dnsName, Type: "A", Rcode: "NOERROR", Answers: answers, TTL: p.TTL,
		}))
		switch {
		case at > moves(p):
			v.DNSAfter++
		case at >= 0:
			v.DNSBefore++
		}
	}
	ask(-1.4)
	for at := recording.Seconds(.2); b.asks > 0 && at < p.Duration; at += b.asks {
		ask(at)
	}
}

// summarize fills in what does not come from a single row.
func summarize(v *judge.Verdict, p recording.Plan, b behaviour) {
	v.ConnectionsPerRequest = .006
	if b.perRequest {
		v.ConnectionsPerRequest = 1
	}
	phase := func(from, to recording.Seconds, failed int) judge.Phase {
		return judge.Phase{From: from, To: to, Sent: int(float64(to-from) * float64(p.Rate)), Failed: failed, P50: recording.Seconds(b.latencyBase), P99: recording.Seconds(b.latencyBase * 2.3)}
	}
	v.Before, v.During, v.After = phase(0, moves(p), 0), phase(moves(p), ends(p), 0), phase(ends(p), p.Duration, v.Failed)
	v.After.ByKind = v.ByKind
	v.Load = judge.LoadCheck{Asked: float64(p.Rate), Offered: float64(p.Rate) * .9998, LatenessP50: .0002, LatenessP99: .0014, LatenessMax: .006}
	if v.Failed > 0 {
		v.Result = judge.Fail
		v.Reasons = []string{fmt.Sprintf("%d of %d requests failed, 0 may", v.Failed, v.Sent)}
		v.NeverRecovered = *v.Recovery > v.Window-.5
	}
}

// syntheticSuite is a scenario with one subject that is not as expected, one
// that proved nothing and one that was not run.
func syntheticSuite(t *testing.T) []Cell {
	t.Helper()
	root := t.TempDir()
	var cells []Cell
	for i, b := range catalogue() {
		cells = append(cells, synthesize(t, root, "alb-ip-rotate", b, uint64(i+1)))
	}
	at := slices.IndexFunc(cells, func(c Cell) bool { return c.Manifest.Subject.ID == "nginx/upstream-resolve" })
	cells[at].Verdict.Result = judge.Unproven
	cells[at].Verdict.Reasons = []string{"old-silent was not proved: 10.10.1.55:80 still answered at 8.2 s"}
	absent := recording.Manifest{Scenario: "alb-ip-rotate", Subject: recording.Subject{ID: "apache/pooled@2.4.58", Kind: "apache", Name: "pooled", Role: "pitfall"}}
	return append(cells, Cell{Manifest: absent, NotRun: "no image of Apache 2.4.58: no registry answers and Debian does not carry it"})
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
