package scenarios

import (
	"slices"

	"github.com/proxychaos/proxychaos/harness"
	"github.com/proxychaos/proxychaos/harness/fault"
)

// What a scenario is about, as a label.
const (
	AboutAddresses = "addresses" // a name that moves
	AboutNodes     = "nodes"     // nodes that fail while their names keep them
	AboutDNS       = "dns"       // resolvers that fail
	AboutTLS       = "tls"       // handshakes with the nodes
	AboutTarget    = "target"    // the proxy as the target of a load balancer in front of it
)

// Labels are those of a scenario, for Ginkgo's label filter: its name and what it is
// about.
func Labels(s harness.Scenario) []string {
	labels := []string{s.Name}
	switch {
	case s.World.Front != nil:
		return append(labels, AboutTarget)
	case s.TLS():
		return append(labels, AboutTLS)
	}
	var dns, addresses bool
	for _, step := range s.Timeline {
		for _, f := range step.Do {
			switch f.(type) {
			case fault.FailDNS:
				dns = true
			case fault.ChangeDNS, fault.SwitchAlias:
				addresses = true
			}
		}
	}
	if addresses {
		labels = append(labels, AboutAddresses)
	}
	if dns {
		labels = append(labels, AboutDNS)
	}
	if !addresses && !dns {
		labels = append(labels, AboutNodes)
	}
	return labels
}

// SubjectLabels are those of a subject: its kind, its name, its role, its release.
func SubjectLabels(s harness.Subject) []string {
	labels := []string{string(s.Kind), string(s.Role)}
	for _, label := range []string{s.Name, s.Release} {
		if label != "" && !slices.Contains(labels, label) {
			labels = append(labels, label)
		}
	}
	return labels
}
