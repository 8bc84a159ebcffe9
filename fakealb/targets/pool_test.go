package targets

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// The tests with built-in targets run in bubbles of testing/synctest: their time
// is exact and takes none.

// builtIns are built-in targets of those names.
func builtIns(names ...string) []Target {
	var out []Target
	for _, n := range names {
		out = append(out, Target{BuiltIn: &BuiltIn{Name: n, Kind: KindEcho}})
	}
	return out
}

// ill is t with health checks that fail.
func ill(t Target) Target {
	b := *t.BuiltIn
	b.Unhealthy = true
	t.BuiltIn = &b
	return t
}

func checked(t *testing.T, g Group) Group {
	t.Helper()
	g, field, err := g.Check()
	if err != nil {
		t.Fatalf("%s: %v", field, err)
	}
	return g
}

// bubble runs f with a pool over g whose first checks are done.
func bubble(t *testing.T, g Group, f func(t *testing.T, p *Pool, g Group)) {
	t.Helper()
	g = checked(t, g)
	synctest.Test(t, func(t *testing.T) {
		p := NewPool(g, Node{Idle: time.Minute}, Env{Scale: 1})
		defer p.Close()
		synctest.Wait()
		f(t, p, g)
	})
}

// open sends a request and returns its result.
func open(t *testing.T, p *Pool, preferred string) Result {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
	if err != nil {
		t.Fatal(err)
	}
	r, err := p.Forward(req, preferred)
	if err != nil && r.Status == 0 {
		t.Fatalf("got %+v, %v", r, err)
	}
	return r
}

// shares sends n requests one after the other and counts who got them.
func shares(t *testing.T, p *Pool, n int) map[string]int {
	t.Helper()
	got := map[string]int{}
	for range n {
		r := open(t, p, "")
		if r.Response != nil {
			_, _ = io.Copy(io.Discard, r.Response.Body)
			_ = r.Response.Body.Close()
		}
		got[r.Target]++
	}
	return got
}

// view is the health of the pool as "id=state" or "id=state(reason)".
func view(p *Pool) string {
	var out []string
	for _, h := range p.Health() {
		s := h.Target + "=" + string(h.State)
		if h.Reason != "" {
			s += "(" + h.Reason + ")"
		}
		out = append(out, s)
	}
	return strings.Join(out, " ")
}

func wantView(t *testing.T, p *Pool, want string) {
	t.Helper()
	synctest.Wait()
	if got := view(p); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func wantShares(t *testing.T, got map[string]int, want map[string]int) {
	t.Helper()
	if len(got) != len(want) {
		t.Errorf("got %v, want %v", got, want)
		return
	}
	for id, n := range want {
		if got[id] != n {
			t.Errorf("got %v, want %v", got, want)
			return
		}
	}
}

// A request that began while the load balancer had the group is answered by it,
// even if the group is gone before the request gets to its target.
func TestAClosedPoolServesTheRequestsThatHaveBegun(t *testing.T) {
	p := NewPool(checked(t, Group{Targets: []Target{{BuiltIn: &BuiltIn{Kind: KindStatus, Status: http.StatusAccepted}}}}), Node{Idle: time.Minute}, Env{Scale: 1})
	p.Close()
	r := open(t, p, "")
	if r.Response == nil || r.Response.StatusCode != http.StatusAccepted {
		t.Fatalf("got %+v, want the answer of the target", r)
	}
	_ = r.Response.Body.Close()
}
