// Package targets is the side of a fake load balancer node that faces its
// targets: which of them are healthy as this node sees it, which one gets the
// next request, and what became of the request.
//
// A [Pool] belongs to one node. As in an ALB each node checks health by itself
// and holds connections of its own (facts 3.1 to 3.3 of the project's aws-facts).
package targets

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Group is a target group over real servers.
type Group struct {
	// Targets are the registered targets. An empty list is a group without any: 503.
	Targets []Target `json:"targets"`
	// Protocol towards targets: HTTP or HTTPS. Empty stands for HTTP. The
	// certificates of targets are not validated (3.1.4 D).
	Protocol string      `json:"protocol,omitempty"`
	Health   HealthCheck `json:"health_check"`
}

// HealthCheck holds the parameters of health checks with an ALB's names, defaults
// and ranges (3.2 D). 0 and "" stand for the default. Times are before scaling.
type HealthCheck struct {
	Path               string `json:"path,omitempty"`                // "/"; 1 to 1024 characters
	IntervalSeconds    int    `json:"interval_seconds,omitempty"`    // 30; 5 to 300
	TimeoutSeconds     int    `json:"timeout_seconds,omitempty"`     // 5; 2 to 120
	HealthyThreshold   int    `json:"healthy_threshold,omitempty"`   // 5; 2 to 10
	UnhealthyThreshold int    `json:"unhealthy_threshold,omitempty"` // 2; 2 to 10
	// Matcher is the statuses that count as success, such as "200", "200,302" or
	// "200-299". Default 200; within 200 to 499.
	Matcher string `json:"matcher,omitempty"`
}

// The protocols of target groups and of health checks.
const (
	ProtocolHTTP  = "HTTP"
	ProtocolHTTPS = "HTTPS"
)

const (
	maxTargets = 1000
	maxPath    = 1024
	maxZone    = 64
)

// Check returns the group with its defaults filled in, or the name of the field
// that is wrong, and why.
func (g Group) Check() (Group, string, error) {
	if g.Protocol == "" {
		g.Protocol = ProtocolHTTP
	}
	if g.Protocol != ProtocolHTTP && g.Protocol != ProtocolHTTPS {
		return g, "protocol", fmt.Errorf("got protocol %q, want %s or %s", g.Protocol, ProtocolHTTP, ProtocolHTTPS)
	}
	if len(g.Targets) > maxTargets {
		return g, "targets", fmt.Errorf("got %d targets, want at most %d", len(g.Targets), maxTargets)
	}
	for i, t := range g.Targets {
		field := fmt.Sprintf("targets[%d]", i)
		switch {
		case !t.Addr.IsValid() || t.Addr.Port() == 0:
			return g, field, fmt.Errorf("got %s, want an address with a port", t.Addr)
		case len(t.Zone) > maxZone:
			return g, field + ".zone", fmt.Errorf("got a zone of %d bytes, want at most %d", len(t.Zone), maxZone)
		case slices.ContainsFunc(g.Targets[:i], func(o Target) bool { return o.ID() == t.ID() }):
			return g, field, fmt.Errorf("got %s twice, want it once", t.ID())
		}
	}
	h := &g.Health
	if h.Path == "" {
		h.Path = "/"
	}
	if h.Path[0] != '/' || len(h.Path) > maxPath || strings.ContainsAny(h.Path, " \r\n") {
		return g, "health_check.path", fmt.Errorf("got %q, want a path of 1 to %d characters", h.Path, maxPath)
	}
	for _, p := range []struct {
		name          string
		value         *int
		def, min, max int
	}{
		{"interval_seconds", &h.IntervalSeconds, 30, 5, 300},
		{"timeout_seconds", &h.TimeoutSeconds, 5, 2, 120},
		{"healthy_threshold", &h.HealthyThreshold, 5, 2, 10},
		{"unhealthy_threshold", &h.UnhealthyThreshold, 2, 2, 10},
	} {
		if *p.value == 0 {
			*p.value = p.def
		}
		if *p.value < p.min || *p.value > p.max {
			return g, "health_check." + p.name, fmt.Errorf("got %d, want %d to %d", *p.value, p.min, p.max)
		}
	}
	if h.TimeoutSeconds > h.IntervalSeconds {
		return g, "health_check.timeout_seconds", fmt.Errorf("got %d, want at most the interval of %d s", h.TimeoutSeconds, h.IntervalSeconds)
	}
	if h.Matcher == "" {
		h.Matcher = "200"
	}
	if _, err := parseMatcher(h.Matcher); err != nil {
		return g, "health_check.matcher", err
	}
	return g, "", nil
}

// span is a range of statuses, both ends included.
type span struct{ low, high int }

func parseMatcher(s string) ([]span, error) {
	var spans []span
	for part := range strings.SplitSeq(s, ",") {
		low, high, isRange := strings.Cut(part, "-")
		if !isRange {
			high = low
		}
		a, err1 := strconv.Atoi(low)
		b, err2 := strconv.Atoi(high)
		if err1 != nil || err2 != nil || a < 200 || b > 499 || a > b {
			return nil, fmt.Errorf(`got %q, want statuses from 200 to 499, such as "200", "200,302" or "200-299"`, s)
		}
		spans = append(spans, span{a, b})
	}
	return spans, nil
}

func (h HealthCheck) matches(status int) bool {
	spans, _ := parseMatcher(h.Matcher) // Check has parsed it before
	return slices.ContainsFunc(spans, func(s span) bool { return s.low <= status && status <= s.high })
}

func seconds(n int) time.Duration { return time.Duration(n) * time.Second }
