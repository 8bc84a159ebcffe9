package scenarios

import (
	"slices"

	"github.com/proxychaos/proxychaos/harness"
	"github.com/proxychaos/proxychaos/harness/fault"
)

// What a scenario is about, as a label: the name of its part, if that has one, or one of these.
const (
	AboutAddresses = "addresses" // the nodes, and what DNS says of them
	AboutDNS       = "dns"       // resolvers that fail
	AboutTLS       = "tls"       // handshakes with the nodes
)

// Labels are those of a scenario, for Ginkgo's label filter: its name and what it is
// about.
func Labels(s harness.Scenario) []string {
	about := AboutAddresses
	switch {
	case s.Part != "":
		about = string(s.Part)
	case s.TLS():
		about = AboutTLS
	case slices.ContainsFunc(s.Timeline, func(step harness.Step) bool { return slices.ContainsFunc(step.Do, failsDNS) }):
		about = AboutDNS
	}
	return []string{s.Name, about}
}

func failsDNS(f fault.Fault) bool {
	_, ok := f.(fault.FailDNS)
	return ok
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
