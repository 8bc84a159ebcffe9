package migrate

import (
	"strconv"
	"strings"
	"time"

	"github.com/proxychaos/proxychaos/goproxy"
)

// balancer is a <Proxy balancer://name>.
type balancer struct {
	up   goproxy.Upstream
	path string // of the members' urls
}

func (a *apache) balancer(name string) *balancer {
	name, _, _ = strings.Cut(strings.TrimPrefix(name, "balancer://"), "/")
	if a.balancers[name] == nil {
		// Apache's way unless lbmethod says another.
		a.balancers[name] = &balancer{up: goproxy.Upstream{Balance: "byrequests"}}
	}
	return a.balancers[name]
}

func (a *apache) proxySection(d directive, v *vhost) {
	balances := len(d.args) == 1 && strings.HasPrefix(d.args[0], "balancer://")
	for _, inner := range d.block {
		name := strings.ToLower(inner.name)
		switch {
		case hasUndefined(inner):
			a.bar(inner, v)
		case name == "balancermember" && balances:
			a.balancerMember(inner, d.args[0])
		case name == "proxyset" && balances:
			a.proxySet(inner, d.args[0])
		case name == "proxyset":
			a.note(inner.place, "only <Proxy balancer://NAME> is read")
		case a.unknown(inner):
			a.bar(inner, v)
		}
	}
}

// withoutComment cuts off what begins with #: Apache has no comments at the end
// of a line, but people write them.
func (a *apache) withoutComment(d directive) []string {
	for i, arg := range d.args {
		if strings.HasPrefix(arg, "#") {
			a.note(d.place, "%q was taken for a comment; Apache would not", strings.Join(d.args[i:], " "))
			return d.args[:i]
		}
	}
	return d.args
}

func (a *apache) balancerMember(d directive, name string) {
	args := a.withoutComment(d)
	if name == "" && len(args) > 0 {
		name, args = args[0], args[1:]
	}
	if len(args) == 0 {
		a.note(d.place, "want a url")
		return
	}
	server, path, err := memberURL(args[0])
	if err != nil {
		a.note(d.place, "%v", err)
		return
	}
	b := a.balancer(name)
	path = strings.TrimSuffix(path, "/")
	if len(b.up.Members) > 0 && path != b.path {
		a.note(d.place, "goproxy has one path for all members, here %q", b.path)
		return
	}
	b.path = path
	m := goproxy.Member{URL: server}
	away := false
	for _, param := range args[1:] {
		key, value, _ := strings.Cut(param, "=")
		switch strings.ToLower(key) {
		case "route":
			m.Route = value
		case "loadfactor":
			m.LoadFactor = a.loadFactor(d.place, value)
		case "status":
			away = a.status(d.place, value, &m) || away
		default:
			a.upstreamParam(d.place, param, &b.up)
		}
	}
	if !away {
		b.up.Members = append(b.up.Members, m)
	}
}

func (a *apache) loadFactor(at place, value string) int {
	f, err := strconv.ParseFloat(value, 64)
	if err != nil || f < 1 || f > 100 {
		a.note(at, "loadfactor=%s: want 1 to 100", value)
		return 0
	}
	if f != float64(int(f)) {
		a.note(at, "loadfactor=%s becomes %d: goproxy has whole numbers", value, int(f))
	}
	return int(f)
}

// status reads the letters of a member's status, and reports whether it gets no request
// that is not of a session: one that is disabled, stopped or drained.
func (a *apache) status(at place, value string, m *goproxy.Member) (away bool) {
	for _, letter := range strings.ToUpper(strings.TrimPrefix(value, "+")) {
		switch letter {
		case 'H', 'R':
			m.Backup = true
		case 'D', 'S', 'N':
			away = true
		}
	}
	switch {
	case strings.HasPrefix(value, "-"):
		m.Backup, away = false, false // taken away from it
	case away:
		a.note(at, "status=%s: it is not in this draft. goproxy's members are switched while it runs, over its admin page", value)
	case !m.Backup:
		a.note(at, "status=%s: goproxy has nothing for it", value)
	}
	return away
}

func (a *apache) proxySet(d directive, name string) {
	args := a.withoutComment(d)
	if name == "" && len(args) > 0 {
		name, args = args[0], args[1:]
	}
	if !strings.HasPrefix(name, "balancer://") {
		a.note(d.place, "only settings of balancers are read")
		return
	}
	b := a.balancer(name)
	for _, param := range args {
		a.upstreamParam(d.place, param, &b.up)
	}
}

// doneByItself are parameters for things that goproxy needs no word for.
var doneByItself = map[string]string{
	"upgrade": "goproxy passes upgrades on everywhere", "disablereuse": "goproxy follows DNS with the connections that it keeps", "enablereuse": "goproxy keeps connections anyway",
	"keepalive": "goproxy's connections have TCP keep-alive", "flushpackets": "goproxy does not hold back what comes", "ping": "goproxy looks at a connection before it uses it",
}

// upstreamParam reads key=value of ProxyPass, ProxySet and BalancerMember.
func (a *apache) upstreamParam(at place, param string, up *goproxy.Upstream) {
	key, value, _ := strings.Cut(param, "=")
	duration := func(to ...*goproxy.Duration) {
		if t, ok := a.seconds(at, key, value); ok {
			for _, d := range to {
				*d = t
			}
		}
	}
	number := func(to *int) {
		n, err := strconv.Atoi(value)
		if err != nil {
			a.note(at, "%s: want a number", param)
		}
		*to = n
	}
	switch key = strings.ToLower(key); key {
	case "lbmethod":
		a.lbMethod(at, value, up)
	case "stickysession":
		if !strings.Contains(value, "|") {
			value += "|" + value // Apache looks for it in the path too
		}
		up.StickySession = value
	case "nofailover":
		up.NoFailover = strings.EqualFold(value, "on")
	case "failonstatus":
		a.failOnStatus(at, value, up)
	case "timeout":
		duration(&up.Timeouts.Response, &up.Timeouts.Body)
	case "connectiontimeout":
		duration(&up.Timeouts.Connect)
	case "retry":
		duration(&up.Ejection.Retry)
	case "ttl":
		duration(&up.Pool.TTL)
	case "addressttl":
		duration(&up.DNS.TTLMax)
	case "max":
		number(&up.Pool.Max)
	case "smax":
		number(&up.Pool.SMax)
	case "acquire":
		if ms, err := time.ParseDuration(value + "ms"); err == nil {
			up.Pool.Acquire = goproxy.Duration(ms)
		}
	case "maxattempts":
		number(&up.Retries.Attempts)
		up.Retries.Attempts++ // Apache counts the ones after the first
	default:
		if why := doneByItself[key]; why != "" {
			a.note(at, "%s: %s", param, why)
			return
		}
		a.note(at, "%s: goproxy has nothing for it", param)
	}
}

func (a *apache) lbMethod(at place, value string, up *goproxy.Upstream) {
	switch value {
	case "byrequests", "bytraffic", "bybusyness":
		up.Balance = value
	default:
		a.note(at, "lbmethod=%s: goproxy has byrequests, bytraffic and bybusyness of Apache's", value)
	}
}

func (a *apache) failOnStatus(at place, value string, up *goproxy.Upstream) {
	for part := range strings.SplitSeq(value, ",") {
		status, err := strconv.Atoi(part)
		if err != nil {
			a.note(at, "failonstatus=%s: want numbers", value)
			return
		}
		up.FailOnStatus = append(up.FailOnStatus, status)
	}
}

// seconds reads a time of Apache's: seconds, or with a unit.
func (a *apache) seconds(at place, what, value string) (goproxy.Duration, bool) {
	text := value
	if strings.HasSuffix(text, "mi") {
		text = strings.TrimSuffix(text, "i")
	} else if _, err := strconv.Atoi(text); err == nil {
		text += "s"
	}
	d, err := time.ParseDuration(strings.ReplaceAll(text, "min", "m"))
	switch {
	case err != nil:
		a.note(at, "%s: %q is no time", what, value)
	case d <= 0:
		a.note(at, "%s is 0: goproxy keeps its default", what)
	default:
		return goproxy.Duration(d), true
	}
	return 0, false
}
