package fakealb

import (
	"slices"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/proxychaos/proxychaos/fakealb/targets"
)

// groupMetrics are the gauges of target groups (6.1 D), taken when they are asked
// for. Those of targets are as each node sees them, those of zones as any node of
// the zone does.
type groupMetrics struct{ s *Server }

// hostLabels are those of the gauges of targets, zoneLabels of those of zones.
var (
	hostLabels = append(slices.Clone(metricLabels), "TargetGroup", "Node")
	zoneLabels = []string{"LoadBalancer", "TargetGroup"}
)

func hostDesc(name, help string) *prometheus.Desc {
	return prometheus.NewDesc(name, help, hostLabels, nil)
}

func zoneDesc(name, help string) *prometheus.Desc {
	return prometheus.NewDesc(name, help, zoneLabels, nil)
}

// hostGauges count targets.
var hostGauges = []struct {
	desc   *prometheus.Desc
	counts func(targets.Health) bool
}{
	{hostDesc("HealthyHostCount", "Healthy targets."), func(h targets.Health) bool { return h.State == targets.Healthy }},
	{hostDesc("UnHealthyHostCount", "Unhealthy targets."), func(h targets.Health) bool { return h.State == targets.Unhealthy }},
	{hostDesc("AnomalousHostCount", "Targets with anomalies."), func(h targets.Health) bool { return h.Anomaly == targets.AnomalyAnomalous }},
	{hostDesc("MitigatedHostCount", "Targets under mitigation."), func(h targets.Health) bool { return h.Mitigation }},
	{hostDesc("ZonalShiftedHostCount", "Targets that a zonal shift takes out."), func(h targets.Health) bool { return h.Override == targets.OverrideZonalShift }},
}

// zoneGauges count zones that meet, or do not meet, a threshold.
var zoneGauges = []struct {
	desc   *prometheus.Desc
	counts func(targets.Status) bool
	any    bool // one node of the zone is enough; otherwise all have to be so
}{
	{zoneDesc("HealthyStateDNS", "Zones that meet the threshold of DNS."), func(s targets.Status) bool { return s.DNS }, true},
	{zoneDesc("UnhealthyStateDNS", "Zones that do not meet the threshold of DNS."), func(s targets.Status) bool { return !s.DNS }, false},
	{zoneDesc("HealthyStateRouting", "Zones that meet the threshold of routing."), func(s targets.Status) bool { return s.Routing }, true},
	{zoneDesc("UnhealthyStateRouting", "Zones that do not meet the threshold of routing."), func(s targets.Status) bool { return !s.Routing }, false},
}

// Describe implements prometheus.Collector.
func (groupMetrics) Describe(ch chan<- *prometheus.Desc) {
	for _, g := range hostGauges {
		ch <- g.desc
	}
	for _, g := range zoneGauges {
		ch <- g.desc
	}
}

// Collect implements prometheus.Collector.
func (m groupMetrics) Collect(ch chan<- prometheus.Metric) {
	m.s.mu.Lock()
	defer m.s.mu.Unlock()
	zones := map[[2]string]map[string][]targets.Status{} // by load balancer and group, by zone
	for _, n := range m.s.nodes {
		v := n.view()
		for name, pool := range v.pools {
			group := v.lb.groupName(name)
			health := pool.Health()
			for _, g := range hostGauges {
				count := 0.0
				for _, h := range health {
					if g.counts(h) {
						count++
					}
				}
				ch <- prometheus.MustNewConstMetric(g.desc, prometheus.GaugeValue, count, v.lb.Name, v.zone, group, n.addr.String())
			}
			of := [2]string{v.lb.Name, group}
			if zones[of] == nil {
				zones[of] = map[string][]targets.Status{}
			}
			zones[of][v.zone] = append(zones[of][v.zone], pool.Status())
		}
	}
	for of, byZone := range zones {
		for _, g := range zoneGauges {
			count := 0.0
			for _, nodes := range byZone {
				not := func(s targets.Status) bool { return !g.counts(s) }
				if g.any && slices.ContainsFunc(nodes, g.counts) || !g.any && !slices.ContainsFunc(nodes, not) {
					count++
				}
			}
			ch <- prometheus.MustNewConstMetric(g.desc, prometheus.GaugeValue, count, of[0], of[1])
		}
	}
}
