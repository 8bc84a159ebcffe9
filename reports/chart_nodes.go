package reports

import (
	"fmt"
	"strings"

	"github.com/proxychaos/proxychaos/harness/ledger"
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
	if stale := s.staleFrom(); stale < s.end {
		x := a.x(stale)
		d.line("limit", x, y-12, x, y+height)
		d.text("tick halo", x+4, y-4, fmt.Sprintf("nodes that the name has left are stale from %.2f s", stale))
	}
	return y + height
}

// staleFrom is when the first node that left its name should have been left by the
// proxy too; later than everything if none left.
func (s *series) staleFrom() recording.Seconds {
	plan, first := s.rec.Manifest.Plan, ledger.Forever
	for _, n := range s.nodes {
		if moved, ok := s.ledger.Moved(n.Upstream); ok {
			first = min(first, moved+plan.TTL+plan.Refresh+1)
		}
	}
	return first
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
	d.text("tick", 0, y+18, n.Addr.String())
	if n.name != "" {
		d.text("tick", 0, y+8, shorten(n.name, 20))
	}
	s.band(d, a, n, bottom)

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
	for _, class := range []string{nodeIn, nodeStruck, nodeOut} {
		draw("bar "+class, only(n.served, n.state, class), 0)
	}
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

// bandHeight is that of the line below a lane which shows what was true of its node.
const bandHeight = 2.5

// band draws what was true of a node over time.
func (s *series) band(d *drawing, a timeAxis, n nodeSeries, bottom float64) {
	for _, class := range []string{nodeIn, nodeStruck, nodeOut} {
		var marks strings.Builder
		for i, state := range n.state {
			if state == class {
				x, width := s.barAt(a, i)
				bar(&marks, x, bottom, width, bandHeight)
			}
		}
		d.path("bar "+class, &marks)
	}
}

// only are the counts of the bins in which the node was of that class.
func only(counts []int, state []string, class string) []int {
	of := make([]int, len(counts))
	for i, c := range counts {
		if state[i] == class {
			of[i] = c
		}
	}
	return of
}

// Lanes of DNS answers.
const (
	laneCurrent = iota
	laneLeft
	laneMixed
	laneEmpty
)

// queryLanes are the kinds of DNS answers, in the order of their lanes.
var queryLanes = []struct{ name, class string }{
	laneCurrent: {"what the name had", nodeIn},
	laneLeft:    {"nodes it had left", nodeOut},
	laneMixed:   {"both", "mixed"},
	laneEmpty:   {"no address", "mixed"},
}

// answerLane is the index in queryLanes.
func (s *series) answerLane(q recording.Query) int {
	named, others := 0, 0
	for _, a := range q.Answers {
		if s.ledger.Named(a, q.At) {
			named++
		} else {
			others++
		}
	}
	switch {
	case named > 0 && others > 0:
		return laneMixed
	case named > 0:
		return laneCurrent
	case others > 0:
		return laneLeft
	default:
		return laneEmpty
	}
}

// queriesPanel draws a tick for each DNS query, in the lane of what the answer
// held. What was asked before the load began is counted in words.
func (s *series) queriesPanel(d *drawing, a timeAxis, y float64) float64 {
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
		lane := s.answerLane(q)
		x := a.x(q.At)
		if key := [2]int{lane, int(x * 2)}; !seen[key] {
			seen[key] = true
			fmt.Fprintf(&marks[lane], "M%s %sv%s", px(x), "Y", px(queryHeight-5))
		}
	}
	d.text("name", 0, y-5, "DNS answers")
	lanes := 0
	for i := range queryLanes {
		if i == laneCurrent || marks[i].Len() > 0 {
			lanes++
		}
	}
	height := queryHeight * float64(lanes)
	shade(d, a, s.windows, y, height)
	top := y
	for i, lane := range queryLanes {
		if i != laneCurrent && marks[i].Len() == 0 {
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
