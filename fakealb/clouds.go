package fakealb

import (
	"maps"
	"slices"
	"time"

	"github.com/proxychaos/proxychaos/fakealb/cloud"
	"github.com/proxychaos/proxychaos/fakealb/targets"
	"github.com/proxychaos/proxychaos/harness/meant"
)

// checkCloud returns what is wrong with the cloud, or with what its load balancers have not.
func (lb LoadBalancer) checkCloud() error {
	c, ok := cloud.Named(lb.Cloud)
	if !ok {
		return badField("cloud", "got %q%s", lb.Cloud, meant.Hint(lb.Cloud, cloud.Names()))
	}
	for _, cause := range slices.Sorted(maps.Keys(lb.OwnStatuses)) {
		status := lb.OwnStatuses[cause]
		switch {
		case !slices.Contains(cloud.Causes, cause):
			return badField("own_statuses", "got the cause %q, want one of %q", cause, cloud.Causes)
		case !cloud.IsOwn(status):
			return badField("own_statuses."+string(cause), "got status %d, want one of %d", status, cloud.OwnStatuses())
		}
	}
	if c.Name == cloud.AWS {
		return nil
	}
	if lb.Type == TypeNetwork && c.Network == nil {
		return badField("cloud", "got %q with type %q, want it with %q only: its load balancer of connections is not built", c.Name, TypeNetwork, TypeApplication)
	}
	a := lb.Attributes
	common := Attributes{
		IdleTimeoutSeconds: a.IdleTimeoutSeconds, ClientKeepAliveSeconds: a.ClientKeepAliveSeconds, ResponseTimeoutSeconds: a.ResponseTimeoutSeconds, HTTP2: a.HTTP2,
	}
	sticky := slices.ContainsFunc(append(slices.Clone(lb.TargetGroups), lb.single()...), func(g targets.Group) bool { return g.Attributes.Sticky })
	rules := slices.ContainsFunc(lb.Listeners, func(l Listener) bool { return len(l.Rules)+len(l.DefaultActions) > 0 })
	switch {
	case lb.Type != TypeNetwork && !a.like(common):
		return badField("attributes", "got attributes of an ALB with cloud %q, want idle_timeout.timeout_seconds, response_timeout.timeout_seconds and routing.http2.enabled only", c.Name)
	case lb.ErrorBody == ErrorBodyPre2020:
		return badField("error_body", "got %q with cloud %q, want it with %q only", lb.ErrorBody, c.Name, cloud.AWS)
	case sticky || rules:
		return badField("cloud", "got %q with stickiness, rules or default_actions, want them with %q only: those of other clouds are not built", c.Name, cloud.AWS)
	}
	return nil
}

// like reports whether the attributes are those, once an ALB's defaults have been filled in
// or not.
func (a Attributes) like(other Attributes) bool {
	if a.XFFMode == xffAppend {
		a.XFFMode = ""
	}
	if a.DesyncMode == desyncDefensive {
		a.DesyncMode = ""
	}
	return a == other
}

// norms are the defaults and ranges of target groups.
func (lb LoadBalancer) norms() targets.Norms {
	c := cloud.Of(lb.Cloud)
	if lb.Type == TypeNetwork {
		return c.Network.Targets
	}
	return c.Targets
}

// idleHTTP2 is how long an HTTP/2 connection of a client may lie idle.
func (lb *LoadBalancer) idleHTTP2() time.Duration {
	if s := cloud.Of(lb.Cloud).Timers.HTTP2Idle; s > 0 {
		return time.Duration(s) * time.Second
	}
	return lb.Attributes.idleTimeout()
}

// responseTimeout is how long a target may be silent.
func (lb *LoadBalancer) responseTimeout() time.Duration {
	if s := lb.Attributes.ResponseTimeoutSeconds; s > 0 {
		return time.Duration(s) * time.Second
	}
	return lb.Attributes.idleTimeout()
}

// wholeResponse is how long a whole response may take; 0 for any time.
func (lb *LoadBalancer) wholeResponse() time.Duration {
	if cloud.Of(lb.Cloud).Timers.WholeResponse {
		return lb.responseTimeout()
	}
	return 0
}

// targetIdle is how long a connection to a target may lie idle.
func (lb *LoadBalancer) targetIdle() time.Duration {
	if s := cloud.Of(lb.Cloud).Timers.TargetIdle; s > 0 {
		return time.Duration(s) * time.Second
	}
	return lb.Attributes.idleTimeout()
}
