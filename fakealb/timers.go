package fakealb

import (
	"time"

	"github.com/proxychaos/proxychaos/fakealb/cloud"
	"github.com/proxychaos/proxychaos/fakealb/sticky"
	"github.com/proxychaos/proxychaos/fakealb/targets"
)

// Timer is a timer of load balancers which Config.TimeScale divides.
type Timer struct {
	Name string `json:"name"`
	// ALB is how long it is by default in a real load balancer, Real how long that
	// is here.
	ALB  Duration `json:"alb"`
	Real Duration `json:"real"`
	// Setting is the field of the control API that sets it, empty for what is fixed.
	Setting string `json:"setting,omitempty"`
}

// Span is a time that passed, on the real clock and on that of the load balancers.
type Span struct {
	Real Duration `json:"real"`
	ALB  Duration `json:"alb"`
}

// since is the time from the start of the server to t.
func (s *Server) since(t time.Time) Span {
	d := t.Sub(s.started)
	return Span{Real: Duration(d), ALB: Duration(float64(d) * s.config.TimeScale)}
}

// timers are all there are, with their defaults.
func (s *Server) timers() []Timer {
	lb, _ := Attributes{}.check(cloud.Of(cloud.AWS)) // the defaults have no errors
	group, _, _ := targets.Group{}.Check()
	seconds := func(n int) time.Duration { return time.Duration(n) * time.Second }
	const (
		health     = "target_group.health_check."
		attributes = "target_group.attributes."
	)
	a := group.Attributes
	list := []Timer{
		{Name: "idle timeout", ALB: Duration(lb.idleTimeout()), Setting: "attributes.idle_timeout.timeout_seconds"},
		{Name: "client keep-alive", ALB: Duration(lb.clientKeepAlive()), Setting: "attributes.client_keep_alive.seconds"},
		{Name: "TLS handshake of a client", ALB: Duration(handshakeTimeout)},
		{Name: "connect to a target", ALB: Duration(targets.ConnectTimeout)},
		{Name: "TLS handshake with a target", ALB: Duration(targets.HandshakeTimeout)},
		{Name: "health check interval", ALB: Duration(seconds(group.Health.IntervalSeconds)), Setting: health + "interval_seconds"},
		{Name: "health check timeout", ALB: Duration(seconds(group.Health.TimeoutSeconds)), Setting: health + "timeout_seconds"},
		{Name: "deregistration delay", ALB: Duration(seconds(*a.DeregistrationDelaySeconds)), Setting: attributes + "deregistration_delay.timeout_seconds"},
		{Name: "slow start", ALB: Duration(seconds(a.SlowStartSeconds)), Setting: attributes + "slow_start.duration_seconds"},
		{Name: "window of the anomaly detection", ALB: Duration(targets.AnomalyWindow)},
		{Name: "stickiness by the load balancer's cookie", ALB: Duration(seconds(a.LBCookieSeconds)), Setting: attributes + "stickiness.lb_cookie.duration_seconds"},
		{Name: "stickiness by the application's cookie", ALB: Duration(seconds(a.AppCookieSeconds)), Setting: attributes + "stickiness.app_cookie.duration_seconds"},
		{Name: "life of a cookie", ALB: Duration(sticky.Expiry)},
		{Name: "control plane lag", Setting: "nodes: control_plane_lag"},
		{Name: "idle timeout of TCP flows", ALB: Duration(seconds(cloud.Of(cloud.AWS).Network.Idle.Default)), Setting: "listeners.attributes.tcp.idle_timeout.seconds"},
		{Name: "idle timeout of TLS flows", ALB: Duration(seconds(cloud.Of(cloud.AWS).Network.Idle.Default))},
		{Name: "keepalives of TLS listeners", ALB: Duration(tlsKeepalive)},
		{Name: "connect of a flow", ALB: Duration(flowConnect)},
		{Name: "a flow's port in use", ALB: Duration(portHold)},
		{Name: "unhealthy.draining", ALB: Duration(seconds(a.UnhealthyDrainingSeconds)), Setting: attributes + "target_health_state.unhealthy.draining_interval_seconds"},
	}
	for i := range list {
		list[i].Real = Duration(s.scaled(time.Duration(list[i].ALB)))
	}
	return list
}
