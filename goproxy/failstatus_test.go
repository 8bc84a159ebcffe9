package goproxy

import (
	"net/http"
	"testing"
	"time"
)

// leftOutNow counts the addresses that are left out.
func leftOutNow(p *testProxy) (n int) {
	for _, e := range p.Endpoints() {
		if e.State == "ejected" {
			n++
		}
	}
	return n
}

// A request that every address answers with a status of failonstatus leaves none out: one
// client would move the sessions of all others with it, and bring the spare into use.
func TestRequestThatFailsEverywhereLeavesNoAddressOut(t *testing.T) {
	backends, p := startMembers(t, 3, func(u *Upstream) {
		u.FailOnStatus, u.StickySession, u.Members[2].Backup = []int{500}, "S", true
	})
	for _, b := range backends {
		b.handle(func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("X-Bad") != "" {
				w.WriteHeader(http.StatusInternalServerError)
			}
			w.Write([]byte(b.addr.String()))
		})
	}
	servedBy(t, p, backends[0], [2]string{"/", "Cookie: S=known.r0\r\n"})
	since := time.Now()
	for range 10 {
		if status, _ := send(t, p, http.MethodGet, "", "X-Bad", "1"); status != http.StatusInternalServerError {
			t.Fatalf("status %d, want the upstream's 500", status)
		}
		if n := leftOutNow(p); n > 0 {
			t.Fatalf("%d addresses are left out", n)
		}
	}
	servedBy(t, p, backends[0], [2]string{"/", "Cookie: S=known.r0\r\n"})
	if n := backends[2].requestsAfter(since); n > 0 {
		t.Errorf("the spare got %d requests", n)
	}
}

// An address that fails alone is left out, by requests that are repeated and by those
// that are not.
func TestAddressThatFailsAloneIsLeftOut(t *testing.T) {
	for _, method := range []string{http.MethodGet, http.MethodPost} {
		backends, p := startMembers(t, 2, func(u *Upstream) { u.FailOnStatus, u.Balance = []int{503}, byRequests })
		backends[0].handle(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) })
		for range 2 {
			send(t, p, method, "x")
		}
		if n := leftOutNow(p); n != 1 {
			t.Errorf("%s: %d addresses are left out, want the one that fails", method, n)
		}
		if n := backends[0].requestsAfter(time.Time{}); n != 1 {
			t.Errorf("%s: the address that fails got %d requests, want 1", method, n)
		}
	}
}
