package judge_test

import (
	"encoding/json"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/proxychaos/proxychaos/harness/judge"
	"github.com/proxychaos/proxychaos/harness/recording"
	model "github.com/proxychaos/proxychaos/harness/world"
)

type seconds = recording.Seconds

var (
	old1, old2 = netip.MustParseAddr("198.18.1.21"), netip.MustParseAddr("198.18.1.22")
	fresh1     = netip.MustParseAddr("198.18.1.31")
	proxy      = netip.MustParseAddr("198.18.1.2")
	resolver   = netip.MustParseAddrPort("169.254.169.253:53")
)

const (
	rate = 50
	gap  = seconds(1.0 / rate)
	name = "Backend.example.com" // the case of the name must not matter
)

// world builds a recording of 20 s, as a cell on containers would leave it:
// the name moves at 5 s, the old nodes go silent at 8 s, TTL 1 s.
type world struct {
	recording.Recording
	conns uint64
}

// topology is one upstream of two nodes and a spare one.
func topology(nodes, spare int) model.Topology {
	b := model.Balancer{Name: "backend", Nodes: nodes, Spare: spare, Targets: 2}
	t := model.Topology{World: model.World{Balancers: []model.Balancer{b}}}
	for i, addr := range []netip.Addr{old1, old2, fresh1} {
		t.Nodes = append(t.Nodes, model.Node{Addr: addr, Upstream: 1, Balancer: "backend", Number: i + 1})
	}
	return t
}

// planned are steps that wait so long one after the other.
func planned(steps ...recording.PlannedStep) []recording.PlannedStep {
	at := seconds(0)
	for i := range steps {
		at += steps[i].Wait
		steps[i].At = at
	}
	return steps
}

// after is a planned step with its faults.
func after(wait seconds, names ...string) recording.PlannedStep {
	s := recording.PlannedStep{Wait: wait}
	for _, name := range names {
		s.Faults = append(s.Faults, recording.PlannedFault{Name: name})
	}
	return s
}

const (
	moves  = "name moves to new nodes"
	silent = "old nodes go silent"
)

var yes, no = model.Truth(true), model.Truth(false)

// left are the effects of a name that moves from the old nodes to the fresh one.
func left() []model.Effect {
	return []model.Effect{{Node: old1, Named: no}, {Node: old2, Named: no}, {Node: fresh1, Named: yes}}
}

// struck are the effects on old nodes that do not serve any more.
func struck(how string) []model.Effect {
	return []model.Effect{{Node: old1, Serves: no, How: how}, {Node: old2, Serves: no, How: how}}
}

func rotate() *world {
	w := &world{}
	w.Manifest = recording.Manifest{
		Schema: recording.Schema, Scenario: "alb-ip-rotate", Testbed: "containers", World: topology(2, 1),
		Plan: recording.Plan{TTL: 1, Duration: 20, Rate: rate, Steps: planned(after(5, moves), after(3, silent))},
	}
	w.Steps = []recording.Step{step(1, moves, 5.002, left()), step(2, silent, 8.004, struck("silence"))}
	w.Snapshots = []recording.Snapshot{
		{At: -1, Moment: recording.MomentWarm, Processes: []recording.Process{{PID: 8, Worker: true}, {PID: 9, Worker: true}}},
		{At: 4.9, Moment: recording.MomentFault, Processes: []recording.Process{
			{PID: 7, Command: "nginx: master"},
			{PID: 8, Command: "nginx: worker", Worker: true, Upstream: 1, Seen: 1},
			{PID: 9, Command: "nginx: worker", Worker: true, Seen: 2},
		}},
	}
	w.query(-1.5, old1, old2)
	return w
}

// ended adds what the processes were after the load. Process 9 had waited for a CPU for so
// long at the first fault and at the end, process 8 a second less at the end.
func (w *world) ended(fault, end seconds) {
	w.Snapshots[1].Processes[1].Waited, w.Snapshots[1].Processes[2].Waited = fault, fault
	last := recording.Snapshot{At: 20, Moment: recording.MomentEnd, Processes: slices.Clone(w.Snapshots[1].Processes)}
	last.Processes[1].Waited, last.Processes[2].Waited = end-1, end
	w.Snapshots = append(w.Snapshots, last)
}

// atOnce has both faults at 5 s and lets a subject fail for 2 s.
func atOnce() *world {
	w := rotate()
	plan := &w.Manifest.Plan
	plan.Steps, plan.Budget.RecoverWithin = planned(after(5, moves, silent)), 2
	w.Steps[1].Number, w.Steps[1].Asked, w.Steps[1].InForce = 1, 5.001, 5.001
	return w
}

func step(number int, name string, at seconds, effects []model.Effect) recording.Step {
	return recording.Step{
		Number: number, Name: name, Planned: at, Asked: at, InForce: at, Effects: effects,
		Proofs: []recording.Proof{{OK: true, At: at + 0.1, Detail: "seen"}},
	}
}

// open adds an upstream connection.
func (w *world) open(at seconds, node netip.Addr) recording.Conn {
	w.conns++
	conn := recording.Conn{
		Conn: w.conns, Node: node, Port: 80, Opened: at,
		Peer: netip.AddrPortFrom(proxy, uint16(40000+w.conns)),
	}
	w.Connections = append(w.Connections, conn)
	return conn
}

// request adds what the client saw of one request, 1 ms late.
func (w *world) request(at seconds, outcome string, node netip.Addr) uint64 {
	seq := uint64(len(w.Requests) + 1)
	row := recording.Request{Seq: seq, Due: at, Sent: at + 0.001, Latency: 0.004, Code: 200, Outcome: outcome, Node: node}
	if outcome == recording.Timeout {
		row.Code, row.Latency = 0, 3
	} else if code, err := strconv.Atoi(outcome); err == nil {
		row.Code = code
	}
	w.Requests = append(w.Requests, row)
	return seq
}

func (w *world) attempt(at seconds, conn recording.Conn, seq uint64, status int) {
	w.Attempts = append(w.Attempts, recording.Attempt{
		Seq: seq, At: at + 0.002, Done: at + 0.003, Node: conn.Node, Port: 80,
		Conn: conn.Conn, Method: "GET", Path: "/", Status: status,
	})
}

// serve lets a connection's node answer every request from one time to
// before another.
func (w *world) serve(from, to seconds, conn recording.Conn) {
	for at := from; at < to-gap/2; at += gap {
		w.attempt(at, conn, w.request(at, recording.OK, conn.Node), 200)
	}
}

// stall lets every request go to the silent node of a connection, with one
// retransmission each, and fail.
func (w *world) stall(from, to seconds, conn recording.Conn) {
	for at := from; at < to-gap/2; at += gap {
		seq := w.request(at, recording.Timeout, netip.Addr{})
		packet := recording.Packet{At: at + 0.002, Kind: recording.Segment, Node: conn.Node, Port: 80, Peer: conn.Peer, Seq: seq}
		w.Packets = append(w.Packets, packet)
		packet.At += 0.2
		packet.Retransmit = true
		w.Packets = append(w.Packets, packet)
	}
}

// fail lets every request fail without a trace at a node.
func (w *world) fail(from, to seconds, outcome string) {
	for at := from; at < to-gap/2; at += gap {
		w.request(at, outcome, netip.Addr{})
	}
}

// syn adds a connection attempt, sent twice.
func (w *world) syn(at seconds, node netip.Addr) {
	w.conns++
	packet := recording.Packet{At: at, Kind: recording.SYN, Node: node, Port: 80, Peer: netip.AddrPortFrom(proxy, uint16(40000+w.conns))}
	w.Packets = append(w.Packets, packet)
	packet.At++
	packet.Retransmit = true
	w.Packets = append(w.Packets, packet)
}

func (w *world) query(at seconds, answers ...netip.Addr) {
	asked := name
	if len(w.Queries)%2 == 1 {
		asked = strings.ToLower(name)
	}
	w.Queries = append(w.Queries, recording.Query{
		At: at, Answered: at, Client: netip.AddrPortFrom(proxy, 5000), Resolver: resolver,
		Net: "udp", Name: asked, Type: "A", Rcode: "NOERROR", Answers: answers, TTL: 1,
	})
}

func (w *world) log(at seconds, text string) {
	w.ProxyLog = append(w.ProxyLog, recording.LogLine{At: at, Text: text})
}

// Stories: what subjects of the catalogue do.

// follower asks DNS every second and leaves the old node 0.98 s after the move.
func follower() *world {
	w := rotate()
	for at := seconds(0.5); at < 5; at++ {
		w.query(at, old1, old2)
	}
	for at := seconds(5.5); at < 20; at++ {
		w.query(at, fresh1)
	}
	w.serve(0, 6, w.open(-1, old1))
	w.serve(6, 20, w.open(5.99, fresh1))
	return w
}

// once never asks DNS again: all on the old node, 600 requests after it went
// silent, and 3 attempts to connect to the other one.
func once() *world {
	w := rotate()
	conn := w.open(-1, old1)
	w.serve(0, 8, conn)
	w.stall(8, 20, conn)
	w.syn(11, old2)
	w.syn(14, old2)
	w.syn(17, old2)
	return w
}

// pooled asks DNS every second, but goes on with its pooled connection.
func pooled() *world {
	w := rotate()
	conn := w.open(-1, old1)
	w.serve(0, 8, conn)
	w.stall(8, 20, conn)
	for at := seconds(5.5); at < 20; at++ {
		w.query(at, fresh1)
	}
	return w
}

// healer asks DNS again only after a failed connect, 2.3 s after the old
// nodes went silent.
func healer() *world {
	w := rotate()
	conn := w.open(-1, old1)
	w.serve(0, 8, conn)
	w.stall(8, 10.3, conn)
	w.syn(8.5, old1)
	w.query(10.2, fresh1)
	w.serve(10.3, 20, w.open(10.3, fresh1))
	return w
}

// perRequest opens a connection for every request, and follows DNS.
func perRequest() *world {
	w := follower()
	w.Attempts, w.Connections = nil, nil
	for _, r := range w.Requests {
		w.attempt(r.Due, w.open(r.Due, r.Node), r.Seq, 200)
	}
	return w
}

func (w *world) judge() judge.Verdict { return judge.Judge(&w.Recording) }

func finding(v judge.Verdict, code string) (judge.Finding, bool) {
	i := slices.IndexFunc(v.Findings, func(f judge.Finding) bool { return f.Code == code })
	if i < 0 {
		return judge.Finding{}, false
	}
	return v.Findings[i], true
}

// wantFindings compares the codes of all findings, in their order.
func wantFindings(t *testing.T, v judge.Verdict, codes ...string) {
	t.Helper()
	got := []string{}
	for _, f := range v.Findings {
		got = append(got, f.Code)
	}
	if !slices.Equal(got, codes) {
		t.Errorf("got findings %v, want %v", got, codes)
	}
}

// wantText compares the text of one finding.
func wantText(t *testing.T, v judge.Verdict, code, text string) judge.Finding {
	t.Helper()
	f, ok := finding(v, code)
	if !ok || f.Text != text {
		t.Errorf("got finding\n %q, want\n %q", f.Text, text)
	}
	return f
}

func wantResult(t *testing.T, v judge.Verdict, result string, reasons ...string) {
	t.Helper()
	if v.Result != result || !slices.Equal(v.Reasons, reasons) {
		t.Errorf("got %s: %q\nwant %s: %q", v.Result, v.Reasons, result, reasons)
	}
}

func asJSON(t *testing.T, v judge.Verdict) string {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
