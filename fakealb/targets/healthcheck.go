package targets

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// HealthCheck holds the parameters of health checks with an ALB's names, and in its
// comments with an ALB's defaults and ranges (3.2 D); Norms has those of other load
// balancers. 0 and "" mean the default. Times are before scaling.
type HealthCheck struct {
	// Protocol is HTTP (default) or HTTPS, and in a group over TCP or TLS TCP (default),
	// HTTP or HTTPS. Groups of network load balancers have other defaults: a timeout
	// of 10 s, or 6 s for HTTP, and the matcher 200-399 (4.4 D).
	Protocol string `json:"protocol,omitempty"`
	Port     int    `json:"port,omitempty"` // 1 to 65535; 0 is the target's own
	// Path is "/", or "/AWS.ALB/healthcheck" for gRPC; 1 to 1024 characters.
	Path               string `json:"path,omitempty"`
	IntervalSeconds    int    `json:"interval_seconds,omitempty"`    // 30; 5 to 300
	TimeoutSeconds     int    `json:"timeout_seconds,omitempty"`     // 5; 2 to 120
	HealthyThreshold   int    `json:"healthy_threshold,omitempty"`   // 5; 2 to 10
	UnhealthyThreshold int    `json:"unhealthy_threshold,omitempty"` // 2; 2 to 10
	// Matcher is the codes that count as success, such as "200", "200,302" or
	// "200-299": statuses from 200 to 499, by default 200; for gRPC its codes from 0
	// to 99, by default 12.
	Matcher string `json:"matcher,omitempty"`
}

const maxPath = 1024

// check returns h with its defaults filled in, or the field that is wrong, and why.
func (h HealthCheck) check(version string, n Norms) (HealthCheck, string, error) {
	orElse(&h.Protocol, ProtocolHTTP)
	if h.Protocol == ProtocolTCP && version == versionNone {
		return h.checkTCP(n)
	}
	if h.TimeoutSeconds == 0 && h.Protocol == ProtocolHTTP {
		h.TimeoutSeconds = n.HTTPTimeout
	}
	orElse(&h.Path, map[bool]string{true: "/AWS.ALB/healthcheck", false: "/"}[version == VersionGRPC])
	orElse(&h.Matcher, map[bool]string{true: "12", false: n.Matcher}[version == VersionGRPC])
	switch {
	case h.Protocol != ProtocolHTTP && h.Protocol != ProtocolHTTPS:
		return h, "protocol", fmt.Errorf("got %q, want %s or %s", h.Protocol, ProtocolHTTP, ProtocolHTTPS)
	case h.Path[0] != '/' || len(h.Path) > maxPath || strings.ContainsAny(h.Path, " \r\n"):
		return h, "path", fmt.Errorf("got %q, want a path of 1 to %d characters", h.Path, maxPath)
	}
	if field, err := h.checkNumbers(n); err != nil {
		return h, field, err
	}
	if _, err := parseMatcher(h.Matcher, version); err != nil {
		return h, "matcher", err
	}
	return h, "", nil
}

// checkNumbers fills in and checks what every protocol of checks has.
func (h *HealthCheck) checkNumbers(n Norms) (string, error) {
	for _, p := range []struct {
		name  string
		value *int
		norm  Range
	}{
		{"interval_seconds", &h.IntervalSeconds, n.Interval},
		{"timeout_seconds", &h.TimeoutSeconds, n.Timeout},
		{"healthy_threshold", &h.HealthyThreshold, n.Healthy},
		{"unhealthy_threshold", &h.UnhealthyThreshold, n.Unhealthy},
	} {
		if err := p.norm.Fill(p.value); err != nil {
			return p.name, err
		}
	}
	if h.Port < 0 || h.Port > 65535 {
		return "port", fmt.Errorf("got %d, want 1 to 65535, or none for the target's own", h.Port)
	}
	if h.TimeoutSeconds > h.IntervalSeconds && !n.LateCheck {
		return "timeout_seconds", fmt.Errorf("got %d, want at most the interval of %d s", h.TimeoutSeconds, h.IntervalSeconds)
	}
	return "", nil
}

func orElse(value *string, def string) {
	if *value == "" {
		*value = def
	}
}

// span is a range of codes, both ends included.
type span struct{ low, high int }

func parseMatcher(s, version string) ([]span, error) {
	lowest, highest, what := 200, 499, `statuses from 200 to 499, such as "200", "200,302" or "200-299"`
	switch version {
	case VersionGRPC:
		lowest, highest, what = 0, 99, `gRPC codes from 0 to 99, such as "0", "0,1" or "0-5"`
	case versionNone:
		highest, what = 599, `statuses from 200 to 599, such as "200", "200,302" or "200-399"`
	}
	var spans []span
	for part := range strings.SplitSeq(s, ",") {
		low, high, isRange := strings.Cut(part, "-")
		if !isRange {
			high = low
		}
		a, err1 := strconv.Atoi(low)
		b, err2 := strconv.Atoi(high)
		if err1 != nil || err2 != nil || a < lowest || b > highest || a > b {
			return nil, fmt.Errorf("got %q, want %s", s, what)
		}
		spans = append(spans, span{a, b})
	}
	return spans, nil
}

// matches reports whether a code counts as success.
func (h HealthCheck) matches(code int, version string) bool {
	spans, _ := parseMatcher(h.Matcher, version) // check has parsed it before
	return slices.ContainsFunc(spans, func(s span) bool { return s.low <= code && code <= s.high })
}

func seconds(n int) time.Duration { return time.Duration(n) * time.Second }
