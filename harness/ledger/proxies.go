package ledger

import "github.com/proxychaos/proxychaos/harness/recording"

// Stop is the end of a proxy that was told to end, or was ended.
type Stop struct {
	Moment
	Proxy int // its number, from 1
}

// Stops are the times at which a proxy was told to end, was ended, or was restarted.
func (l *Ledger) Stops() []Stop {
	var stops []Stop
	for s, e := range l.effects() {
		switch {
		case e.Runs != nil && !*e.Runs:
			stops = append(stops, Stop{moment(s), e.Proxy})
		case e.Restarted: // of several proxies it is the first
			stops = append(stops, Stop{moment(s), 1})
		}
	}
	return stops
}

// Runs says whether a proxy was running at a time, by what was done to it. One that is told to end
// does not from then on.
func (l *Ledger) Runs(proxy int, at recording.Seconds) bool {
	runs := true
	for s, e := range l.effects() {
		if e.Proxy != proxy || e.Runs == nil {
			continue
		}
		if m := moment(s); *e.Runs && m.At <= at || !*e.Runs && m.Asked <= at {
			runs = *e.Runs
		}
	}
	return runs
}

// AboutProxies says whether some fault was about a proxy, and not only about names and nodes.
func (l *Ledger) AboutProxies() bool {
	for _, e := range l.effects() {
		if aboutProxy(e) {
			return true
		}
	}
	return false
}
