package reports

import (
	"cmp"
	"slices"

	"github.com/proxychaos/proxychaos/harness/recording"
)

// plots is what the script of the page draws of one recording, with the plotting library.
// Times are seconds since t=0; counts are one for each bin.
type plots struct {
	End      recording.Seconds `json:"end"`
	Bin      recording.Seconds `json:"bin"`
	Outcomes []layer           `json:"outcomes"` // the first stands on the base line
	// Full is how many requests the plan has for one bin; if it has none, the most of one.
	Full    float64             `json:"full"`
	Windows []plotWindow        `json:"windows"`
	Ends    []recording.Seconds `json:"ends"` // of the budget's times to recover
	// Timeout is after how long clients give up on a request; 0 if it is not known.
	Timeout   recording.Seconds `json:"timeout"`
	Upstreams []plotUpstream    `json:"upstreams"`
	Queries   plotQueries       `json:"queries"`
}

// layer is the counts of one class of the style sheet.
type layer struct {
	Class  string `json:"class"`
	Name   string `json:"name"`
	Counts []int  `json:"counts"`
}

type plotWindow struct {
	From  recording.Seconds `json:"from"`
	To    recording.Seconds `json:"to"`
	Class string            `json:"class"`
}

type plotUpstream struct {
	Name  string     `json:"name"` // empty if there is one only
	Lanes []plotLane `json:"lanes"`
}

// plotLane is what one node got, and what was true of it.
type plotLane struct {
	Name     string       `json:"name"`
	Layers   []layer      `json:"layers"`
	Connects []int        `json:"connects"` // in vain
	Spells   []plotWindow `json:"spells"`
}

// plotQueries are the DNS queries from t=0 on: when, and in which lane.
type plotQueries struct {
	Before int                 `json:"before"` // t=0
	Names  []string            `json:"names"`
	Class  []string            `json:"class"`
	At     []recording.Seconds `json:"at"`
	Lane   []int               `json:"lane"`
}

// unanswered is the class of what was sent to a node and never answered.
const unanswered = "unanswered"

func (s *series) plots() plots {
	// Lists are there even if nothing is in them: the script reads all.
	p := plots{
		Outcomes: []layer{}, Windows: []plotWindow{}, Upstreams: []plotUpstream{}, Ends: append([]recording.Seconds{}, s.budgetEnds()...),
		End: s.end, Bin: s.bin, Timeout: s.rec.Manifest.Plan.ClientTimeout, Queries: s.plotQueries(),
	}
	p.Full = float64(s.rec.Manifest.Plan.Rate) * float64(s.bin)
	if p.Full == 0 {
		p.Full = float64(slices.Max(s.sum(s.outcomes)))
	}
	for _, kind := range s.kinds() {
		p.Outcomes = append(p.Outcomes, layer{"k-" + kind, kind, s.outcomes[kind]})
	}
	for _, w := range s.windows {
		p.Windows = append(p.Windows, plotWindow{w.From, min(w.To, s.end), w.Class})
	}
	for _, group := range s.upstreams() {
		u := plotUpstream{Name: group[0].upstream}
		for _, n := range group {
			u.Lanes = append(u.Lanes, n.lane(s.end))
		}
		p.Upstreams = append(p.Upstreams, u)
	}
	return p
}

func (n nodeSeries) lane(end recording.Seconds) plotLane {
	l := plotLane{Name: n.Addr.String(), Connects: n.connects, Spells: []plotWindow{}}
	for _, class := range nodeClasses {
		if counts := n.served[class]; counts != nil {
			l.Layers = append(l.Layers, layer{class, nodeWords[class], counts})
		}
	}
	for _, kind := range shownKinds {
		if counts := n.errors[kind]; counts != nil {
			l.Layers = append(l.Layers, layer{"k-" + kind, kind, counts})
		}
	}
	l.Layers = append(l.Layers, layer{unanswered, "never answered", n.unanswered})
	for _, spell := range n.spells {
		if from, to := max(spell.From, 0), min(spell.To, end); from < to {
			l.Spells = append(l.Spells, plotWindow{from, to, spell.class})
		}
	}
	return l
}

// plotQueries leaves lanes out that no answer is in, but for that of the right ones.
func (s *series) plotQueries() plotQueries {
	q := plotQueries{At: []recording.Seconds{}, Lane: []int{}}
	lanes := map[int]int{}
	of := func(lane int) int {
		if at, known := lanes[lane]; known {
			return at
		}
		lanes[lane] = len(q.Names)
		q.Names, q.Class = append(q.Names, queryLanes[lane].name), append(q.Class, queryLanes[lane].class)
		return lanes[lane]
	}
	of(laneCurrent)
	for _, query := range s.rec.Queries {
		switch {
		case query.Probe:
		case query.At < 0:
			q.Before++
		default:
			q.At, q.Lane = append(q.At, query.At), append(q.Lane, of(s.answerLane(query)))
		}
	}
	return q
}

// nodeWords say what was true of a node.
var nodeWords = map[string]string{
	nodeIn:     "node in its name",
	nodeStruck: "in its name, and does not serve",
	nodeLeft:   "left by its name",
	nodeStale:  "left for so long that what is sent there is stale",
	nodeNever:  "not in its name so far",
}

// legendMark is one mark of a plot by its class in the style sheet.
type legendMark struct{ Class, Text string }

// marks are those of the nodes that the plots have.
func (p plots) marks() []legendMark {
	has := map[string]bool{}
	for _, u := range p.Upstreams {
		for _, l := range u.Lanes {
			for _, s := range l.Spells {
				has[s.Class] = true
			}
			has[unanswered] = has[unanswered] || some(l.Layers[len(l.Layers)-1].Counts)
			has["connect"] = has["connect"] || some(l.Connects)
		}
	}
	var marks []legendMark
	for _, class := range append(nodeClasses, unanswered, "connect") {
		text := cmp.Or(nodeWords[class], map[string]string{
			unanswered: "sent to a node, never answered", "connect": "connection attempt (SYN) to a node that its name had left or that did not serve",
		}[class])
		if has[class] {
			marks = append(marks, legendMark{class, text})
		}
	}
	return marks
}

func some(counts []int) bool {
	for _, n := range counts {
		if n > 0 {
			return true
		}
	}
	return false
}
