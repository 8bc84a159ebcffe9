package soak

import (
	"fmt"
	"slices"
	"strings"
)

// Markdown is the report as a section of the document.
func (r Report) Markdown() string {
	var b strings.Builder
	v := r.Judge()
	b.WriteString(r.Machine.Markdown(r.Command, r.Began, r.Took))
	to := "follows the name of its upstream"
	if r.Pinned {
		to = "has the addresses of the first nodes in its config, in place of their name"
	}
	fmt.Fprintf(&b, "\ngoproxy %s. The name, with a TTL of %.0f s, moves to other nodes every %s; three quarters of that later "+
		"the nodes that it left go silent, refuse, or answer 503 as a load balancer without targets, in turn. "+
		"vegeta sends %d requests/s for %s, every tenth a POST; goproxy, fakedns and three fakealb are processes of their own on the same cores.\n\n",
		to, ttl.Seconds(), r.Flip, r.Rate, r.Duration)
	fmt.Fprintf(&b, "**%s**: %d of %d requests failed.\n", v.Outcome, r.Load.Failed, r.Load.Sent)
	for _, why := range v.Why[:min(len(v.Why), 20)] {
		fmt.Fprintf(&b, "- %s\n", why)
	}
	if len(v.Why) > 20 {
		fmt.Fprintf(&b, "- and %d more\n", len(v.Why)-20)
	}
	if len(v.Trends) > 0 {
		b.WriteString("\n| of goproxy | first quarter after the warm-up, median | last quarter | at most wanted | most of all | slope in an hour | |\n|---|--:|--:|--:|--:|--:|---|\n")
		for _, t := range v.Trends {
			verdict := "flat"
			if !t.Flat() {
				verdict = "grew"
			}
			fmt.Fprintf(&b, "| %s | %.1f | %.1f | %.1f | %.1f | %+.1f | %s |\n", t.What, t.First, t.Last, t.Limit, t.Most, t.PerHour, verdict)
		}
	}
	b.WriteString(r.proof())
	if f := r.Load.Failures; len(f) > 0 {
		fmt.Fprintf(&b, "\nThe first failure, at %.1f s: %s, status %d after %.3f s: %s\n", f[0].At, f[0].Method, f[0].Status, f[0].Took, f[0].Error)
	}
	fmt.Fprintf(&b, "\n![Memory, goroutines, open files, latency and failed requests over the run](%s)\n", plotName)
	return b.String()
}

// proof sums up what was seen of the moves and the faults.
func (r Report) proof() string {
	if len(r.Moves) < 2 {
		return ""
	}
	var queries, requests []int
	inForce, stale := 0, 0
	for i, m := range r.Moves {
		if i > 0 {
			queries = append(queries, m.Queries)
		}
		if m.InForce {
			inForce++
		}
		stale += m.Stale
		for _, n := range m.Requests {
			requests = append(requests, n)
		}
	}
	again, fakes := 0.0, 0.0
	for _, s := range r.Samples {
		again, fakes = max(again, s.Again), max(fakes, s.FakesMiB)
	}
	return fmt.Sprintf("\n%d moves; after each, %d to %d DNS answers named the new nodes before the old ones failed. %d faults were seen in force by probes. "+
		"Each node served %d to %d requests each time. %d requests reached a node that had failed. "+
		"goproxy sent %.0f requests again. The last request was %.3f s late. %d POSTs of %d reached nodes twice. The fakes together took at most %.0f MiB.\n",
		len(queries), slices.Min(queries), slices.Max(queries), inForce, least(requests), most(requests), stale, again, r.Load.Late, r.Load.Twice, r.Load.Posts, fakes)
}

func least(n []int) int { return slices.Min(append(slices.Clone(n), most(n))) }

func most(n []int) int { return slices.Max(append(slices.Clone(n), 0)) }
