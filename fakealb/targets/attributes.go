package targets

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// Attributes are target group attributes, under AWS's names, with AWS's defaults
// and ranges. 0, "" and false mean the default. Times are before scaling.
type Attributes struct {
	// DeregistrationDelaySeconds is how long a target that was taken out is drained:
	// 300 by default, 0 to 3600 (3.4.1 D). Nil means the default.
	DeregistrationDelaySeconds *int `json:"deregistration_delay.timeout_seconds,omitempty"`
	// SlowStartSeconds is how long a target that became healthy ramps up: 0 (none)
	// by default, or 30 to 900 (3.4.3 D).
	SlowStartSeconds int `json:"slow_start.duration_seconds,omitempty"`
	// Algorithm is round_robin (default), least_outstanding_requests or
	// weighted_random (3.4.4 D).
	Algorithm string `json:"load_balancing.algorithm.type,omitempty"`
	// AnomalyMitigation is off (default) or, with weighted_random, on (3.4.4 D).
	AnomalyMitigation string `json:"load_balancing.algorithm.anomaly_mitigation,omitempty"`
	// CrossZone is use_load_balancer_configuration (default), which is on as in
	// every ALB, or true or false (3.4.9 D). With a network load balancer it is false
	// by default (4.6 D).
	CrossZone string `json:"load_balancing.cross_zone.enabled,omitempty"`

	// Sticky sessions (3.4.5, 3.4.6 D). Type is lb_cookie (default) or app_cookie;
	// durations are 86400 by default, 1 to 604800.
	Sticky                     bool      `json:"stickiness.enabled,omitempty"`
	StickyType                 string    `json:"stickiness.type,omitempty"`
	LBCookieSeconds            int       `json:"stickiness.lb_cookie.duration_seconds,omitempty"`
	AppCookieSeconds           int       `json:"stickiness.app_cookie.duration_seconds,omitempty"`
	AppCookieName              string    `json:"stickiness.app_cookie.cookie_name,omitempty"`
	DNSFailoverCount           Threshold `json:"target_group_health.dns_failover.minimum_healthy_targets.count,omitzero"`
	DNSFailoverPercentage      Threshold `json:"target_group_health.dns_failover.minimum_healthy_targets.percentage,omitzero"`
	UnhealthyRoutingCount      Threshold `json:"target_group_health.unhealthy_state_routing.minimum_healthy_targets.count,omitzero"`
	UnhealthyRoutingPercentage Threshold `json:"target_group_health.unhealthy_state_routing.minimum_healthy_targets.percentage,omitzero"`

	NetworkAttributes
}

// The values of Attributes.
const (
	RoundRobin       = "round_robin"
	LeastOutstanding = "least_outstanding_requests"
	WeightedRandom   = "weighted_random"

	StickyLBCookie  = "lb_cookie"
	StickyAppCookie = "app_cookie"

	mitigationOn  = "on"
	mitigationOff = "off"

	crossZoneDefault = "use_load_balancer_configuration"
	crossZoneOn      = "true"
	crossZoneOff     = "false"
)

// Threshold is the least number, or percentage, of healthy targets. Its JSON is
// that number or "off". 0 means the default.
type Threshold int

// Off is the Threshold that is always met.
const Off Threshold = -1

// MarshalJSON returns a number or "off".
func (t Threshold) MarshalJSON() ([]byte, error) {
	if t == Off {
		return []byte(`"off"`), nil
	}
	return json.Marshal(int(t))
}

// UnmarshalJSON reads a number or "off".
func (t *Threshold) UnmarshalJSON(b []byte) error {
	if bytes.Equal(b, []byte(`"off"`)) {
		*t = Off
		return nil
	}
	if err := json.Unmarshal(b, (*int)(t)); err != nil || *t < 0 {
		return fmt.Errorf(`got the threshold %s, want a number or "off"`, b)
	}
	return nil
}

// failed reports whether so many healthy targets of so many registered ones are
// too few. Either threshold is enough.
func failed(healthy, registered int, count, percentage Threshold) bool {
	return count > 0 && healthy < int(count) || percentage > 0 && healthy*100 < int(percentage)*registered
}

// cookieName is what a cookie's name may be made of (RFC 6265).
var cookieName = regexp.MustCompile("^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,128}$")

func (a Attributes) check(n Norms) (Attributes, string, error) {
	if a.DeregistrationDelaySeconds == nil {
		delay := n.Draining.Default
		a.DeregistrationDelaySeconds = &delay
	}
	if !n.FailOpen {
		for _, t := range []*Threshold{&a.DNSFailoverCount, &a.DNSFailoverPercentage, &a.UnhealthyRoutingCount, &a.UnhealthyRoutingPercentage} {
			if *t > 0 {
				return a, "target_group_health", fmt.Errorf("got the threshold %d, want none: this cloud's load balancers never take unhealthy targets", *t)
			}
		}
		a.UnhealthyRoutingCount = 0 // until the end
	}
	delay := *a.DeregistrationDelaySeconds
	if field, err := a.fillIn(); err != nil {
		return a, field, err
	}
	switch {
	case delay < n.Draining.Min || delay > n.Draining.Max:
		return a, "deregistration_delay.timeout_seconds", fmt.Errorf("got %d, want %d to %d", delay, n.Draining.Min, n.Draining.Max)
	case a.SlowStartSeconds != 0 && (a.SlowStartSeconds < 30 || a.SlowStartSeconds > 900):
		return a, "slow_start.duration_seconds", fmt.Errorf("got %d, want 0 or 30 to 900", a.SlowStartSeconds)
	case a.SlowStartSeconds != 0 && a.Algorithm != RoundRobin:
		return a, "slow_start.duration_seconds", fmt.Errorf("got it with %s, want it with %s only", a.Algorithm, RoundRobin)
	case a.AnomalyMitigation == mitigationOn && a.Algorithm != WeightedRandom:
		return a, "load_balancing.algorithm.anomaly_mitigation", fmt.Errorf("got it on with %s, want it with %s only", a.Algorithm, WeightedRandom)
	case a.Sticky && a.Algorithm == WeightedRandom:
		return a, "stickiness.enabled", fmt.Errorf("got it with %s, want another algorithm", WeightedRandom)
	case a.Sticky && a.CrossZone == crossZoneOff:
		return a, "stickiness.enabled", fmt.Errorf("got it with cross-zone load balancing off, want that on")
	case a.Sticky && a.StickyType == StickyAppCookie && (!cookieName.MatchString(a.AppCookieName) || strings.HasPrefix(a.AppCookieName, "AWSALB")):
		return a, "stickiness.app_cookie.cookie_name", fmt.Errorf("got %q, want the name of a cookie of the targets, not beginning with AWSALB", a.AppCookieName)
	case a.DNSFailoverCount > 0 && a.DNSFailoverCount < a.UnhealthyRoutingCount:
		return a, "target_group_health.dns_failover.minimum_healthy_targets.count", fmt.Errorf("got %d, want at least the %d of unhealthy_state_routing", a.DNSFailoverCount, a.UnhealthyRoutingCount)
	case a.DNSFailoverPercentage > 0 && a.DNSFailoverPercentage < a.UnhealthyRoutingPercentage:
		return a, "target_group_health.dns_failover.minimum_healthy_targets.percentage", fmt.Errorf("got %d, want at least the %d of unhealthy_state_routing", a.DNSFailoverPercentage, a.UnhealthyRoutingPercentage)
	}
	if !n.FailOpen {
		a.DNSFailoverCount, a.UnhealthyRoutingCount = Off, Off
	}
	return a, "", nil
}

// fillIn puts the defaults in and checks each value by itself.
func (a *Attributes) fillIn() (string, error) {
	for _, p := range []struct {
		name  string
		value *string
		want  []string // the default first
	}{
		{"load_balancing.algorithm.type", &a.Algorithm, []string{RoundRobin, LeastOutstanding, WeightedRandom}},
		{"load_balancing.algorithm.anomaly_mitigation", &a.AnomalyMitigation, []string{mitigationOff, mitigationOn}},
		{"load_balancing.cross_zone.enabled", &a.CrossZone, []string{crossZoneDefault, crossZoneOn, crossZoneOff}},
		{"stickiness.type", &a.StickyType, []string{StickyLBCookie, StickyAppCookie}},
	} {
		if *p.value == "" {
			*p.value = p.want[0]
		}
		if !slices.Contains(p.want, *p.value) {
			return p.name, fmt.Errorf("got %q, want one of %s", *p.value, strings.Join(p.want, ", "))
		}
	}
	for _, p := range []struct {
		name  string
		value *int
	}{
		{"stickiness.lb_cookie.duration_seconds", &a.LBCookieSeconds},
		{"stickiness.app_cookie.duration_seconds", &a.AppCookieSeconds},
	} {
		if *p.value == 0 {
			*p.value = 86400
		}
		if *p.value < 1 || *p.value > 604800 {
			return p.name, fmt.Errorf("got %d, want 1 to 604800", *p.value)
		}
	}
	const health = "target_group_health."
	for _, p := range []struct {
		name     string
		value    *Threshold
		def, max Threshold
		mayBeOff bool
	}{
		{"dns_failover.minimum_healthy_targets.count", &a.DNSFailoverCount, 1, maxTargets, true},
		{"dns_failover.minimum_healthy_targets.percentage", &a.DNSFailoverPercentage, Off, 100, true},
		{"unhealthy_state_routing.minimum_healthy_targets.count", &a.UnhealthyRoutingCount, 1, maxTargets, false},
		{"unhealthy_state_routing.minimum_healthy_targets.percentage", &a.UnhealthyRoutingPercentage, Off, 100, true},
	} {
		if *p.value == 0 {
			*p.value = p.def
		}
		if v := *p.value; v > p.max || v < 1 && (v != Off || !p.mayBeOff) {
			return health + p.name, fmt.Errorf("got %d, want 1 to %d%s", v, p.max, map[bool]string{true: ` or "off"`}[p.mayBeOff])
		}
	}
	return "", nil
}
