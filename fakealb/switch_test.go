package fakealb_test

import (
	"cmp"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"sync"
	"testing"
	"time"

	"github.com/proxychaos/proxychaos/fakealb"
	"github.com/proxychaos/proxychaos/fakealb/record"
	"github.com/proxychaos/proxychaos/fakealb/targets"
)

const switches = 1000

// Issue 3: faults and load balancers switched 1,000 times under load, and no
// response is ever a mixture of two states: status, header, body, certificate and
// recorded fault are all of one that was in force while the request was on its way.
// Between two switches every client makes a request from its beginning to its end,
// and that one fits the one state there was.
func TestNoResponseIsAMixtureOfTwoStates(t *testing.T) {
	f := start(t, nil, "127.0.70.20", "127.0.70.21")
	for _, lb := range []fakealb.LoadBalancer{
		{Name: "blue", Targets: 2, ErrorBody: fakealb.ErrorBodyPre2020},
		{Name: "green", Targets: 1},
		{Name: "group", TargetGroup: &targets.Group{Targets: targets.At(switchTarget(t))}},
	} {
		if _, err := f.PutLoadBalancer(f.ctx, lb); err != nil {
			t.Fatal(err)
		}
	}
	h := &switchHistory{states: []switchState{{fault: fakealb.FaultSetting{Kind: fakealb.FaultNone}, lb: [2]string{"blue", "blue"}}}}
	var clients []*switchClient
	for i, transports := range []map[string]*http.Transport{
		{"http": {}, "https": {TLSNextProto: noHTTP2}, "https-h2": {ForceAttemptHTTP2: true}},
		{"http-new": {DisableKeepAlives: true}, "https-new": {TLSNextProto: noHTTP2, DisableKeepAlives: true}, "https-h2": {ForceAttemptHTTP2: true}},
	} {
		for name, transport := range transports {
			clients = append(clients, newSwitchClient(name, i, f.at(i), transport, h))
		}
	}
	stop := make(chan struct{})
	var load sync.WaitGroup
	for _, c := range clients {
		load.Go(func() { c.run(t, stop) })
	}
	for n := range switches {
		f.switchOnce(t, h, n)
		for _, c := range clients {
			<-c.ended // perhaps begun before the switch
		}
		for _, c := range clients {
			<-c.ended
		}
	}
	close(stop)
	load.Wait()
	h.checkWhatWasSeen(t, clients)
	checkRecordedFaults(t, f, clients)
}

// switchTarget is a server of the target group.
func switchTarget(t *testing.T) netip.AddrPort {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Server", "a-target")
		fmt.Fprintf(w, "target seq=%s\n", r.Header.Get(fakealb.HeaderSeq))
	}))
	t.Cleanup(s.Close)
	return netip.MustParseAddrPort(s.Listener.Addr().String())
}

// switchFaults come in turn. Silence costs every client its patience, so it comes
// once in three rounds only; the other faults of packets have tests of their own.
var switchFaults = []fakealb.FaultSetting{
	{Kind: fakealb.FaultNone},
	{Kind: fakealb.FaultError, Status: 502},
	{Kind: fakealb.FaultLinger},
	{Kind: fakealb.FaultStranger},
	{Kind: fakealb.FaultError, Status: 400}, // which closes the connection
	{Kind: fakealb.FaultError, Status: 464}, // which has no body
	{Kind: fakealb.FaultTLSExpired},
	{Kind: fakealb.FaultTruncateBody},
	{Kind: fakealb.FaultSlowResponse, Delay: fakealb.Duration(time.Millisecond)},
	{Kind: fakealb.FaultResetBody},
	{Kind: fakealb.FaultTLSWrongName},
	{Kind: fakealb.FaultRefuse},
	{Kind: fakealb.FaultError, Status: 503, Share: 0.5},
	{Kind: fakealb.FaultCloseRequest},
	{Kind: fakealb.FaultTLSSelfSigned},
	{Kind: fakealb.FaultResetRequest},
	{Kind: fakealb.FaultStranger},
	{Kind: fakealb.FaultKeepAliveRace},
	{Kind: fakealb.FaultTLSWrongChain},
	{Kind: fakealb.FaultLinger, Share: 0.5},
	{Kind: fakealb.FaultSlowAccept, Delay: fakealb.Duration(time.Millisecond)},
	{Kind: fakealb.FaultTLSAlert},
	{Kind: fakealb.FaultSilence},
	{Kind: fakealb.FaultTLSReset},
	{Kind: fakealb.FaultTLSRootExpired},
}

// switchState is what both nodes are.
type switchState struct {
	fault fakealb.FaultSetting
	lb    [2]string // of each node
}

// switchHistory says which states were in force when.
type switchHistory struct {
	mu       sync.Mutex
	states   []switchState
	changing bool // from the last but one to the last
}

// since is the oldest state that may be in force now, and until the newest one.
func (h *switchHistory) since() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.changing {
		return len(h.states) - 2
	}
	return len(h.states) - 1
}

func (h *switchHistory) until() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.states) - 1
}

// between returns the states of a span.
func (h *switchHistory) between(first, last int) []switchState {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.states[first : last+1 : last+1]
}

// switchOnce moves both nodes to the next fault, or one to another load balancer.
func (f *fixture) switchOnce(t *testing.T, h *switchHistory, n int) {
	t.Helper()
	h.mu.Lock()
	next := h.states[len(h.states)-1]
	moved := -1
	if n%4 == 3 {
		moved = n / 4 % 2
		next.lb[moved] = []string{"green", "group", "blue"}[n/8%3]
	} else {
		k := n - n/4
		next.fault = switchFaults[k%len(switchFaults)]
		if next.fault.Kind == fakealb.FaultSilence && k/len(switchFaults)%3 != 0 {
			next.fault = fakealb.FaultSetting{Kind: fakealb.FaultNone}
		}
	}
	h.states, h.changing = append(h.states, next), true
	h.mu.Unlock()
	var err error
	if moved >= 0 {
		_, err = f.PutNode(f.ctx, fakealb.Node{Addr: f.nodes[moved], LoadBalancer: next.lb[moved], Zone: "a"})
	} else {
		_, err = f.PutFaults(f.ctx, fakealb.FaultRequest{Nodes: f.nodes, FaultSetting: next.fault})
	}
	if err != nil {
		t.Fatal(err)
	}
	h.mu.Lock()
	h.changing = false
	h.mu.Unlock()
}

// answers are the kinds of whole response that a state gives, as answer.kind has
// them; empty if it gives none.
func (s switchState) answers(node int) []string {
	body := "current"
	if s.lb[node] == "blue" {
		body = "pre2020"
	}
	normal := "target of " + s.lb[node]
	var kinds []string
	switch s.fault.Kind {
	case fakealb.FaultTruncateBody, fakealb.FaultResetBody, fakealb.FaultCloseRequest, fakealb.FaultResetRequest:
		return nil
	case fakealb.FaultError, fakealb.FaultLinger:
		status := cmp.Or(s.fault.Status, 503)
		if status == 464 {
			body = "bare"
		}
		kinds = append(kinds, fmt.Sprintf("%d %s", status, body))
	case fakealb.FaultStranger:
		kinds = append(kinds, "stranger")
	default:
		return []string{normal}
	}
	if s.fault.Share != 0 {
		kinds = append(kinds, normal)
	}
	return kinds
}

// certificate is the kind of certificate that a state shows.
func (s switchState) certificate() fakealb.FaultKind {
	switch s.fault.Kind {
	case fakealb.FaultTLSExpired, fakealb.FaultTLSWrongName, fakealb.FaultTLSSelfSigned, fakealb.FaultTLSWrongChain, fakealb.FaultTLSRootExpired, fakealb.FaultStranger:
		return s.fault.Kind
	default:
		return fakealb.FaultNone
	}
}

// checkWhatWasSeen makes sure that the load was one: each client saw each answer
// and certificate that there was for it.
func (h *switchHistory) checkWhatWasSeen(t *testing.T, clients []*switchClient) {
	for _, c := range clients {
		seen := map[string]int{}
		for _, a := range c.whole {
			seen[a.kind]++
			seen[string(a.certificate)]++
		}
		for _, want := range []string{"target of blue", "target of green", "target of group", "503 pre2020", "503 current", "400 current", "502 pre2020", "464 bare", "stranger"} {
			if seen[want] == 0 {
				t.Errorf("%s never got %q, only %v", c.name, want, seen)
			}
		}
		if !c.shakesHands {
			continue
		}
		for _, want := range []fakealb.FaultKind{
			fakealb.FaultNone, fakealb.FaultStranger, fakealb.FaultTLSExpired, fakealb.FaultTLSWrongName, fakealb.FaultTLSSelfSigned, fakealb.FaultTLSWrongChain, fakealb.FaultTLSRootExpired,
		} {
			if seen[string(want)] == 0 {
				t.Errorf("%s was never shown a certificate of the kind %s, only %v", c.name, want, seen)
			}
		}
	}
}

// checkRecordedFaults compares the rows with the responses. A fault of packets may
// come while a response is written, so it says nothing about it.
func checkRecordedFaults(t *testing.T, f *fixture, clients []*switchClient) {
	rows, err := f.Attempts(f.ctx)
	if err != nil {
		t.Fatal(err)
	}
	bySeq := map[string][]record.Attempt{} // several where the client sent it again
	for _, row := range rows {
		bySeq[row.Seq] = append(bySeq[row.Seq], row)
	}
	for _, c := range clients {
		for _, a := range c.whole {
			if !anyOf(bySeq[a.seq], func(row record.Attempt) bool { return a.isOf(c.node, row) }) {
				t.Errorf("%s got %q; recorded: %+v", a.seq, a.kind, bySeq[a.seq])
			}
		}
	}
}
