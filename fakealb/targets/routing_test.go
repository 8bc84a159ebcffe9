package targets

import (
	"net/http"
	"testing"
	"testing/synctest"
	"time"
)

// withIll are targets a, b, c and so on, of which the last n are ill.
func withIll(all, n int) []Target {
	var names []string
	for i := range all {
		names = append(names, string(rune('a'+i)))
	}
	out := builtIns(names...)
	for i := range n {
		out[all-1-i] = ill(out[all-1-i])
	}
	return out
}

func TestFailOpen(t *testing.T) {
	for _, c := range []struct {
		name, fact        string
		all, ill          int
		count, percentage Threshold
		open              bool
	}{
		{"all unhealthy", "3.3.1", 3, 3, 0, 0, true},
		{"one healthy is enough by default", "3.3.1", 3, 2, 0, 0, false},
		{"count not met", "3.3.2", 4, 2, 3, 0, true},
		{"count met", "3.3.2", 4, 1, 3, 0, false},
		{"percentage not met", "3.3.2", 4, 3, 0, 50, true},
		{"percentage met", "3.3.2", 4, 2, 0, 50, false},
		{"either is enough", "3.3.2", 4, 2, 1, 75, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Attr("aws-fact", c.fact)
			g := Group{Targets: withIll(c.all, c.ill), Attributes: Attributes{
				UnhealthyRoutingCount: c.count, UnhealthyRoutingPercentage: c.percentage, DNSFailoverCount: Off,
			}}
			bubble(t, g, func(t *testing.T, p *Pool, _ Group) {
				if r := open(t, p, ""); r.FailedOpen != c.open || p.Status().Routing == c.open {
					t.Errorf("got %+v, %+v, want failed open %t", r, p.Status(), c.open)
				}
				want := c.all - c.ill
				if c.open {
					want = c.all
				}
				if got := shares(t, p, 12); len(got) != want {
					t.Errorf("got %v, want %d targets", got, want)
				}
			})
		})
	}
}

// Fail-open is for unhealthy targets, not for draining ones.
func TestNoFailOpenToDrainingTargets(t *testing.T) {
	t.Attr("aws-fact", "3.3.4")
	bubble(t, Group{Targets: builtIns("a")}, func(t *testing.T, p *Pool, g Group) {
		g.Targets = nil
		p.Update(g, Node{Idle: time.Minute})
		wantView(t, p, "a=draining(Target.DeregistrationInProgress)")
		if r := open(t, p, ""); r.Status != http.StatusServiceUnavailable || r.Target != "" {
			t.Errorf("got %+v, want 503", r)
		}
	})
}

func TestUnhealthyTargetIsShownAndAvoided(t *testing.T) {
	t.Attr("aws-fact", "3.3.3")
	g := Group{Targets: builtIns("a", "b"), Health: HealthCheck{IntervalSeconds: 5}}
	bubble(t, g, func(t *testing.T, p *Pool, g Group) {
		// The flaps of an outage: 2, 1, 0 healthy, and then traffic comes back.
		for i, want := range []struct {
			view string
			open bool
		}{
			{"a=healthy b=unhealthy(Target.ResponseCodeMismatch)", false},
			{"a=unhealthy(Target.ResponseCodeMismatch) b=unhealthy(Target.ResponseCodeMismatch)", true},
		} {
			g.Targets[1-i] = ill(g.Targets[1-i])
			p.Update(checked(t, g), Node{Idle: time.Minute})
			time.Sleep(11 * time.Second)
			wantView(t, p, want.view)
			if r := open(t, p, ""); r.FailedOpen != want.open {
				t.Errorf("got %+v, want failed open %t", r, want.open)
			}
		}
	})
}

func TestCrossZone(t *testing.T) {
	t.Attr("aws-fact", "3.4.9")
	zoned := builtIns("a1", "a2", "b1")
	zoned[0].Zone, zoned[1].Zone, zoned[2].Zone = "a", "a", "b"
	for _, c := range []struct {
		setting, zone string
		want          map[string]int
	}{
		{"", "a", map[string]int{"a1": 4, "a2": 4, "b1": 4}},
		{"true", "b", map[string]int{"a1": 4, "a2": 4, "b1": 4}},
		{"false", "a", map[string]int{"a1": 6, "a2": 6}},
		{"false", "b", map[string]int{"b1": 12}},
		{"false", "c", map[string]int{"": 12}}, // 503
	} {
		g := checked(t, Group{Targets: zoned, Attributes: Attributes{CrossZone: c.setting}})
		synctest.Test(t, func(t *testing.T) {
			p := NewPool(g, Node{Idle: time.Minute, Zone: c.zone}, Env{Scale: 1})
			defer p.Close()
			synctest.Wait()
			wantShares(t, shares(t, p, 12), c.want)
		})
	}
}

// With cross-zone off the thresholds are of the zone (3.3.2 D).
func TestThresholdsOfAZone(t *testing.T) {
	t.Attr("aws-fact", "3.3.2")
	zoned := withIll(4, 1)
	for i := range zoned {
		zoned[i].Zone = map[bool]string{true: "a", false: "b"}[i < 2]
	}
	g := Group{Targets: zoned, Attributes: Attributes{CrossZone: "false", UnhealthyRoutingPercentage: 60, DNSFailoverPercentage: 60}}
	g = checked(t, g)
	synctest.Test(t, func(t *testing.T) {
		for zone, want := range map[string]Status{
			"a": {Registered: 2, Healthy: 2, DNS: true, Routing: true},
			"b": {Registered: 2, Healthy: 1},
		} {
			p := NewPool(g, Node{Idle: time.Minute, Zone: zone}, Env{Scale: 1})
			defer p.Close()
			synctest.Wait()
			if got := p.Status(); got != want {
				t.Errorf("zone %s: got %+v, want %+v", zone, got, want)
			}
		}
	})
}

func TestZonalShiftTakesTheTargetsOfTheZoneOut(t *testing.T) {
	t.Attr("aws-fact", "1.16")
	zoned := builtIns("a1", "b1")
	zoned[0].Zone, zoned[1].Zone = "a", "b"
	bubble(t, Group{Targets: zoned}, func(t *testing.T, p *Pool, g Group) {
		p.Update(g, Node{Idle: time.Minute, ShiftedZone: "a"})
		wantShares(t, shares(t, p, 4), map[string]int{"b1": 4})
		if h := p.Health(); h[0].Override != OverrideZonalShift || h[0].State != Healthy || h[1].Override != OverrideNone {
			t.Errorf("got %+v", h)
		}
		p.Update(g, Node{Idle: time.Minute})
		wantShares(t, shares(t, p, 4), map[string]int{"a1": 2, "b1": 2})
	})
}

func TestPreferredTarget(t *testing.T) {
	t.Attr("aws-fact", "3.4.7")
	bubble(t, Group{Targets: []Target{builtIns("a")[0], ill(builtIns("b")[0]), builtIns("c")[0]}}, func(t *testing.T, p *Pool, _ Group) {
		for range 4 {
			if r := open(t, p, "c"); r.Target != "c" {
				t.Errorf("got %s, want the preferred c", r.Target)
			}
			if r := open(t, p, "b"); r.Target == "b" {
				t.Error("an unhealthy target got a request of its session")
			}
		}
	})
}

func TestUnusedGroupIsNotChecked(t *testing.T) {
	t.Attr("aws-fact", "3.2")
	g := checked(t, Group{Targets: builtIns("a")})
	synctest.Test(t, func(t *testing.T) {
		p := NewPool(g, Node{Unused: true}, Env{Scale: 1})
		defer p.Close()
		wantView(t, p, "a=unused(Target.NotInUse)")
		p.Update(g, Node{})
		wantView(t, p, "a=healthy")
		p.Update(g, Node{Unused: true})
		wantView(t, p, "a=unused(Target.NotInUse)")
	})
}
