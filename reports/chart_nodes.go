package reports

import (
	"fmt"
	"slices"
	"strings"

	"github.com/proxychaos/proxychaos/harness/recording"
)

// nodesPanel draws a lane for each node: what was true of it, what it served, what was
// sent there and never answered, and connection attempts in vain.
func (s *series) nodesPanel(d *drawing, a timeAxis, y float64) float64 {
	groups := s.upstreams()
	height := laneHeight * float64(max(1, len(s.nodes)))
	if len(groups) > 1 {
		height += headHeight * float64(len(groups))
	}
	shade(d, a, s.windows, y, height)
	d.text("name", 0, y-5, "nodes")
	most := 1
	for _, n := range s.nodes {
		most = max(most, n.tallest())
	}
	lane := y
	for _, group := range groups {
		stale := s.staleWords(group)
		if len(groups) == 1 {
			d.caption("tick", a.x0+4, y-4, stale)
		} else {
			lane += headHeight
			d.caption("tick", 0, lane-4, strings.TrimSuffix(shorten(group[0].upstream, 60)+": "+stale, ": "))
		}
		for _, n := range group {
			s.lane(d, a, n, lane, most)
			lane += laneHeight
		}
	}
	return y + height
}

// headHeight is that of the line above the lanes of an upstream.
const headHeight = 17.0

// upstreams are the nodes of each upstream.
func (s *series) upstreams() [][]nodeSeries {
	var groups [][]nodeSeries
	for i, n := range s.nodes {
		if i == 0 || n.Upstream != s.nodes[i-1].Upstream {
			groups = append(groups, nil)
		}
		groups[len(groups)-1] = append(groups[len(groups)-1], n)
	}
	return groups
}

// maxStale bounds how many times the words of one upstream have.
const maxStale = 5

// staleWords says from when nodes that the name has left are stale; nothing if none
// ever is.
func (s *series) staleWords(group []nodeSeries) string {
	var times []string
	for _, n := range group {
		for _, span := range n.outdated {
			if said := fmt.Sprintf("%.2f s", span.From); span.From < s.end && !slices.Contains(times, said) {
				times = append(times, said)
			}
		}
	}
	switch {
	case len(times) == 0:
		return ""
	case len(times) > maxStale:
		times = append(times[:maxStale], "...")
	}
	return "nodes that the name has left are stale from " + strings.Join(times, ", ")
}

func (n nodeSeries) tallest() int {
	most := 1
	for i := range n.unanswered {
		sum := n.unanswered[i]
		for _, counts := range n.served {
			sum += counts[i]
		}
		for _, counts := range n.errors {
			sum += counts[i]
		}
		most = max(most, sum)
	}
	return most
}

func (s *series) lane(d *drawing, a timeAxis, n nodeSeries, y float64, most int) {
	const room = laneHeight - 7 // the rest is for the marks of connects
	bottom := y + laneHeight - bandHeight
	d.text("tick", 0, y+18, n.Addr.String())
	s.band(d, a, n, bottom)

	base := make([]float64, s.bins())
	draw := func(class string, counts []int, shrink float64) {
		var marks strings.Builder
		for i, c := range counts {
			if c == 0 {
				continue
			}
			x, width := s.barAt(a, i)
			height := max((room-bandHeight)*float64(c)/float64(most), 1.5)
			base[i] += height
			bar(&marks, x+shrink, bottom-base[i]+shrink, max(width-2*shrink, .5), max(height-2*shrink, .5))
		}
		d.path(class, &marks)
	}
	for _, class := range nodeClasses {
		draw("bar "+class, n.served[class], 0)
	}
	for _, kind := range shownKinds {
		draw("bar k-"+kind, n.errors[kind], 0)
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
	for _, span := range n.outdated {
		if span.From < s.end {
			d.line("limit", a.x(span.From), y, a.x(span.From), y+laneHeight)
		}
	}
}

// bandHeight is that of the line below a lane which shows what was true of its node.
const bandHeight = 3.0

// band draws what was true of a node over time.
func (s *series) band(d *drawing, a timeAxis, n nodeSeries, y float64) {
	for _, class := range nodeClasses {
		var marks strings.Builder
		for _, spell := range n.spells {
			if from, to := a.x(spell.From), a.x(spell.To); spell.class == class && to > from {
				bar(&marks, from, y, to-from, bandHeight)
			}
		}
		d.path("bar "+class, &marks)
	}
}

// Lanes of DNS answers.
const (
	laneCurrent = iota
	laneLeft
	laneOther
	laneMixed
	laneEmpty
)

// queryLanes are the kinds of DNS answers, in the order of their lanes.
var queryLanes = []struct{ name, class string }{
	laneCurrent: {"what the name had", nodeIn},
	laneLeft:    {"nodes it had left", nodeLeft},
	laneOther:   {"other addresses", nodeNever},
	laneMixed:   {"some of each", "mixed"},
	laneEmpty:   {"no address", "mixed"},
}

// answerLane is the index in queryLanes.
func (s *series) answerLane(q recording.Query) int {
	lane := laneEmpty
	for _, a := range q.Answers {
		of := laneOther
		if _, left := s.ledger.Left(a, q.At); left {
			of = laneLeft
		} else if s.ledger.Named(a, q.At) {
			of = laneCurrent
		}
		if lane != laneEmpty && lane != of {
			return laneMixed
		}
		lane = of
	}
	return lane
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
	d.caption("tick", a.x0+4, y-5, words)
	return y + height
}
