package fakealb

import "sync/atomic"

// labelled is a metric for each pair of load balancer and zone. It remembers the
// pair it was asked for last, which most often is the next one too.
type labelled[M any] struct {
	with func(labels ...string) M
	last atomic.Pointer[labelledOne[M]]
}

type labelledOne[M any] struct {
	loadBalancer, zone string
	metric             M
}

// of is the metric for the load balancer and zone of v.
func (l *labelled[M]) of(v view) M {
	if last := l.last.Load(); last != nil && last.loadBalancer == v.lb.Name && last.zone == v.zone {
		return last.metric
	}
	metric := l.with(v.lb.Name, v.zone)
	l.last.Store(&labelledOne[M]{v.lb.Name, v.zone, metric})
	return metric
}
