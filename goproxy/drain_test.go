package goproxy

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// instance is one proxy of a row in which each is drained when the next one has
// taken over.
type instance struct {
	*Proxy
	stop    context.CancelFunc // as SIGTERM does
	ran     chan error
	dialing atomic.Int64 // clients that connect to it at the moment
}

func startInstance(t *testing.T, port int) *instance {
	t.Helper()
	cfg, err := Parse("instance.yaml", fmt.Appendf(nil, "routes: [{upstream: a}]\nupstreams: {a: {url: 'http://127.94.1.10:%d', %s}}\n", port, patient))
	if err != nil {
		t.Fatal(err)
	}
	p, err := New(cfg, Options{Listen: "127.0.0.1:0", AccessLog: io.Discard, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	t.Cleanup(stop)
	i := &instance{Proxy: p, stop: stop, ran: make(chan error, 1)}
	go func() { i.ran <- p.Run(ctx) }()
	return i
}

// 100,000 requests, a tenth of them POSTs, on connections that are kept, while
// one proxy after the other is drained: new connections go to its successor
// first, as a load balancer sees to. No request is lost, no connection is
// reset, and every client is told to leave in a response.
func TestDrainUnderLoadLosesNothing(t *testing.T) {
	backends, port := startBackends(t, 1)
	backends[0].handle(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "00") {
			time.Sleep(50 * time.Millisecond) // some requests run at any time
		}
		io.WriteString(w, r.URL.Path)
	})
	var present atomic.Pointer[instance]
	present.Store(startInstance(t, port))
	n := fleetSize()
	f := startFleet(t, n, func(c *fleetClient, number int64) error {
		to := present.Load()
		for to.dialing.Add(1); to != present.Load(); to.dialing.Add(1) {
			to.dialing.Add(-1)
			to = present.Load()
		}
		err := c.dial(to.Addr().String(), nil)
		to.dialing.Add(-1)
		if err != nil {
			return err
		}
		path := fmt.Sprint("/", number)
		resp, err := c.roundTrip(number, path)
		if err == nil && resp.body != path {
			err = errors.New("the answer to another request")
		}
		return err
	})
	drains := 0
	for f.running(n / 20) {
		old := present.Swap(startInstance(t, port))
		eventually(t, time.Minute, "no client connects to the old one", func() bool { return old.dialing.Load() == 0 })
		old.stop()
		if err := <-old.ran; err != nil {
			t.Errorf("drain %d: %v", drains, err)
		}
		drains++
	}
	f.requireNoFailure(n)
	last := present.Load()
	last.stop()
	if err := <-last.ran; err != nil {
		t.Error(err)
	}
	t.Logf("%d drains", drains)
	if drains < 3 {
		t.Errorf("%d drains while the load ran, want several", drains)
	}
}

// 100,000 requests while members are drained, disabled and enabled over the
// admin API, one after the other and never all: none is lost, and a member that
// takes none gets none.
func TestMembersChangeUnderLoad(t *testing.T) {
	backends, p := startMembers(t, 3, func(u *Upstream) {
		u.Retries = Retries{HedgeAfter: Off}
		u.Timeouts = Timeouts{Connect: Duration(time.Minute)}
	})
	api := p.adminHandler()
	put := func(member int, state string) {
		t.Helper()
		w := httptest.NewRecorder()
		body := strings.NewReader(fmt.Sprintf(`{"state": %q}`, state))
		req := httptest.NewRequest(http.MethodPut, fmt.Sprint("http://127.0.0.1/api/members/app/r", member), body)
		req.Header.Set("Content-Type", "application/json")
		if api.ServeHTTP(w, req); w.Code != http.StatusOK {
			t.Fatalf("%d %s", w.Code, w.Body)
		}
	}
	n := fleetSize()
	f := startFleet(t, n, func(c *fleetClient, number int64) error {
		if err := c.dial(p.Addr().String(), nil); err != nil {
			return err
		}
		_, err := c.roundTrip(number, "/")
		return err
	})
	changes := 0
	for f.running(n / 200) {
		member := changes % len(backends)
		put(member, []string{"drain", "disabled"}[changes%2])
		at := p.table.Load().upstreams["app"].members[member].endpoints[0]
		eventually(t, time.Minute, "the member's last request is over", func() bool { return at.outstanding.Load() == 0 })
		quiet := f.ended.Load()
		since := time.Now()
		if !f.running(10 * fleetClients) {
			break
		}
		// Each client may have had one that had chosen the member before.
		if got := backends[member].requestsAfter(since); got > fleetClients {
			t.Errorf("change %d: the member got %d of %d requests", changes, got, f.ended.Load()-quiet)
		}
		put(member, "enabled")
		changes++
	}
	f.requireNoFailure(n)
	requireFirstTries(t, p)
	t.Logf("%d changes", changes)
	if changes < 20 {
		t.Errorf("%d changes while the load ran, want many", changes)
	}
}
