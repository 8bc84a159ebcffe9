package fault

import (
	"context"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"time"

	"github.com/proxychaos/proxychaos/fakealb"
	"github.com/proxychaos/proxychaos/harness/world"
)

// StrikeNodes puts one of fakealb's faults on nodes. A released ALB address was
// seen to swallow packets (aws-facts 1.8) and is documented to refuse or time
// out (1.7); how long it goes on serving before that is not published.
type StrikeNodes struct {
	Kind  fakealb.FaultKind `json:"kind"`
	Nodes world.Pick        `json:"nodes"`
	// Status is of fakealb.FaultError, Delay of the slow ones, Share of all but
	// those that drop or reset packets; see fakealb.FaultSetting.
	Status int              `json:"status,omitempty"`
	Delay  fakealb.Duration `json:"delay,omitempty"`
	Share  float64          `json:"share,omitempty"`
}

// strike is what the harness knows of one of fakealb's faults.
type strike struct {
	// verb follows the nodes, of which there are several: "go silent".
	verb string
	// serves: requests are answered all the same.
	serves bool
	// partly: some requests are answered, so that a proxy that tries again may be served.
	partly bool
	// overTLS: it is in the handshake.
	overTLS bool
	// ends: connections from before end with it. They would meet no handshake, and a stranger
	// has none of them. New ones meet the fault from the first on: an address that refused in
	// between had Apache leave it out for 60 s (1 run of 696).
	ends bool
	// hold: the proof needs a connection from before.
	hold bool
	look func(ctx context.Context, s StrikeNodes, w *Live, node netip.AddrPort) (bool, string)
}

// strikes are the faults of nodes. A new one of fakealb's is registered here, with
// its look in a file of its subject.
var strikes = map[fakealb.FaultKind]strike{
	fakealb.FaultSilence:             {verb: "go silent", hold: true, look: lookSilent},
	fakealb.FaultSilenceNew:          {verb: "are silent to new connections", partly: true, hold: true, look: lookSilentNew},
	fakealb.FaultRefuse:              {verb: "refuse", hold: true, look: lookRefused},
	fakealb.FaultRefuseNew:           {verb: "refuse new connections", partly: true, hold: true, look: lookRefusedNew},
	fakealb.FaultTLSAlert:            refusesTLS("refuse TLS with an alert", HandshakeAlert),
	fakealb.FaultTLSHang:             refusesTLS("never answer a TLS handshake", HandshakeTimeout),
	fakealb.FaultTLSReset:            refusesTLS("reset a TLS handshake", HandshakeReset),
	fakealb.FaultTLSWrongName:        refusesTLS("show a certificate of another name", HandshakeWrongName),
	fakealb.FaultTLSExpired:          refusesTLS("show an expired certificate", HandshakeExpired),
	fakealb.FaultTLSSelfSigned:       refusesTLS("show a certificate that nobody signed", HandshakeUntrusted),
	fakealb.FaultTLSWrongChain:       refusesTLS("send the wrong certificate chain", HandshakeUntrusted),
	fakealb.FaultTLSRootExpired:      refusesTLS("show a certificate whose issuer has expired", HandshakeExpired),
	fakealb.FaultTLSNoSNI:            {verb: "show a certificate of another name to clients without SNI", partly: true, overTLS: true, ends: true, look: lookNoSNI},
	fakealb.FaultError:               {verb: "answer with an error", look: lookError},
	fakealb.FaultLinger:              {verb: "answer as a load balancer without targets", look: lookLinger},
	fakealb.FaultStranger:            {verb: "belong to another tenant", ends: true, look: lookStranger},
	fakealb.FaultCloseRequest:        {verb: "close instead of answering", look: lookEnded(Closed)},
	fakealb.FaultResetRequest:        {verb: "reset instead of answering", look: lookEnded(Reset)},
	fakealb.FaultTruncateBody:        {verb: "close in the middle of an answer", look: lookEnded(Closed, Garbled)},
	fakealb.FaultResetBody:           {verb: "reset in the middle of an answer", look: lookEnded(Reset)},
	fakealb.FaultKeepAliveRace:       {verb: "close a kept connection as its next request comes", partly: true, hold: true, look: lookKeepAliveRace},
	fakealb.FaultTargetKeepAliveRace: {verb: "see too late that targets close kept connections", partly: true, look: lookStatus},
	fakealb.FaultSlowAccept:          {verb: "accept late", serves: true, look: lookLate},
	fakealb.FaultSlowResponse:        {verb: "answer late", serves: true, look: lookLate},
	fakealb.FaultSlowBody:            {verb: "take long for an answer", serves: true, look: lookLate},
}

// Strikes lists the faults of nodes that a step can be.
func Strikes() []fakealb.FaultKind { return slices.Sorted(maps.Keys(strikes)) }

// Name implements Fault.
func (s StrikeNodes) Name() string { return sentence(s.Nodes, strikes[s.Kind].verb) }

// Check implements Checker.
func (s StrikeNodes) Check() error {
	if _, ok := strikes[s.Kind]; !ok {
		return fmt.Errorf("got the kind %q, want one of %v", s.Kind, Strikes())
	}
	if err := s.setting().Check(); err != nil {
		return err
	}
	return s.Nodes.Check()
}

func (s StrikeNodes) setting() fakealb.FaultSetting {
	return fakealb.FaultSetting{Kind: s.Kind, Status: s.Status, Delay: s.Delay, Share: s.Share, Ends: strikes[s.Kind].ends}
}

// OverTLS implements OverTLS.
func (s StrikeNodes) OverTLS() bool { return strikes[s.Kind].overTLS }

// Picks implements Picker.
func (s StrikeNodes) Picks() world.Pick { return s.Nodes }

// Effects implements Fault.
func (s StrikeNodes) Effects(state world.State) []world.Effect {
	kind := strikes[s.Kind]
	partly := !kind.serves && (kind.partly || s.Share > 0 && s.Share < 1)
	return effectsOf(s.Nodes.Of(state), world.Effect{Serves: world.Truth(kind.serves), Partly: partly, How: string(s.Kind)})
}

// Prepare implements Preparer: it opens the connections on which Prove asks, which
// see what a proxy's pooled connection will see.
func (s StrikeNodes) Prepare(ctx context.Context, w *Live) error {
	if !strikes[s.Kind].hold {
		return nil
	}
	for _, node := range w.used(s.Nodes.Of(w.State)) {
		if how := fakealb.FaultKind(node.How); how == fakealb.FaultRefuseNew || how == fakealb.FaultSilenceNew || closed(node) {
			continue // it takes no new connection; and unless that strike ended all, it has held one
		}
		if err := w.Probe.Hold(ctx, netip.AddrPortFrom(node.Addr, w.Port)); err != nil {
			return fmt.Errorf("opening a connection to %s, to see it end: %w", node.Addr, err)
		}
	}
	return nil
}

// closed says whether a node that was struck before takes no connection and has none that would
// show what comes next.
func closed(node world.NodeState) bool {
	how := fakealb.FaultKind(node.How)
	return how == fakealb.FaultRefuse || how == fakealb.FaultSilence
}

// Apply implements Fault.
func (s StrikeNodes) Apply(ctx context.Context, w *Live) (time.Time, error) {
	nodes := addrs(s.Nodes.Of(w.State))
	if len(nodes) == 0 {
		return time.Now(), nil // Prove says that there was none
	}
	applied, err := w.ALB.PutFaults(ctx, fakealb.FaultRequest{Nodes: nodes, FaultSetting: s.setting()})
	return applied.InForceAt, err
}

// Prove implements Fault.
func (s StrikeNodes) Prove(ctx context.Context, w *Live) []Proof {
	return proveEach(w.used(s.Nodes.Of(w.State)), func(node world.NodeState) Proof {
		look := strikes[s.Kind].look
		if strikes[s.Kind].hold && closed(node) {
			look = lookWithoutOpen
		}
		return prove(look(ctx, s, w, netip.AddrPortFrom(node.Addr, w.Port)))
	})
}
