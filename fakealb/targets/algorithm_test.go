package targets

import "testing"

func TestRoundRobinIsEven(t *testing.T) {
	t.Attr("aws-fact", "3.4.4")
	bubble(t, Group{Targets: builtIns("a", "b", "c")}, func(t *testing.T, p *Pool, _ Group) {
		wantShares(t, shares(t, p, 30), map[string]int{"a": 10, "b": 10, "c": 10})
	})
}

func TestLeastOutstandingRequests(t *testing.T) {
	t.Attr("aws-fact", "3.4.4")
	bubble(t, Group{
		Targets: builtIns("a", "b", "c"), Attributes: Attributes{Algorithm: LeastOutstanding},
	}, func(t *testing.T, p *Pool, _ Group) {
		held := map[string]int{}
		for range 6 { // none is given back, so they are evenly held
			held[open(t, p, "").Target]++
		}
		wantShares(t, held, map[string]int{"a": 2, "b": 2, "c": 2})
		open(t, p, "a")
		open(t, p, "b")
		if r := open(t, p, ""); r.Target != "c" {
			t.Errorf("got %s, want c, which has the fewest outstanding", r.Target)
		}
	})
}

func TestWeightedRandomIsEvenAndRandom(t *testing.T) {
	t.Attr("aws-fact", "3.4.4")
	bubble(t, Group{
		Targets: builtIns("a", "b", "c"), Attributes: Attributes{Algorithm: WeightedRandom},
	}, func(t *testing.T, p *Pool, _ Group) {
		var last string
		repeats := 0
		got := map[string]int{}
		for range 3000 {
			r := open(t, p, "")
			_ = r.Response.Body.Close()
			got[r.Target]++
			if r.Target == last {
				repeats++
			}
			last = r.Target
		}
		// The draws are seeded, so these numbers are the same in each run.
		for id, n := range got {
			if n < 900 || n > 1100 {
				t.Errorf("%s got %d of 3000", id, n)
			}
		}
		if repeats < 900 || repeats > 1100 {
			t.Errorf("got the same target twice in a row %d times of 3000, want about a third", repeats)
		}
	})
}
