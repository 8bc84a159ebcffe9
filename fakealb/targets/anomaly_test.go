package targets

import (
	"testing"
	"testing/synctest"
	"time"
)

// flaky are three targets, the last of which fails every second request.
func flaky(algorithm, mitigation string) Group {
	g := Group{Targets: builtIns("a", "b", "c"), Attributes: Attributes{Algorithm: algorithm, AnomalyMitigation: mitigation}}
	g.Targets[2].BuiltIn = &BuiltIn{Name: "c", Kind: KindFlaky}
	return g
}

func TestAnomalyDetection(t *testing.T) {
	t.Attr("aws-fact", "3.4.4")
	bubble(t, flaky(RoundRobin, ""), func(t *testing.T, p *Pool, g Group) {
		shares(t, p, 60)
		if h := p.Health()[2]; h.Anomaly != AnomalyNormal {
			t.Errorf("within the window: got %+v", h)
		}
		time.Sleep(5 * time.Second)
		h := p.Health()
		if h[2].Anomaly != AnomalyAnomalous || h[2].State != Healthy || h[2].Mitigation || h[0].Anomaly != AnomalyNormal {
			t.Errorf("got %+v, want c anomalous, healthy and not mitigated", h)
		}
		wantShares(t, shares(t, p, 30), map[string]int{"a": 10, "b": 10, "c": 10})
		// With two healthy targets there is none.
		g.Targets[0] = ill(g.Targets[0])
		g.Health.IntervalSeconds = 5
		p.Update(checked(t, g), Node{Idle: time.Minute})
		time.Sleep(11 * time.Second)
		synctest.Wait()
		shares(t, p, 60)
		time.Sleep(5 * time.Second)
		if h := p.Health()[2]; h.Anomaly != AnomalyNormal {
			t.Errorf("with two healthy targets: got %+v", h)
		}
	})
}

func TestAnomalyMitigation(t *testing.T) {
	t.Attr("aws-fact", "3.4.4")
	bubble(t, flaky(WeightedRandom, "on"), func(t *testing.T, p *Pool, g Group) {
		before := shares(t, p, 300)["c"]
		time.Sleep(5 * time.Second)
		if h := p.Health()[2]; h.Anomaly != AnomalyAnomalous || !h.Mitigation {
			t.Errorf("got %+v", h)
		}
		during := shares(t, p, 300)["c"]
		if during == 0 || during > before/4 {
			t.Errorf("c got %d of 300 before and %d during the mitigation", before, during)
		}
		g.Targets[2].BuiltIn = &BuiltIn{Name: "c", Kind: KindEcho}
		p.Update(checked(t, g), Node{Idle: time.Minute})
		rising := during
		for range 6 { // each window gives it more, up to a full share
			time.Sleep(5 * time.Second)
			rising = shares(t, p, 300)["c"]
		}
		if h := p.Health()[2]; h.Anomaly != AnomalyNormal || h.Mitigation || rising < 70 {
			t.Errorf("after its recovery c got %d of 300: %+v", rising, h)
		}
	})
}

func TestMitigationOnlyWithWeightedRandom(t *testing.T) {
	t.Attr("aws-fact", "3.4.4")
	_, field, err := Group{Attributes: Attributes{AnomalyMitigation: "on"}}.Check()
	if err == nil || field != "attributes.load_balancing.algorithm.anomaly_mitigation" {
		t.Errorf("got field %q, %v", field, err)
	}
	if a := checked(t, Group{}).Attributes; a.Algorithm != RoundRobin || a.AnomalyMitigation != "off" {
		t.Errorf("got the defaults %+v", a)
	}
}
