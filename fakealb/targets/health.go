package targets

// State is the health of a target as one node sees it.
type State string

// The states of targets (3.2 D). Unavailable is of groups whose health checks are
// disabled, which an ALB has for Lambda functions only, so not here.
const (
	Initial   State = "initial"
	Healthy   State = "healthy"
	Unhealthy State = "unhealthy"
	Unused    State = "unused"
	Draining  State = "draining"
	// UnhealthyDraining is of network load balancers (4.5 D): see NetworkAttributes.
	UnhealthyDraining State = "unhealthy.draining"
)

// Reasons of a state (3.2 D). Not here are those of EC2 instances and Lambda
// functions: Target.InvalidState, Target.IpUnusable, Target.HealthCheckDisabled,
// and Elb.InternalError.
const (
	reasonRegistering   = "Elb.RegistrationInProgress"
	reasonInitial       = "Elb.InitialHealthChecking"
	reasonMismatch      = "Target.ResponseCodeMismatch"
	reasonTimeout       = "Target.Timeout"
	reasonFailed        = "Target.FailedHealthChecks"
	reasonNotInUse      = "Target.NotInUse"
	reasonDeregistering = "Target.DeregistrationInProgress"
)

// descriptions are what AWS says of reasons that need no detail.
var descriptions = map[string]string{
	reasonRegistering:   "Target registration is in progress",
	reasonInitial:       "Initial health checks in progress",
	reasonTimeout:       "Request timed out",
	reasonFailed:        "Health checks failed",
	reasonNotInUse:      "Target group is not configured to receive traffic from the load balancer",
	reasonDeregistering: "Target deregistration is in progress",
}

// Health is a target's state with its reason.
type Health struct {
	Target      string `json:"target"` // ip:port, or the name of a built-in one
	Zone        string `json:"zone,omitempty"`
	State       State  `json:"state"`
	Reason      string `json:"reason,omitempty"`
	Description string `json:"description,omitempty"`
	// Anomaly is normal or anomalous, and Mitigation whether that lessens the
	// target's share of the requests (3.4.4 D).
	Anomaly    string `json:"anomaly"`
	Mitigation bool   `json:"mitigation"`
	// Override is no_override or zonal_shift_active (1.16 D).
	Override string `json:"administrative_override"`
	// Outstanding is how many requests the node has under way with it.
	Outstanding int `json:"outstanding"`
}

// The values of Health.Anomaly and Health.Override.
const (
	AnomalyNormal    = "normal"
	AnomalyAnomalous = "anomalous"

	OverrideNone       = "no_override"
	OverrideZonalShift = "zonal_shift_active"
)

// condition is a state with its reason.
type condition struct {
	state               State
	reason, description string
}

func because(s State, reason string) condition { return condition{s, reason, descriptions[reason]} }

// note takes the result of one health check and reports whether the state is
// another now. A newly registered target is healthy after one success, whatever
// the threshold (3.2 D); one failure makes it unhealthy (G).
func (t *target) note(r result, h HealthCheck) bool {
	was := t.now.state
	switch {
	case r.ok == (was == Healthy) && was != Initial:
		t.streak = 0
		if r.ok {
			return false
		}
	case was == Initial,
		r.ok && t.streak+1 >= h.HealthyThreshold,
		!r.ok && t.streak+1 >= h.UnhealthyThreshold:
		t.streak = 0
		t.now.state = Unhealthy
		if r.ok {
			t.now.state = Healthy
		}
	default:
		t.streak++
		return false
	}
	t.now.reason, t.now.description = r.reason, r.description
	return t.now.state != was
}
