package targets

import "fmt"

// Norms are what one cloud's target groups have by default, and what they may have. Times
// are in seconds and before scaling. Package cloud has those of each cloud.
type Norms struct {
	Interval, Timeout  Range // of health checks
	Healthy, Unhealthy Range // health checks in a row
	// HTTPTimeout is the default of Timeout for checks over HTTP; 0 if it is the same.
	HTTPTimeout int
	Matcher     string // of checks over HTTP
	// LateCheck says that the timeout of a health check may be longer than its interval.
	LateCheck bool
	Draining  Range
	// FailOpen says that requests go to targets that are unhealthy if too few are healthy.
	FailOpen bool
	// Retries is how many further targets are tried if a group does not say so.
	Retries int
	// RetriesLate says that another target is tried too if one did not answer in time.
	RetriesLate bool
	// FlowsOutlive says that flows live on if their target becomes unhealthy.
	FlowsOutlive bool
}

// AWS are the norms of Elastic Load Balancing (3.2, 3.3, 3.4 D; 3.1.6 O).
var AWS = Norms{
	Interval: Range{30, 5, 300}, Timeout: Range{5, 2, 120},
	Healthy: Range{5, 2, 10}, Unhealthy: Range{2, 2, 10},
	Matcher: "200", Draining: Range{300, 0, 3600}, FailOpen: true,
}

// AWSNetwork are those of network load balancers (4.4, 4.5, 4.9 D).
var AWSNetwork = Norms{
	Interval: Range{30, 5, 300}, Timeout: Range{10, 2, 120}, HTTPTimeout: 6,
	Healthy: Range{5, 2, 10}, Unhealthy: Range{2, 2, 10},
	Matcher: "200-399", Draining: Range{300, 0, 3600}, FailOpen: true,
}

// Range is the numbers that something may be.
type Range struct{ Default, Min, Max int }

// Fill puts the default in the place of 0, and says what is wrong with another number.
func (r Range) Fill(value *int) error {
	if *value == 0 {
		*value = r.Default
	}
	switch {
	case *value >= r.Min && *value <= r.Max:
		return nil
	case r.Min == r.Max:
		return fmt.Errorf("got %d, want %d, which cannot be set", *value, r.Min)
	}
	return fmt.Errorf("got %d, want %d to %d", *value, r.Min, r.Max)
}
