package fakealb_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/proxychaos/proxychaos/fakealb"
)

const switches = 1000

// Issue 3: faults and load balancers switched 1,000 times under load, and no
// response is ever a mixture of two states.
func TestNoResponseIsAMixtureOfTwoStates(t *testing.T) {
	f := start(t, nil, "127.0.70.20", "127.0.70.21")
	if _, err := f.PutLoadBalancer(f.ctx, fakealb.LoadBalancer{Name: "green", Targets: 1}); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	var load sync.WaitGroup
	whole := make([]int, 4)
	for i := range whole {
		load.Go(func() { whole[i] = sendUntil(t, ctx, f.at(i%2)) })
	}
	faults := []fakealb.FaultKind{
		fakealb.FaultSilence, fakealb.FaultNone, fakealb.FaultRefuse, fakealb.FaultLinger, fakealb.FaultSilenceNew,
		fakealb.FaultNone, fakealb.FaultStranger, fakealb.FaultTruncateBody, fakealb.FaultNone,
	}
	for i := range switches {
		f.set(t, faults[i%len(faults)], f.nodes...)
		if i%5 != 0 {
			continue
		}
		name := []string{"blue", "green"}[i%2]
		if _, err := f.PutNode(f.ctx, fakealb.Node{Addr: f.nodes[i%2], LoadBalancer: name}); err != nil {
			t.Fatal(err)
		}
		if _, err := f.PutLoadBalancer(f.ctx, fakealb.LoadBalancer{Name: name, Targets: i % 3}); err != nil {
			t.Fatal(err)
		}
	}
	stop()
	load.Wait()
	for i, n := range whole {
		if n < 20 {
			t.Errorf("client %d got only %d whole responses: the load was no load", i, n)
		}
	}
}

// sendUntil sends requests until ctx ends and checks every response that comes
// whole. It returns how many did.
func sendUntil(t *testing.T, ctx context.Context, addr string) (whole int) {
	hc := &http.Client{Timeout: 20 * time.Millisecond, Transport: &http.Transport{
		DialContext: (&net.Dialer{Timeout: 10 * time.Millisecond}).DialContext,
	}}
	defer hc.CloseIdleConnections()
	pace := time.NewTicker(2 * time.Millisecond) // or refusals make it a busy loop
	defer pace.Stop()
	for n := 0; ctx.Err() == nil; n++ {
		<-pace.C
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+addr+"/", nil)
		if err != nil {
			t.Error(err)
			return whole
		}
		req.Header.Set(fakealb.HeaderSeq, fmt.Sprint(n))
		resp, err := hc.Do(req)
		if err != nil {
			continue
		}
		body, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil {
			continue
		}
		whole++
		if wrong := mixture(resp, string(body), fmt.Sprint(n), addr); wrong != "" {
			t.Errorf("%s: %s %v %q", wrong, resp.Status, resp.Header, body)
			return whole
		}
	}
	return whole
}

var targetBody = regexp.MustCompile(`^fakealb lb=(\w+) node=([0-9.]+) target=t\d received=0 seq=(\d+)\n$`)

// mixture says what of a response does not fit the rest of it.
func mixture(resp *http.Response, body, seq, addr string) string {
	switch server := resp.Header.Get("Server"); server {
	case "awselb/2.0":
		if resp.StatusCode != 503 || !strings.Contains(body, "503 Service") || resp.Header.Get(fakealb.HeaderNode) != "" {
			return "not a whole 503"
		}
	case "nginx":
		if resp.StatusCode != 200 || !strings.Contains(body, "another tenant") || resp.Header.Get(fakealb.HeaderLoadBalancer) != "" {
			return "not wholly a stranger's"
		}
	case "fakealb-target":
		m := targetBody.FindStringSubmatch(body)
		if resp.StatusCode != 200 || m == nil || m[1] != resp.Header.Get(fakealb.HeaderLoadBalancer) ||
			m[2] != resp.Header.Get(fakealb.HeaderNode) || !strings.HasPrefix(addr, m[2]+":") || m[3] != seq {
			return "not wholly a target's"
		}
	default:
		return "from an unknown server"
	}
	return ""
}
