package goproxy

import (
	"fmt"
	"math"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// members is an upstream whose members have the addresses 127.0.0.1:1 and up.
func members(t *testing.T, n int, change func(*Upstream)) *upstream {
	t.Helper()
	var cfg Upstream
	for i := range n {
		cfg.Members = append(cfg.Members, Member{URL: fmt.Sprintf("http://127.0.0.1:%d", i+1)})
	}
	if change != nil {
		change(&cfg)
	}
	u, err := newUpstream("u", cfg, nil, discardLog)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func (u *upstream) at(port uint16) *endpoint {
	for _, e := range u.set.Load().endpoints {
		if e.addr.Port() == port {
			return e
		}
	}
	return nil
}

func TestByBusyness(t *testing.T) {
	u := members(t, 3, func(u *Upstream) { u.Balance = byBusyness; u.Members[2].LoadFactor = 2 })
	for range 40 {
		u.pick(wish{}).acquire()
	}
	for port, want := range map[uint16]int64{1: 10, 2: 10, 3: 20} {
		if got := u.at(port).outstanding.Load(); got != want {
			t.Errorf("member %d has %d of 40 requests, want %d", port, got, want)
		}
	}
	for range 5 {
		u.at(2).release()
	}
	for range 5 {
		if e := u.pick(wish{}); e != u.at(2) {
			t.Fatalf("%v was picked, want the least busy", e.addr)
		} else {
			e.acquire()
		}
	}
}

func TestByTraffic(t *testing.T) {
	u := members(t, 2, func(u *Upstream) { u.Balance = byTraffic; u.Members[1].LoadFactor = 3 })
	got := map[uint16]int{}
	for i := range 400 {
		e := u.pick(wish{})
		got[e.addr.Port()]++
		e.carried(int64(1000 + i%7))
	}
	if got[2] < 295 || got[2] > 305 {
		t.Errorf("the member with three quarters of the load factors got %d of 400 requests of about one size", got[2])
	}
	// An address that comes later does not have to catch up.
	u.members[0].replace([]netip.Addr{netip.MustParseAddr("127.0.0.1"), netip.MustParseAddr("127.0.0.9")})
	late := 0
	for range 100 {
		e := u.pick(wish{})
		if e.addr.Addr() == netip.MustParseAddr("127.0.0.9") {
			late++
		}
		e.carried(1000)
	}
	if late < 10 || late > 15 {
		t.Errorf("an address that came late, with an eighth of the weight, got %d of 100 requests", late)
	}
}

func TestTrafficSaturates(t *testing.T) {
	u := members(t, 2, func(u *Upstream) { u.Balance = byTraffic; u.Members[1].LoadFactor = 100 })
	for _, bytes := range []int64{math.MaxInt64 / shareUnit, math.MaxInt64/shareUnit + 1, math.MaxInt64 - 1, math.MaxInt64, math.MaxInt64} {
		for _, port := range []uint16{1, 2} {
			before := u.at(port).traffic.Load()
			u.at(port).carried(bytes)
			if after := u.at(port).traffic.Load(); after < before {
				t.Errorf("%d bytes at member %d: %d became %d", bytes, port, before, after)
			}
		}
	}
	if got := u.at(1).traffic.Load(); got != math.MaxInt64 {
		t.Errorf("got %d", got)
	}
}

func TestTrafficIsCounted(t *testing.T) {
	backends, p := startMembers(t, 2, func(u *Upstream) { u.Balance = byTraffic })
	size := map[string]int{backends[0].addr.String(): 100, backends[1].addr.String(): 300}
	for _, b := range backends {
		b.handle(func(w http.ResponseWriter, _ *http.Request) {
			fmt.Fprint(w, strings.Repeat("x", size[b.addr.String()]))
		})
	}
	counted := func() (sum int64) {
		for _, e := range p.table.Load().upstreams["app"].set.Load().endpoints {
			sum += e.traffic.Load()
		}
		return sum
	}
	for range 40 {
		before := counted()
		send(t, p, http.MethodGet, "")
		eventually(t, 10*time.Second, "the response is counted", func() bool { return counted() != before })
	}
	if n := backends[0].requestsAfter(time.Time{}); n < 29 || n > 31 {
		t.Errorf("the member with the small responses got %d of 40 requests, want 30", n)
	}
}

func TestSpares(t *testing.T) {
	u := members(t, 3, func(u *Upstream) { u.Members[2].Backup = true })
	for range 50 {
		if e := u.pick(wish{anyway: true}); e == u.at(3) {
			t.Fatal("the spare was picked though others are healthy")
		}
	}
	// A request that has tried every other one does not go to the spare.
	tried := []*attempt{{endpoint: u.at(1)}, {endpoint: u.at(2)}}
	if e := u.pick(wish{tried: tried}); e != nil {
		t.Errorf("%v was picked for a hedge", e.addr)
	}
	u.at(1).eject(time.Now())
	u.at(2).disabled.Store(true)
	for range 50 {
		if e := u.pick(wish{anyway: true}); e != u.at(3) {
			t.Fatalf("%v was picked, want the spare", e.addr)
		}
	}
	u.at(1).alive()
	if e := u.pick(wish{}); e != u.at(1) {
		t.Errorf("%v was picked, want the member that came back", e.addr)
	}
}

func TestSparesTakeOver(t *testing.T) {
	backends, p := startMembers(t, 2, func(u *Upstream) { u.Members[1].Backup = true })
	send(t, p, http.MethodGet, "")
	if n := backends[1].requestsAfter(time.Time{}); n != 0 {
		t.Fatalf("the spare got %d requests", n)
	}
	backends[0].refuse()
	for range 10 {
		if status, body := send(t, p, http.MethodPost, ""); status != http.StatusOK || !strings.Contains(body, backends[1].addr.String()) {
			t.Fatalf("status %d, %q: want the spare", status, body)
		}
	}
}

func TestSlowStart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := members(t, 2, func(u *Upstream) {
			u.Balance = byRequests
			u.SlowStart = Duration(100 * time.Second)
		})
		share := func() (late int) {
			for range 1000 {
				if u.pick(wish{}) == u.at(2) {
					late++
				}
			}
			return late
		}
		time.Sleep(100 * time.Second)
		if n := share(); n != 500 {
			t.Errorf("%d of 1000 after the slow start of both, want half", n)
		}
		u.at(2).eject(time.Now())
		u.at(2).alive()
		if n := share(); n > 1 {
			t.Errorf("%d of 1000 at the moment in which it came back", n)
		}
		time.Sleep(50 * time.Second)
		if n := share(); n < 330 || n > 336 {
			t.Errorf("%d of 1000 with half of its weight, want a third", n)
		}
		time.Sleep(50 * time.Second)
		if n := share(); n < 499 || n > 501 {
			t.Errorf("%d of 1000 after the slow start, want half", n)
		}
	})
}

func TestHashIsConsistent(t *testing.T) {
	u := members(t, 5, func(u *Upstream) { u.Balance = byHash; u.HashKey = "%{path}"; u.Members[4].LoadFactor = 4 })
	before, count := map[uint64]*endpoint{}, map[*endpoint]int{}
	for i := range uint64(8000) {
		hash := hashOf(fmt.Sprint("/", i))
		before[hash] = u.pick(wish{hash: hash})
		count[before[hash]]++
	}
	for port := uint16(1); port <= 4; port++ {
		if n := count[u.at(port)]; n < 850 || n > 1150 {
			t.Errorf("member %d has %d of 8000 keys, want about 1000", port, n)
		}
	}
	gone := u.at(2)
	gone.eject(time.Now())
	for hash, e := range before {
		now := u.pick(wish{hash: hash})
		if (now != e) != (e == gone) {
			t.Fatalf("a key of %v moved to %v when %v went away", e.addr, now.addr, gone.addr)
		}
	}
	gone.alive()
	for hash, e := range before {
		if u.pick(wish{hash: hash}) != e {
			t.Fatal("a key did not come back to its address")
		}
	}
	// Another release must agree.
	if got := hashOf("a"); got != 0x2c0bdbf481420f8 {
		t.Errorf("hash of a is %#x", got)
	}
}

func TestHashKey(t *testing.T) {
	backends, p := startMembers(t, 4, func(u *Upstream) { u.Balance = byHash; u.HashKey = "%{cookie:ID}" })
	served := map[string]string{}
	for i := range 180 {
		id := fmt.Sprint(i % 60)
		_, body := send(t, p, http.MethodGet, "", "Cookie", "x=1; ID="+id)
		if was := served[id]; was != "" && was != body {
			t.Fatalf("%s was served by %s and by %s", id, was, body)
		}
		served[id] = body
	}
	for _, b := range backends {
		if b.requestsAfter(time.Time{}) == 0 {
			t.Errorf("%v got none of 60 keys", b.addr)
		}
	}
	// Without the cookie there is no key to follow.
	seen := map[string]bool{}
	for range 60 {
		_, body := send(t, p, http.MethodGet, "")
		seen[body] = true
	}
	if len(seen) < 3 {
		t.Errorf("60 requests without a key went to %d members", len(seen))
	}
}
