package goproxy

import (
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// metrics are the counters of one proxy, in a registry of their own.
type metrics struct {
	registry *prometheus.Registry
	requests *prometheus.CounterVec
	duration *prometheus.HistogramVec
}

func newMetrics() *metrics {
	m := &metrics{
		registry: prometheus.NewRegistry(),
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "goproxy_requests_total", Help: "Requests by upstream and status; 499 is a client that went away.",
		}, []string{"upstream", "status"}),
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "goproxy_request_duration_seconds", Help: "Time from the request header to the end of the response.",
			Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60},
		}, []string{"upstream"}),
	}
	m.registry.MustRegister(m.requests, m.duration,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// dropped counts what a queue of the access log has no room for.
func (m *metrics) dropped(q *logQueue) {
	m.registry.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{
		Name: "goproxy_access_log_dropped_total", Help: "Lines dropped because 4 MiB of them waited for a reader that stalled.",
	}, func() float64 { return float64(q.dropped.Load()) }))
}

func (m *metrics) request(upstream string, status int, took time.Duration) {
	m.requests.WithLabelValues(upstream, strconv.Itoa(status)).Inc()
	m.duration.WithLabelValues(upstream).Observe(took.Seconds())
}

// handler serves the metrics together with the state of p at that moment.
func (m *metrics) handler(p *Proxy) http.Handler {
	gatherers := prometheus.Gatherers{m.registry}
	state := prometheus.NewRegistry()
	state.MustRegister(stateCollector{p})
	return promhttp.HandlerFor(append(gatherers, state), promhttp.HandlerOpts{})
}

// stateCollector reads what upstreams count for themselves.
type stateCollector struct{ p *Proxy }

var (
	// A member is in them, because two may have one address, or follow one name.
	endpointLabels  = []string{"upstream", "member", "address"}
	attemptsDesc    = prometheus.NewDesc("goproxy_attempts_total", "Attempts by reason: first, retry, hedge, rescue.", []string{"upstream", "reason"}, nil)
	ejectionsDesc   = prometheus.NewDesc("goproxy_ejections_total", "Times an address was left out because of a failed request.", []string{"upstream"}, nil)
	panicDesc       = prometheus.NewDesc("goproxy_upstream_panic", "1 while too few addresses are healthy and all are used.", []string{"upstream"}, nil)
	checksDesc      = prometheus.NewDesc("goproxy_health_checks_total", "Health checks by result: ok, failed.", []string{"upstream", "member", "address", "result"}, nil)
	outstandingDesc = prometheus.NewDesc("goproxy_endpoint_outstanding", "Attempts without a finished response.", endpointLabels, nil)
	usableDesc      = prometheus.NewDesc("goproxy_endpoint_usable", "1 when the address takes requests, 0 when it is left out or disabled.", endpointLabels, nil)
	dnsQueriesDesc  = prometheus.NewDesc("goproxy_dns_queries_total", "DNS messages sent.", []string{"upstream", "member", "name"}, nil)
	dnsFailuresDesc = prometheus.NewDesc("goproxy_dns_failures_total", "DNS questions without a usable answer.", []string{"upstream", "member", "name"}, nil)
	dnsChangesDesc  = prometheus.NewDesc("goproxy_dns_changes_total", "Changes of the address set.", []string{"upstream", "member", "name"}, nil)
)

// Describe implements prometheus.Collector.
func (c stateCollector) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{attemptsDesc, ejectionsDesc, panicDesc, checksDesc, outstandingDesc, usableDesc, dnsQueriesDesc, dnsFailuresDesc, dnsChangesDesc} {
		ch <- d
	}
}

// Collect implements prometheus.Collector.
func (c stateCollector) Collect(ch chan<- prometheus.Metric) {
	now := time.Now()
	for name, up := range c.p.table.Load().upstreams {
		for r := range reasons {
			ch <- prometheus.MustNewConstMetric(attemptsDesc, prometheus.CounterValue, float64(up.attempts[r].Load()), name, reason(r).String())
		}
		ch <- prometheus.MustNewConstMetric(ejectionsDesc, prometheus.CounterValue, float64(up.ejections.Load()), name)
		if up.cfg.PanicPercent > 0 {
			ch <- prometheus.MustNewConstMetric(panicDesc, prometheus.GaugeValue, zeroOrOne(up.panicking.Load()), name)
		}
		for _, e := range up.set.Load().endpoints {
			usable := zeroOrOne(!e.disabled.Load() && !e.member.refuses("") && !e.leftOut(now))
			if up.cfg.HealthCheck != nil {
				ch <- prometheus.MustNewConstMetric(checksDesc, prometheus.CounterValue, float64(e.health.passed.Load()), name, e.member.id, e.addr.String(), "ok")
				ch <- prometheus.MustNewConstMetric(checksDesc, prometheus.CounterValue, float64(e.health.failed.Load()), name, e.member.id, e.addr.String(), "failed")
			}
			ch <- prometheus.MustNewConstMetric(outstandingDesc, prometheus.GaugeValue, float64(e.outstanding.Load()), name, e.member.id, e.addr.String())
			ch <- prometheus.MustNewConstMetric(usableDesc, prometheus.GaugeValue, usable, name, e.member.id, e.addr.String())
		}
		for _, m := range up.members {
			if m.follower == nil {
				continue
			}
			s, host := m.follower.Stats(), m.url.Hostname()
			ch <- prometheus.MustNewConstMetric(dnsQueriesDesc, prometheus.CounterValue, float64(s.Queries), name, m.id, host)
			ch <- prometheus.MustNewConstMetric(dnsFailuresDesc, prometheus.CounterValue, float64(s.Failures), name, m.id, host)
			ch <- prometheus.MustNewConstMetric(dnsChangesDesc, prometheus.CounterValue, float64(s.Changes), name, m.id, host)
		}
	}
}

func zeroOrOne(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
