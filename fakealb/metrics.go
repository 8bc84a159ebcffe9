package fakealb

import (
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/proxychaos/proxychaos/fakealb/rules"
)

// metrics are counters under the names that CloudWatch has for them (6.1 D), with
// the labels LoadBalancer and AvailabilityZone. They count from the start; a
// reset leaves them.
type metrics struct {
	registry *prometheus.Registry
	counters map[string]*labelled[prometheus.Counter]
	response *labelled[prometheus.Observer]
	// perTarget is of target groups only, with their name as a label.
	perTarget *prometheus.CounterVec
}

var metricLabels = []string{"LoadBalancer", "AvailabilityZone"}

// metricHelp says what each counter counts.
var metricHelp = map[string]string{
	"NewConnectionCount":             "Connections that clients opened, and those made to targets of groups.",
	"RejectedConnectionCount":        "Connections rejected because the node had its maximum.",
	"NewFlowCount":                   "Connections that clients opened to a network load balancer.",
	"RejectedFlowCount":              "Connections rejected because the group had no target.",
	"TCP_Client_Reset_Count":         "Flows that clients reset.",
	"TCP_Target_Reset_Count":         "Flows that targets reset.",
	"TCP_ELB_Reset_Count":            "RSTs that the network load balancer sent of itself.",
	"PortAllocationErrorCount":       "Connections without a source port towards their target.",
	"UnhealthyRoutingFlowCount":      "Flows sent to unhealthy targets because too few were healthy.",
	"TargetTLSNegotiationErrorCount": "TLS handshakes with targets that failed.",
	"ClientTLSNegotiationErrorCount": "TLS handshakes of clients that failed.",
	"RequestCount":                   "Requests for which a target was chosen.",
	"GrpcRequestCount":               "Requests of gRPC.",
	"ProcessedBytes":                 "Bytes of requests and responses.",
	"HTTPCode_ELB_3XX_Count":         "Redirects of the load balancer itself.",
	"HTTPCode_ELB_4XX_Count":         "Responses 4XX of the load balancer itself.",
	"HTTPCode_ELB_5XX_Count":         "Responses 5XX of the load balancer itself.",
	"HTTPCode_ELB_500_Count":         "Responses 500 of the load balancer itself.",
	"HTTPCode_ELB_502_Count":         "Responses 502 of the load balancer itself.",
	"HTTPCode_ELB_503_Count":         "Responses 503 of the load balancer itself.",
	"HTTPCode_ELB_504_Count":         "Responses 504 of the load balancer itself.",
	"HTTPCode_Target_2XX_Count":      "Responses 2XX of targets.",
	"HTTPCode_Target_3XX_Count":      "Responses 3XX of targets.",
	"HTTPCode_Target_4XX_Count":      "Responses 4XX of targets.",
	"HTTPCode_Target_5XX_Count":      "Responses 5XX of targets.",
	"TargetConnectionErrorCount":     "Targets that could not be connected to.",
	"UnhealthyRoutingRequestCount":   "Requests routed regardless of health because too few targets were healthy.",
	"NonStickyRequestCount":          "Requests to sticky target groups for which a new target was chosen.",
	"AppCookieNonStickinessCount":    "Those of them to groups with an application cookie.",
	"RuleEvaluations":                "Listener rules evaluated, without the default ones.",
	"HTTP_Fixed_Response_Count":      "Fixed responses.",
	"HTTP_Redirect_Count":            "Redirects.",

	"HTTP_Redirect_Url_Limit_Exceeded_Count": "Redirects whose URL was longer than 8 KiB.",

	"DroppedInvalidHeaderRequestCount":                "Requests that lost header fields with invalid names on the way to a target.",
	"ForwardedInvalidHeaderRequestCount":              "Requests whose header fields with invalid names were sent to a target.",
	"DesyncMitigationMode_NonCompliant_Request_Count": "Requests that do not comply with RFC 7230.",
}

func (s *Server) createMetrics() {
	m := &s.metrics
	m.registry = prometheus.NewRegistry()
	m.counters = map[string]*labelled[prometheus.Counter]{}
	for name, help := range metricHelp {
		vec := prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, metricLabels)
		m.counters[name] = &labelled[prometheus.Counter]{with: vec.WithLabelValues}
		m.registry.MustRegister(vec)
	}
	response := prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name: "TargetResponseTime", Help: "Seconds from the request at the target to the head of its response.",
		Buckets: []float64{.001, .005, .01, .05, .1, .5, 1, 5, 10, 30, 60},
	}, metricLabels)
	m.response = &labelled[prometheus.Observer]{with: response.WithLabelValues}
	m.perTarget = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "RequestCountPerTarget", Help: "Requests to a target group, divided by its registered targets.",
	}, append(slices.Clone(metricLabels), "TargetGroup"))
	m.registry.MustRegister(response, m.perTarget, connectionCounts{s}, groupMetrics{s}, flowGauges{s})
}

func (m *metrics) count(name string, v view, n float64) {
	m.counters[name].of(v).Add(n)
}

// connectedToTarget counts a connection to a target that was made (1) or ended (-1).
func (s *Server) connectedToTarget(n *node, change int) {
	n.toTargets.Add(int64(change))
	if change > 0 {
		s.metrics.count("NewConnectionCount", n.view(), 1)
	}
}

// countExchange counts a request that was answered with status.
func (m *metrics) countExchange(x *exchange, status int, bytes int64) {
	m.count("ProcessedBytes", x.v, float64(bytes))
	if x.targetName() != "" {
		m.count("RequestCount", x.v, 1)
		if x.peers > 0 {
			m.perTarget.WithLabelValues(x.v.lb.Name, x.v.zone, x.group).Add(1 / float64(x.peers))
		}
		switch {
		case x.tlsFailed:
			m.count("TargetTLSNegotiationErrorCount", x.v, 1)
		case x.sentAt.IsZero():
			m.count("TargetConnectionErrorCount", x.v, 1)
		}
	}
	if x.req.ProtoMajor == 2 && isGRPC(x.req) {
		m.count("GrpcRequestCount", x.v, 1)
	}
	if name := x.invalidNames(); name != "" && x.targetName() != "" {
		m.count(name, x.v, 1)
	}
	if x.routing.evaluated > 0 {
		m.count("RuleEvaluations", x.v, float64(x.routing.evaluated))
	}
	switch {
	case x.routing.action == rules.Fixed:
		m.count("HTTP_Fixed_Response_Count", x.v, 1)
	case x.routing.redirect != "":
		m.count("HTTP_Redirect_Count", x.v, 1)
	case x.routing.action == rules.ToURL:
		m.count("HTTP_Redirect_Url_Limit_Exceeded_Count", x.v, 1)
	}
	if x.failedOpen {
		m.count("UnhealthyRoutingRequestCount", x.v, 1)
	}
	if t := x.targetStatus; t >= 200 && t <= 599 {
		m.count(targetCodeCounts[t/100], x.v, 1)
		m.response.of(x.v).Observe(x.headAt.Sub(x.sentAt).Seconds())
		return
	}
	m.countOwn(x.v, status)
}

// targetCodeCounts are the counters of targets' responses, by the first digit of
// their status.
var targetCodeCounts = [...]string{
	2: "HTTPCode_Target_2XX_Count", 3: "HTTPCode_Target_3XX_Count", 4: "HTTPCode_Target_4XX_Count", 5: "HTTPCode_Target_5XX_Count",
}

// countOwn counts a response of the load balancer itself.
func (m *metrics) countOwn(v view, status int) {
	switch {
	case status >= 300 && status <= 399:
		m.count("HTTPCode_ELB_3XX_Count", v, 1)
	case status >= 400 && status <= 499:
		m.count("HTTPCode_ELB_4XX_Count", v, 1)
	case status >= 500 && status <= 599:
		m.count("HTTPCode_ELB_5XX_Count", v, 1)
		if name := "HTTPCode_ELB_" + strconv.Itoa(status) + "_Count"; metricHelp[name] != "" {
			m.count(name, v, 1)
		}
	}
}

// connectionCounts are the gauges of connections, taken when they are asked for.
type connectionCounts struct{ s *Server }

var activeDesc = prometheus.NewDesc("ActiveConnectionCount", "Open connections of clients, and to targets of groups.", metricLabels, nil)

// Describe implements prometheus.Collector.
func (connectionCounts) Describe(ch chan<- *prometheus.Desc) { ch <- activeDesc }

// Collect implements prometheus.Collector.
func (h connectionCounts) Collect(ch chan<- prometheus.Metric) {
	h.s.mu.Lock()
	defer h.s.mu.Unlock()
	active := map[[2]string]int64{}
	for _, n := range h.s.nodes {
		if v := n.view(); v.lb.Type != TypeNetwork {
			active[[2]string{v.lb.Name, v.zone}] += n.active.Load() + n.toTargets.Load()
		}
	}
	for at, n := range active {
		ch <- prometheus.MustNewConstMetric(activeDesc, prometheus.GaugeValue, float64(n), at[0], at[1])
	}
}

func (m *metrics) handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{Timeout: 10 * time.Second})
}
