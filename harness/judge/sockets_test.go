package judge_test

import (
	"net/netip"
	"testing"

	"github.com/proxychaos/proxychaos/harness/judge"
	"github.com/proxychaos/proxychaos/harness/recording"
	model "github.com/proxychaos/proxychaos/harness/world"
)

// held is a run in which the first node refuses from 8 to 13 s. Of the requests none fails. A
// client has a WebSocket at that node until then, and another one at the second to the end.
func held() *world {
	w := rotate()
	w.Manifest.Plan.Budget = recording.Budget{RecoverWithin: 2, Sockets: true}
	w.Manifest.Plan.Sockets = 2
	w.Manifest.Plan.Steps = planned(after(8, "nodes 1 refuse"), after(5, "the nodes are back"))
	w.Steps = []recording.Step{
		step(1, "nodes 1 refuse", 8, []model.Effect{{Node: old1, Serves: no, How: "refuse"}}),
		step(2, "the nodes are back", 13, []model.Effect{{Node: old1, Serves: yes}}),
	}
	w.serve(0, 8, w.open(-1, old1))
	w.serve(8, 20, w.open(-1, old2))
	w.socket(1, old1, 0.1, 8.01)
	w.socket(2, old2, 0.2, 0)
	return w
}

// socket adds one of a client, opened at a time and gone at another; 0 is not at all.
func (w *world) socket(client uint64, node netip.Addr, opened, ended seconds) {
	s := recording.Socket{Client: client, Asked: opened - 0.01, Opened: opened, Node: node, Code: 101, Messages: 3, Last: opened + 0.4, Outcome: recording.OK}
	if ended != 0 {
		s.Ended, s.Last, s.Outcome = ended, ended-0.1, recording.Connection
	}
	w.Sockets = append(w.Sockets, s)
}

// denied adds one that a client asked for in vain.
func (w *world) denied(client uint64, asked seconds, outcome string) {
	w.Sockets = append(w.Sockets, recording.Socket{Client: client, Asked: asked, Ended: asked + 0.01, Code: 503, Outcome: outcome})
}

func TestSocketsThatAreLostWithTheirNode(t *testing.T) {
	w := held()
	w.denied(1, 8.3, "503")
	w.socket(1, old2, 8.6, 0)
	v := w.judge()
	wantResult(t, v, judge.Pass, "0 of 1,000 requests failed")
	lost := wantText(t, v, judge.SocketsLost, "1 WebSocket was lost with the node, which nobody can prevent; a client was without one for 0.6 s at most")
	if want := "sockets.jsonl:1 t=8.010 s WebSocket of client 1 at 198.18.1.21, open since t=0.100 s: connection, after 3 messages"; len(lost.Evidence) != 1 || lost.Evidence[0] != want {
		t.Errorf("got evidence %q, want %q", lost.Evidence, want)
	}
	wantText(t, v, judge.SocketsDenied, "1 WebSocket was denied (1 503)")
	want := judge.Sockets{Opened: 3, Messages: 9, Denied: 1, Lost: 1, Without: v.Sockets.Without}
	if *v.Sockets != want || v.Sockets.Without < 0.58 || v.Sockets.Without > 0.6 {
		t.Errorf("got %+v, want %+v", *v.Sockets, want)
	}
}

// Whoever is denied one later than a proxy needs is denied it by the proxy. The reference has
// no time at all.
func TestSocketsThatAreDeniedTooLate(t *testing.T) {
	w := held()
	w.denied(1, 9.5, "503") // by 10.1 s its client still had none
	w.Sockets[2].Ended = 10.1
	w.denied(1, 15, "timeout")
	v := w.judge()
	wantResult(t, v, judge.Fail, "2 WebSockets were denied when the proxy had had its time; 0 of 1,000 requests failed")
	wantText(t, v, judge.SocketsDenied, `2 WebSockets were denied (1 503, 1 timeout), 2 of them later than 2.0 s after "nodes 1 refuse"`)
	if v.Sockets.Without < 11.9 || v.Sockets.Without > 12 {
		t.Errorf("got %g s without one, want from 8.01 s to the end at 20 s", v.Sockets.Without)
	}
	w = held()
	w.denied(1, 8.3, "503")
	w.socket(1, old2, 8.6, 0)
	w.Manifest.Plan.Budget.RecoverWithin = 0
	wantResult(t, w.judge(), judge.Fail, "1 WebSocket was denied when the proxy had had its time; 0 of 1,000 requests failed")
}

func TestSocketsThatAreCutWhileTheirNodeServes(t *testing.T) {
	w := held()
	w.socket(1, old2, 8.6, 12)
	w.socket(1, old2, 12.3, 0)
	v := w.judge()
	wantResult(t, v, judge.Fail, "1 WebSocket was cut while the node served; 0 of 1,000 requests failed")
	wantText(t, v, judge.SocketsCut, "1 WebSocket was cut while the node served (1 connection)")
	w.Manifest.Plan.Budget.Sockets = false
	wantResult(t, w.judge(), judge.Pass, "0 of 1,000 requests failed")
}

// A proxy that passes no WebSocket on fails, whatever becomes of its nodes.
func TestSocketsThatAreNotPassedOn(t *testing.T) {
	w := held()
	w.Sockets = nil
	for at := seconds(0.1); at < 20; at++ {
		w.denied(1, at, "200")
	}
	v := w.judge()
	wantResult(t, v, judge.Fail, "no WebSocket was opened; 0 of 1,000 requests failed")
	denied := wantText(t, v, judge.SocketsDenied, "20 WebSockets were denied (20 200), and none was ever opened: the proxy does not pass them on")
	if want := "sockets.jsonl:1 t=0.100 s client 1 asked for a WebSocket: 200 after 10 ms"; denied.Evidence[0] != want {
		t.Errorf("got evidence %q, want %q", denied.Evidence[0], want)
	}
}

func TestSocketsOfNodesThatTheFaultsAreNotAbout(t *testing.T) {
	w := held()
	w.Sockets[0].Node = old2
	v := w.judge()
	wantResult(t, v, judge.Unproven, `no WebSocket was open on a node that the faults are about at "nodes 1 refuse": they could break nothing`)
}

func TestNoSockets(t *testing.T) {
	w := held()
	w.Sockets = nil
	if v := w.judge(); v.Sockets != nil {
		t.Errorf("got %+v of a run in which nobody held a WebSocket", v.Sockets)
	}
}

// A WebSocket that was asked for just before a second loss and met it has the time that follows
// that one.
func TestSocketsThatAreDeniedByASecondLoss(t *testing.T) {
	again := func(asked seconds) judge.Verdict {
		w := held()
		w.Manifest.Plan.Steps = append(w.Manifest.Plan.Steps, after(3, "node 2 refuses"))
		w.Steps = append(w.Steps, step(3, "node 2 refuses", 16, []model.Effect{{Node: old2, Serves: no, How: "refuse"}}))
		w.socket(1, old1, 13.6, 15.7)
		w.denied(1, asked, "timeout")
		w.Sockets[len(w.Sockets)-1].Ended = 16.5
		w.socket(1, old1, 16.6, 0)
		w.Sockets[1].Ended, w.Sockets[1].Last, w.Sockets[1].Outcome = 16.01, 15.9, recording.Connection
		return w.judge()
	}
	if v := again(15.9); v.Sockets.DeniedLate != 0 || v.Sockets.Denied != 1 {
		t.Errorf("got %+v, want it denied meanwhile", *v.Sockets)
	}
	if v := again(15.71); v.Sockets.DeniedLate != 1 {
		t.Errorf("got %+v, want one denied late: it had been asked for before the loss", *v.Sockets)
	}
}

// While no node serves, no proxy can open one.
func TestSocketsThatAreDeniedWhileNoNodeServes(t *testing.T) {
	w := held()
	w.Manifest.World = topology(2, 0)
	w.Steps[0].Effects = struck("refuse")
	w.Steps[1].Effects = []model.Effect{{Node: old1, Serves: yes}, {Node: old2, Serves: yes}}
	w.Sockets[1].Ended, w.Sockets[1].Last, w.Sockets[1].Outcome = 8.01, 7.9, recording.Connection
	w.denied(1, 12, "503")
	w.denied(1, 16, "503")
	if v := w.judge(); v.Sockets.Denied != 1 || v.Sockets.DeniedLate != 1 {
		t.Errorf("got %+v, want one denied while no node served, and one later", *v.Sockets)
	}
}
