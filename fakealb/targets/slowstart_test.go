package targets

import (
	"testing"
	"testing/synctest"
	"time"
)

func TestSlowStartIsALinearRamp(t *testing.T) {
	t.Attr("aws-fact", "3.4.3")
	g := Group{Targets: builtIns("a", "b"), Attributes: Attributes{SlowStartSeconds: 100}}
	bubble(t, g, func(t *testing.T, p *Pool, g Group) {
		// The first batch of an empty group does not ramp.
		wantShares(t, shares(t, p, 20), map[string]int{"a": 10, "b": 10})
		g.Targets = builtIns("a", "b", "new")
		p.Update(checked(t, g), Node{Idle: time.Minute})
		synctest.Wait()
		begun := time.Now()
		for _, c := range []struct {
			after time.Duration
			want  map[string]int
		}{
			{0, map[string]int{"a": 100, "b": 100}},
			{50 * time.Second, map[string]int{"a": 100, "b": 100, "new": 50}},
			{80 * time.Second, map[string]int{"a": 100, "b": 100, "new": 80}},
			{100 * time.Second, map[string]int{"a": 100, "b": 100, "new": 100}},
		} {
			time.Sleep(time.Until(begun.Add(c.after)))
			n := 0
			for _, share := range c.want {
				n += share
			}
			for id, got := range shares(t, p, n) {
				if diff := got - c.want[id]; diff < -2 || diff > 2 { // where in the turn it began
					t.Errorf("after %s: %s got %d of %d, want %d", c.after, id, got, n, c.want[id])
				}
			}
		}
	})
}

func TestSlowStartBeginsAgainAfterAnIllness(t *testing.T) {
	t.Attr("aws-fact", "3.4.3")
	g := Group{
		Targets: builtIns("a", "b"), Attributes: Attributes{SlowStartSeconds: 900},
		Health: HealthCheck{IntervalSeconds: 5, HealthyThreshold: 2},
	}
	bubble(t, g, func(t *testing.T, p *Pool, g Group) {
		well := g.Targets[1]
		g.Targets[1] = ill(well)
		p.Update(checked(t, g), Node{Idle: time.Minute})
		time.Sleep(11 * time.Second)
		wantView(t, p, "a=healthy b=unhealthy(Target.ResponseCodeMismatch)")
		g.Targets[1] = well
		p.Update(checked(t, g), Node{Idle: time.Minute})
		time.Sleep(10 * time.Second)
		wantView(t, p, "a=healthy b=healthy")
		if got := shares(t, p, 10); got["a"] != 10 {
			t.Errorf("got %v at the beginning of the slow start of b, want all at a", got)
		}
	})
}

func TestSlowStartOnlyWithRoundRobin(t *testing.T) {
	t.Attr("aws-fact", "3.4.3")
	for _, algorithm := range []string{LeastOutstanding, WeightedRandom} {
		_, field, err := Group{Attributes: Attributes{SlowStartSeconds: 30, Algorithm: algorithm}}.Check()
		if err == nil || field != "attributes.slow_start.duration_seconds" {
			t.Errorf("%s: got field %q, %v", algorithm, field, err)
		}
	}
}
