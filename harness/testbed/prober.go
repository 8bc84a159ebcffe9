package testbed

import (
	"context"
	"fmt"
	"net/netip"
	"time"

	"github.com/proxychaos/proxychaos/harness/fault"
	"github.com/proxychaos/proxychaos/harness/pod"
)

// Prober looks at the world from the pod's network namespace, which is the
// proxy's own. It implements fault.Prober.
type Prober struct{ Pod *pod.Client }

// Lookup implements fault.Prober.
func (p Prober) Lookup(ctx context.Context, resolver netip.AddrPort, name, qtype string) ([]netip.Addr, error) {
	got, err := p.Pod.ProbeDNS(ctx, pod.DNSRequest{Resolver: resolver, Name: name, Type: qtype})
	if err != nil {
		return nil, err
	}
	if got.Result != fault.Answered || got.RCode != "NOERROR" {
		return nil, fmt.Errorf("got %s %s, want an answer", got.Result, got.RCode)
	}
	return got.Answers, nil
}

// Connect implements fault.Prober.
func (p Prober) Connect(ctx context.Context, to netip.AddrPort, timeout time.Duration) (fault.Result, error) {
	got, err := p.Pod.ProbeConnect(ctx, pod.ConnectRequest{Addr: to, Timeout: pod.Duration(timeout)})
	return got.Result, err
}

// Hold implements fault.Prober.
func (p Prober) Hold(ctx context.Context, to netip.AddrPort) error {
	_, err := p.Pod.OpenCanary(ctx, to.Addr().String(), pod.CanaryRequest{Addr: to})
	return err
}

// Ask implements fault.Prober.
func (p Prober) Ask(ctx context.Context, to netip.AddrPort, timeout time.Duration) (fault.Result, error) {
	got, err := p.Pod.AskCanary(ctx, to.Addr().String(), pod.AskRequest{Timeout: pod.Duration(timeout)})
	return got.Result, err
}

// Get implements fault.Prober.
func (p Prober) Get(ctx context.Context, to netip.AddrPort, timeout time.Duration) (fault.Answer, error) {
	got, err := p.Pod.ProbeHTTP(ctx, pod.HTTPRequest{Addr: to, Timeout: pod.Duration(timeout)})
	return fault.Answer{Result: got.Result, Status: got.Status, Server: got.Server, Took: time.Duration(got.Took)}, err
}

// Handshake implements fault.Prober.
func (p Prober) Handshake(ctx context.Context, to netip.AddrPort, name string, ca []byte, timeout time.Duration) (fault.Handshake, error) {
	got, err := p.Pod.ProbeTLS(ctx, pod.TLSRequest{Addr: to, ServerName: name, CA: string(ca), Timeout: pod.Duration(timeout)})
	if err == nil && got.Result != fault.Connected {
		err = fmt.Errorf("got %s, want a connection", got.Result)
	}
	return got.Handshake, err
}
