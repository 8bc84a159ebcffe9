// Package scenarios is the catalogue: what can happen to a proxy (one file a
// scenario), and the configurations that the articles recommend or warn of
// (configs/<kind>/<name>), with what runs here have shown of each.
//
// The Ginkgo suite in scenarios/suite runs them. The data is importable without it.
package scenarios

import (
	"fmt"
	"slices"
	"strings"

	"github.com/proxychaos/proxychaos/harness"
)

// All are the scenarios, in the order of the reports.
var All = slices.Concat(
	[]harness.Scenario{
		ALBIPRotate, ALBIPRefuse, AliasSwitch, ALBIPAbrupt, ALBScaleOut, ALBPartialRotate, ZoneFlap,
		ALBNodeSilent, ALBNodeBlink, KeepAliveRace,
	},
	DNSFails, TLSRefused,
)

// Named returns the scenario of that name, or an error that lists them.
func Named(name string) (harness.Scenario, error) {
	var names []string
	for _, s := range All {
		if s.Name == name {
			return s, nil
		}
		names = append(names, s.Name)
	}
	return harness.Scenario{}, fmt.Errorf("there is no scenario %q; there are %s", name, strings.Join(names, ", "))
}
