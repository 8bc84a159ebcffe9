package wayin

import (
	"fmt"
	"slices"
	"strings"

	"github.com/proxychaos/proxychaos/harness/load"
	"github.com/proxychaos/proxychaos/harness/recording"
)

// NoWayError is what a Search that finds nothing ends with: the result of each try, the
// proxy's own last words, and what may help.
type NoWayError struct {
	search *Search
	Log    []string // the last lines of the proxy's log
	Advice string   // what to do about those lines; empty if nothing is known
}

// Error has a line for each thing, those after the first one indented.
func (e *NoWayError) Error() string {
	lines := []string{fmt.Sprintf("%s: nothing that was tried leads to an ALB node, so there is nothing to load", e.search.Config)}
	lines = append(lines, e.search.report()...)
	if len(e.search.chosen) == 0 {
		lines = append(lines, "the proxy no longer listens: it has ended")
	}
	for _, line := range e.Log {
		lines = append(lines, "the proxy's log: "+line)
	}
	if e.Advice != "" {
		lines = append(lines, e.Advice)
	}
	lines = append(lines, e.search.advice()...)
	return strings.Join(lines, "\n    ")
}

// report has the results of the tries for each port, those with one outcome together.
func (s *Search) report() []string {
	var lines []string
	for _, port := range s.triedPorts() {
		for _, safe := range []bool{false, true} {
			for _, g := range s.byOutcome(port, safe) {
				lines = append(lines, g.line(port, safe))
			}
		}
	}
	return lines
}

// sameOutcome are tries at one port that have one outcome.
type sameOutcome struct {
	outcome      string
	hosts, paths []string
	forwarded    bool // all were sent as if clients had used HTTPS
}

// byOutcome groups the tries at a port, over TLS or not.
func (s *Search) byOutcome(port uint16, safe bool) []*sameOutcome {
	var groups []*sameOutcome
	for _, t := range s.tried {
		if Port(t.way) != port || secure(t.way) != safe || s.foreign(t) {
			continue
		}
		what := t.outcome()
		i := slices.IndexFunc(groups, func(g *sameOutcome) bool { return g.outcome == what })
		if i < 0 {
			i = len(groups)
			groups = append(groups, &sameOutcome{outcome: what, forwarded: true})
		}
		g := groups[i]
		g.hosts, g.paths = append(g.hosts, t.way.Host), append(g.paths, unnumbered(t.came.Path))
		g.forwarded = g.forwarded && !safe && t.way.Headers[forwardedProto] == "https"
	}
	return groups
}

func (g *sameOutcome) line(port uint16, safe bool) string {
	line := fmt.Sprintf("port %d", port)
	if safe {
		line += " over TLS"
	}
	line += fmt.Sprintf(", for %s %s", some(g.hosts), some(g.paths))
	if g.forwarded {
		line += " with " + forwardedProto + ": https"
	}
	return line + ": " + g.outcome
}

// triedPorts are the ports that were tried, in their order.
func (s *Search) triedPorts() []uint16 {
	var found []uint16
	for _, t := range s.tried {
		if !slices.Contains(found, Port(t.way)) {
			found = append(found, Port(t.way))
		}
	}
	return found
}

// foreign says whether a try was in the language that the port does not speak.
func (s *Search) foreign(t tried) bool {
	if secure(t.way) {
		return t.came.Came == load.NoTLS || s.speaks(Port(t.way), false) == load.Answered && s.speaks(Port(t.way), true) != load.Answered
	}
	return s.speaks(Port(t.way), true) == load.Answered
}

// maxNamed is how many hosts or paths a line names.
const maxNamed = 4

func some(all []string) string {
	all = slices.DeleteFunc(distinct(all), func(one string) bool { return one == "" })
	if len(all) > maxNamed {
		return fmt.Sprintf("%s and %d more", strings.Join(all[:maxNamed], ", "), len(all)-maxNamed)
	}
	return strings.Join(all, ", ")
}

// outcome gives the result of a try.
func (t tried) outcome() string {
	switch t.came.Came {
	case load.Answered:
		if t.came.Reached {
			return "an application beside the proxy answers, which no fault strikes"
		}
		if t.came.Code >= 300 && t.came.Code < 400 && t.came.Location != "" {
			return fmt.Sprintf("the proxy itself answers %d, Location %s", t.came.Code, unnumbered(t.came.Location))
		}
		return "the proxy itself answers " + statusText(t.came)
	case load.Cached:
		return "answered from the proxy's cache, which ignores the query string: such an answer shows nothing about DNS"
	case load.Nameless:
		return "a node answers, but does not get the number of the request: the proxy removes the header " + load.SeqHeader + ", without which no answer can be matched to its request"
	case load.Closed:
		return "closed without an answer"
	case load.Refused:
		return "connection refused"
	case load.Silent:
		return t.came.Error
	case load.Alert:
		return "TLS alert: " + strings.TrimPrefix(t.came.Error, "tls: ")
	case load.NotTried:
		return "no answer before the time for all tries was up"
	}
	return t.came.Error
}

// advice proposes what the user can say, if that may help: another path if the proxy knows
// none of those that were tried, another host if it may know a name that is not known here,
// and so on. A proxy that gets no answer from its upstream is not helped by any.
func (s *Search) advice() []string {
	var lines []string
	came := func(kinds ...any) bool {
		return slices.ContainsFunc(s.tried, func(t tried) bool {
			return !s.foreign(t) && (slices.Contains(kinds, any(t.came.Came)) && t.came.Came != load.Answered || t.came.Came == load.Answered && slices.Contains(kinds, any(t.came.Code)))
		})
	}
	others := slices.DeleteFunc(slices.Clone(s.Hints.Hosts), func(h string) bool { return h == s.Host })
	switch unknown := came(load.Closed, load.Alert, 403, 404, 421, 503); {
	case unknown && s.Host != "" && len(others) > 0:
		line := "the config names other hosts: HOST_HEADER=" + others[0]
		if len(others) > 1 {
			line += ", or " + some(others[1:])
		}
		lines = append(lines, line)
	case unknown && s.Host == "" && s.Hints.Unsaid:
		lines = append(lines, "the config serves hosts by a pattern: give one with HOST_HEADER=")
	}
	if came(404) {
		lines = append(lines, "if the config proxies another path, give it with URL_PATH=")
	}
	if came(405) {
		lines = append(lines, "the load sends GETs, and as many POSTs as POSTS= says: if the config takes no GET at a path, give another path with URL_PATH=")
	}
	if came(401) {
		lines = append(lines, "if the config wants a user, give one with HEADERS='Authorization: Basic ...'")
	}
	if came(403) {
		lines = append(lines, "if the config wants a header, or a client address that it knows, give it with HEADERS='Name: value', such as 'X-Forwarded-For: 192.0.2.1'")
	}
	if s.circles() {
		lines = append(lines, "if the config wants another header from the load balancer in front than "+forwardedProto+", give it with HEADERS='Name: value'")
	}
	if s.Port != 0 && len(s.all) > 1 {
		lines = append(lines, fmt.Sprintf("the proxy listens on %s: another one is chosen with PROXY_PORT=", ports(s.all)))
	}
	return append(lines, s.Hints.Notes...)
}

// circles says whether the proxy sends clients to where they are already, on a host of its own.
func (s *Search) circles() bool {
	return slices.ContainsFunc(s.tried, func(t tried) bool {
		u, redirects := t.location()
		return redirects && slices.Contains(s.askedHosts(), t.way.Host) && u.Scheme == t.way.Headers[forwardedProto] && u.Hostname() == recording.Hostname(t.way.Host) && u.Path == strings.Split(t.came.Path, "?")[0]
	})
}

// Drives says which way was found, and what else there was, in a line.
func (s *Search) Drives(way recording.Way) string {
	text := way.Origin() + strings.Join(way.Paths, ", ")
	if !secure(way) && way.Headers[forwardedProto] == "https" && s.Headers[forwardedProto] == "" {
		text += " with " + forwardedProto + ": https"
	}
	for _, at := range s.triedPorts() {
		for _, t := range s.tried {
			if Port(t.way) != at || s.foreign(t) || t.came.Came == load.NotTried || leads(t.came) {
				continue
			}
			text += "; " + t.aside(way)
			break
		}
	}
	text += s.limits(way)
	if len(s.beside) > 0 {
		text += fmt.Sprintf("; %s: to an application beside the proxy, not asked for (no fault strikes it)", strings.Join(s.beside, ", "))
	}
	if len(s.others) > 0 {
		all := append(slices.Clone(way.Paths), s.others...)
		text += fmt.Sprintf("; %s: to another upstream, not asked for (URL_PATH=%s)", strings.Join(s.others, ", "), strings.Join(all, ","))
	}
	if len(s.hosts) > 0 {
		text += fmt.Sprintf("; %s: to another upstream, not asked for (HOST_HEADER=%s)", some(s.hosts), s.hosts[0])
	}
	return text
}

// aside gives the result of a try that was not needed.
func (t tried) aside(found recording.Way) string {
	where := fmt.Sprintf("port %d", Port(t.way))
	if Port(t.way) == Port(found) {
		where = t.way.Origin() + t.came.Path
	}
	u, redirects := t.location()
	if redirects && u.Scheme == found.Headers[forwardedProto] && u.Hostname() == recording.Hostname(found.Host) {
		return fmt.Sprintf("%s answers %d to it", where, t.came.Code)
	}
	return where + ": " + t.outcome()
}
