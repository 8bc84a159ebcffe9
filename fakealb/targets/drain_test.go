package targets

import (
	"net/http"
	"testing"
	"testing/synctest"
	"time"
)

// delayed is a group of two targets that answer after d.
func delayed(d time.Duration, delay int) Group {
	g := Group{Attributes: Attributes{DeregistrationDelaySeconds: &delay}}
	for _, name := range []string{"a", "b"} {
		g.Targets = append(g.Targets, Target{BuiltIn: &BuiltIn{Name: name, Kind: KindDelay, Delay: Duration(d)}})
	}
	return g
}

// background sends a request to the target and returns where its result comes.
func background(t *testing.T, p *Pool, id string) chan Result {
	t.Helper()
	done := make(chan Result, 1)
	go func() { done <- open(t, p, id) }()
	synctest.Wait()
	return done
}

func TestDrainingLetsRequestsFinish(t *testing.T) {
	t.Attr("aws-fact", "3.4.1")
	bubble(t, delayed(20*time.Second, 30), func(t *testing.T, p *Pool, g Group) {
		under := background(t, p, "b")
		g.Targets = g.Targets[:1]
		p.Update(g, Node{Idle: time.Minute})
		wantShares(t, shares(t, p, 1), map[string]int{"a": 1}) // 20 s
		if r := <-under; r.Response == nil {
			t.Errorf("the request under way: got %+v", r)
		}
		// It is shown as draining until the delay ends, though nothing is under way.
		time.Sleep(9 * time.Second)
		wantView(t, p, "a=healthy b=draining(Target.DeregistrationInProgress)")
		time.Sleep(2 * time.Second)
		wantView(t, p, "a=healthy")
	})
}

func TestEndOfTheDeregistrationDelayCuts(t *testing.T) {
	t.Attr("aws-fact", "3.4.1")
	bubble(t, delayed(50*time.Second, 30), func(t *testing.T, p *Pool, g Group) {
		begun := time.Now()
		under := background(t, p, "b")
		g.Targets = g.Targets[:1]
		p.Update(g, Node{Idle: time.Minute})
		r := <-under
		if took := time.Since(begun); r.Status != http.StatusBadGateway || took != 30*time.Second {
			t.Errorf("got %+v after %s, want 502 after 30 s", r, took)
		}
	})
}

func TestDrainingDefaultAndRange(t *testing.T) {
	t.Attr("aws-fact", "3.4.1")
	if got := *checked(t, Group{}).Attributes.DeregistrationDelaySeconds; got != 300 {
		t.Errorf("got the default %d, want 300", got)
	}
	for delay, ok := range map[int]bool{-1: false, 0: true, 3600: true, 3601: false} {
		if _, _, err := (Group{Attributes: Attributes{DeregistrationDelaySeconds: &delay}}).Check(); (err == nil) != ok {
			t.Errorf("%d: got %v", delay, err)
		}
	}
}

func TestTargetThatIsRegisteredAgainBeginsAnew(t *testing.T) {
	bubble(t, delayed(time.Second, 300), func(t *testing.T, p *Pool, g Group) {
		both := g.Targets
		g.Targets = both[:1]
		p.Update(g, Node{Idle: time.Minute})
		wantView(t, p, "a=healthy b=draining(Target.DeregistrationInProgress)")
		g.Targets = both
		p.Update(g, Node{Idle: time.Minute})
		wantView(t, p, "a=healthy b=healthy")
	})
}

// 3.4.2 O: the control plane says one thing, the node does another for a while.
func TestLagOfTheControlPlane(t *testing.T) {
	t.Attr("aws-fact", "3.4.2")
	bubble(t, Group{Targets: builtIns("a", "b")}, func(t *testing.T, p *Pool, g Group) {
		g.Targets = builtIns("b", "c")
		p.Update(checked(t, g), Node{Idle: time.Minute, Lag: 10 * time.Second})
		time.Sleep(9 * time.Second)
		wantView(t, p, "b=healthy c=initial(Elb.RegistrationInProgress) a=draining(Target.DeregistrationInProgress)")
		wantShares(t, shares(t, p, 10), map[string]int{"a": 5, "b": 5})
		time.Sleep(time.Second)
		wantView(t, p, "b=healthy c=healthy a=draining(Target.DeregistrationInProgress)")
		wantShares(t, shares(t, p, 10), map[string]int{"b": 5, "c": 5})
	})
}

func TestLagKeepsTheOrderOfChanges(t *testing.T) {
	bubble(t, Group{Targets: builtIns("a")}, func(t *testing.T, p *Pool, g Group) {
		slow, fast := Node{Idle: time.Minute, Lag: 20 * time.Second}, Node{Idle: time.Minute, Lag: 5 * time.Second}
		g.Targets = builtIns("b")
		p.Update(checked(t, g), slow)
		g.Targets = builtIns("c")
		p.Update(checked(t, g), fast)
		time.Sleep(30 * time.Second)
		wantShares(t, shares(t, p, 4), map[string]int{"c": 4})
	})
}
