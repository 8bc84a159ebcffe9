package reports

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/proxychaos/proxychaos/harness/recording"
)

// nodesPanel draws a lane for each node: what it served, what was sent there
// and never answered, and connection attempts after the name had moved away.
func (s *series) nodesPanel(d *drawing, a timeAxis, y float64) float64 {
	height := laneHeight * float64(max(1, len(s.nodes)))
	shade(d, a, s.windows, y, height)
	d.text("name", 0, y-5, "nodes")
	most := 1
	for _, n := range s.nodes {
		most = max(most, n.tallest())
	}
	for i, n := range s.nodes {
		s.lane(d, a, n, y+laneHeight*float64(i), most)
	}
	if plan := s.rec.Manifest.Plan; len(s.windows) > 0 {
		if stale := plan.FlipAt + plan.TTL + plan.Refresh + 1; stale < s.end {
			x := a.x(stale)
			d.line("limit", x, y-12, x, y+height)
			d.text("tick halo", x+4, y-4, fmt.Sprintf("old nodes are stale from %.2f s", stale))
		}
	}
	return y + height
}

func (n nodeSeries) tallest() int {
	most := 1
	for i := range n.served {
		sum := n.served[i] + n.unanswered[i]
		for _, counts := range n.errors {
			sum += counts[i]
		}
		most = max(most, sum)
	}
	return most
}

func (s *series) lane(d *drawing, a timeAxis, n nodeSeries, y float64, most int) {
	const room = laneHeight - 7 // the rest is for the marks of connects
	bottom := y + laneHeight - 1
	class := "fresh"
	if n.old {
		class = "old"
	}
	d.rect("swatch "+class, 0, y+9, 9, 9)
	d.text("tick", 14, y+18, n.addr.String())
	d.line("grid", a.x0, bottom, a.x1, bottom)

	base := make([]float64, len(n.served))
	draw := func(class string, counts []int, shrink float64) {
		var marks strings.Builder
		for i, c := range counts {
			if c == 0 {
				continue
			}
			x, width := s.barAt(a, i)
			height := max(room*float64(c)/float64(most), 1.5)
			base[i] += height
			bar(&marks, x+shrink, bottom-base[i]+shrink, max(width-2*shrink, .5), max(height-2*shrink, .5))
		}
		d.path(class, &marks)
	}
	draw("bar "+class, n.served, 0)
	for _, kind := range shownKinds {
		if counts := n.errors[kind]; counts != nil {
			draw("bar k-"+kind, counts, 0)
		}
	}
	draw("unanswered", n.unanswered, .5)
	var connects strings.Builder
	for i, c := range n.connects {
		if c > 0 {
			x, width := s.barAt(a, i)
			fmt.Fprintf(&connects, "M%s %sl-2-4h4z", px(x+width/2), px(y+5))
		}
	}
	d.path("connect", &connects)
}

// queryLanes are the kinds of DNS answers, in the order of their lanes.
var queryLanes = []struct{ name, class string }{
	{"old nodes", "old"}, {"fresh nodes", "fresh"}, {"both", "mixed"}, {"no address", "mixed"},
}

// answerLane is the index in queryLanes.
func answerLane(plan recording.Plan, answers []netip.Addr) int {
	inOld := func(a netip.Addr) bool { return slices.Contains(plan.Old, a) }
	inFresh := func(a netip.Addr) bool { return slices.Contains(plan.Fresh, a) }
	old, fresh := slices.ContainsFunc(answers, inOld), slices.ContainsFunc(answers, inFresh)
	switch {
	case old && fresh:
		return 2
	case old:
		return 0
	case fresh:
		return 1
	default:
		return 3
	}
}

// queriesPanel draws a tick for each DNS query, in the lane of what the answer
// held. What was asked before the load began is counted in words.
func (s *series) queriesPanel(d *drawing, a timeAxis, y float64) float64 {
	plan := s.rec.Manifest.Plan
	marks := make([]strings.Builder, len(queryLanes))
	seen := map[[2]int]bool{}
	before, after := 0, 0
	for _, q := range s.rec.Queries {
		if q.Probe {
			continue
		}
		if q.At < 0 {
			before++
			continue
		}
		after++
		lane := answerLane(plan, q.Answers)
		x := a.x(q.At)
		if key := [2]int{lane, int(x * 2)}; !seen[key] {
			seen[key] = true
			fmt.Fprintf(&marks[lane], "M%s %sv%s", px(x), "Y", px(queryHeight-5))
		}
	}
	d.text("name", 0, y-5, "DNS answers")
	lanes := 0
	for i := range queryLanes {
		if i < 2 || marks[i].Len() > 0 {
			lanes++
		}
	}
	height := queryHeight * float64(lanes)
	shade(d, a, s.windows, y, height)
	top := y
	for i, lane := range queryLanes {
		if i >= 2 && marks[i].Len() == 0 {
			continue
		}
		d.rect("swatch "+lane.class, 0, top+3, 9, 9)
		d.text("tick", 14, top+11.5, lane.name)
		d.line("grid", a.x0, top+queryHeight, a.x1, top+queryHeight)
		var placed strings.Builder
		placed.WriteString(strings.ReplaceAll(marks[i].String(), "Y", px(top+3)))
		d.path("query "+lane.class, &placed)
		top += queryHeight
	}
	words := fmt.Sprintf("%s before t=0", thousands(before))
	if after == 0 {
		words = fmt.Sprintf("no DNS query after t=0, %s before", thousands(before))
	}
	d.text("tick halo", a.x0+4, y-5, words)
	return y + height
}
