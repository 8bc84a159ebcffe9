package fakealb

import "github.com/prometheus/client_golang/prometheus"

// flowGauges are the gauges of network load balancers (4.12 D), taken when they
// are asked for.
type flowGauges struct{ s *Server }

var (
	activeFlowsDesc = prometheus.NewDesc("ActiveFlowCount", "Flows of a network load balancer.", metricLabels, nil)
	zoneHealthDesc  = prometheus.NewDesc("ZonalHealthStatus", "1 if the zone of a network load balancer has enough healthy targets, or else 0.", metricLabels, nil)
)

// Describe implements prometheus.Collector.
func (flowGauges) Describe(ch chan<- *prometheus.Desc) {
	ch <- activeFlowsDesc
	ch <- zoneHealthDesc
}

// Collect implements prometheus.Collector.
func (g flowGauges) Collect(ch chan<- prometheus.Metric) {
	g.s.mu.Lock()
	defer g.s.mu.Unlock()
	active, healthy := map[[2]string]int{}, map[[2]string]float64{}
	for _, n := range g.s.nodes {
		v := n.view()
		if v.lb.Type != TypeNetwork {
			continue
		}
		at := [2]string{v.lb.Name, v.zone}
		active[at] += n.flows.Active()
		if v.pools[unnamed].Status().DNS {
			healthy[at] = 1
		}
	}
	for at, n := range active {
		ch <- prometheus.MustNewConstMetric(activeFlowsDesc, prometheus.GaugeValue, float64(n), at[0], at[1])
		ch <- prometheus.MustNewConstMetric(zoneHealthDesc, prometheus.GaugeValue, healthy[at], at[0], at[1])
	}
}
