package claims

import (
	"maps"
	"math"
	"net/netip"
	"regexp"
	"slices"
	"strings"

	"github.com/proxychaos/proxychaos/harness/judge"
	"github.com/proxychaos/proxychaos/harness/kind"
	"github.com/proxychaos/proxychaos/harness/recording"
)

// observed is a recording and when its first fault came.
type observed struct {
	*recording.Recording
	fault recording.Seconds
}

// reached are the requests that the proxy sent to nodes in the load.
func (o observed) reached() []recording.Attempt {
	return slices.DeleteFunc(slices.Clone(o.Attempts), func(a recording.Attempt) bool {
		return a.Probe || a.Target != "" || a.At < 0 || a.Seq == 0
	})
}

// before are those of them before the first fault.
func (o observed) before() []recording.Attempt {
	return slices.DeleteFunc(o.reached(), func(a recording.Attempt) bool { return a.At >= o.fault })
}

func (o observed) checks() int {
	n := 0
	for _, a := range o.Attempts {
		if !a.Probe && a.Target == "" && a.At >= 0 && a.Seq == 0 {
			n++
		}
	}
	return n
}

func (o observed) query() float64 {
	return share(o.reached(), func(a recording.Attempt) bool { return strings.Contains(a.Path, "?") })
}

func (o observed) hosts() map[string]float64 {
	return shares(o.before(), func(a recording.Attempt) string { return a.Host })
}

func (o observed) shares() map[string]float64 {
	called := map[netip.Addr]string{}
	for _, q := range o.Queries {
		for _, node := range q.Answers {
			if !q.Probe {
				called[node] = strings.TrimSuffix(strings.ToLower(q.Name), ".")
			}
		}
	}
	for _, l := range o.Manifest.World.Literals {
		called[l.Node] = l.Addr.String()
	}
	return shares(o.before(), func(a recording.Attempt) string { return called[a.Node] })
}

func (o observed) every() float64 {
	type question struct {
		client       netip.AddrPort
		name, kindOf string
	}
	last := map[question]recording.Seconds{}
	var waits []float64
	for _, q := range o.Queries {
		if q.Probe || q.At >= o.fault {
			continue
		}
		one := question{q.Client, strings.ToLower(q.Name), q.Type}
		if at, asked := last[one]; asked {
			waits = append(waits, float64(q.At-at))
		}
		last[one] = q.At
	}
	if len(waits) < len(last)/2 {
		return 0
	}
	return tenth(median(waits))
}

var (
	// apacheNumber is the number of one of httpd's messages.
	apacheNumber = regexp.MustCompile(`\bAH\d{5}\b`)
	// harmless are the levels of lines that tell of nothing wrong, and what mod_ssl says at
	// every start without a session cache.
	harmless = regexp.MustCompile(`:(?:notice|info|debug)\]|AH01873`)
)

func (o observed) log() map[string]int {
	var marks []kind.Mark
	if k, err := kind.Of(kind.Name(o.Manifest.Subject.Kind)); err == nil {
		marks = k.Marks
	}
	lines := map[string]int{}
	for _, line := range o.ProxyLog {
		if harmless.MatchString(line.Text) {
			continue
		}
		found := map[string]bool{}
		for _, number := range apacheNumber.FindAllString(line.Text, -1) {
			found[number] = true
		}
		for _, m := range marks {
			if strings.Contains(line.Text, m.Text) {
				found[m.Text] = true
			}
		}
		for mark := range found {
			lines[mark]++
		}
	}
	return lines
}

func (o observed) failedAfter() float64 {
	var waits []float64
	for _, r := range judge.Outcomes(o.Recording) {
		if r.Outcome != recording.OK {
			waits = append(waits, float64(r.Latency))
		}
	}
	return tenth(median(waits))
}

func (o observed) idle() float64 {
	last := map[uint64]recording.Seconds{}
	for _, a := range o.Attempts {
		if a.Target == "" && a.Done != 0 {
			last[a.Conn] = max(last[a.Conn], a.Done)
		}
	}
	var waits []float64
	for _, c := range o.Connections {
		if at, used := last[c.Conn]; used && !c.Probe && c.Closed != nil && strings.HasPrefix(c.How, "peer") {
			waits = append(waits, float64(*c.Closed-at))
		}
	}
	return tenth(median(waits))
}

func (o observed) workers() float64 {
	at := map[string]map[int]bool{}
	for _, s := range o.Snapshots {
		at[s.Moment] = map[int]bool{}
		for _, p := range s.Processes {
			if p.Worker {
				at[s.Moment][p.PID] = true
			}
		}
	}
	return hundredth(share(slices.Collect(maps.Keys(at[recording.MomentWarm])), func(pid int) bool { return at[recording.MomentEnd][pid] }))
}

func share[T any](all []T, is func(T) bool) float64 {
	if len(all) == 0 {
		return 0
	}
	n := 0
	for _, one := range all {
		if is(one) {
			n++
		}
	}
	return hundredth(float64(n) / float64(len(all)))
}

// shares are by name, without what has none.
func shares(all []recording.Attempt, of func(recording.Attempt) string) map[string]float64 {
	counts, sum := map[string]int{}, 0
	for _, a := range all {
		if name := of(a); name != "" {
			counts[name]++
			sum++
		}
	}
	parts := map[string]float64{}
	for name, n := range counts {
		parts[name] = hundredth(float64(n) / float64(sum))
	}
	return parts
}

func median(of []float64) float64 {
	if len(of) == 0 {
		return 0
	}
	slices.Sort(of)
	return of[len(of)/2]
}

func tenth(f float64) float64     { return math.Round(f*10) / 10 }
func hundredth(f float64) float64 { return math.Round(f*100) / 100 }

func contains(list []string, word string) bool { return slices.Contains(list, word) }
