// Package incidents has well-known outages, as data over the catalogue: one file
// each. A scenario does what happened, a config of the catalogue shows what users saw, and
// another one holds.
package incidents

import (
	"fmt"
	"slices"

	"github.com/proxychaos/proxychaos/fakealb"
	"github.com/proxychaos/proxychaos/fakedns"
	"github.com/proxychaos/proxychaos/harness"
	"github.com/proxychaos/proxychaos/harness/fault"
	"github.com/proxychaos/proxychaos/harness/judge"
	"github.com/proxychaos/proxychaos/harness/meant"
	"github.com/proxychaos/proxychaos/harness/run"
	"github.com/proxychaos/proxychaos/scenarios"
)

// Incident is one outage.
type Incident struct {
	Name string // of make incident NAME=
	// Told is what happened, in a few sentences, and Sources are where that stands.
	Told    string
	Sources []string
	// Acts are what is run, in this order.
	Acts []Act
}

// Act is a scenario on configs of the catalogue.
type Act struct {
	Scenario harness.Scenario
	// Broke are the IDs of configs that show what was reported.
	Broke []string
	// As is what was reported: the kinds of failure, their cause, and the log line.
	As judge.Expectation
	// Held are the IDs of configs that pass: they lose no more than the scenario allows, which
	// is nothing unless nodes die without a warning.
	Held []string
}

// All are the incidents, the oldest first.
var All = []Incident{
	elbWrongHost, usEast1Storm, dyn, kubelet, govUK, traefik, vpcDNS, letsEncrypt, slack, jenkins, jdomain, guardian, deliveroo, usEast1, dify,
}

// Named is the incident of that name. The error lists those there are.
func Named(name string) (Incident, error) {
	var names []string
	for _, i := range All {
		names = append(names, i.Name)
	}
	if i := slices.Index(names, name); i >= 0 {
		return All[i], nil
	}
	return Incident{}, fmt.Errorf("there is no incident %q%s", name, meant.Hint(name, names))
}

// Cells are those of all acts. What broke has to break as it was reported, and what held
// has to pass.
func (i Incident) Cells() ([]run.Cell, error) {
	var cells []run.Cell
	for _, act := range i.Acts {
		add := func(ids []string, expect judge.Expectation) error {
			for _, id := range ids {
				s, err := scenarios.Catalogued(id)
				if err != nil {
					return fmt.Errorf("incident %s: %w", i.Name, err)
				}
				s.Expect = map[string]judge.Expectation{act.Scenario.Name: expect}
				cells = append(cells, run.Cell{Scenario: act.Scenario, Subject: s})
			}
			return nil
		}
		if err := add(act.Broke, act.As); err != nil {
			return nil, err
		}
		if err := add(act.Held, judge.Expectation{Verdict: judge.Pass}); err != nil {
			return nil, err
		}
	}
	return cells, nil
}

// dnsFails is the scenario in which all questions fail in one way.
func dnsFails(kind fakedns.Kind) harness.Scenario {
	return scenarios.DNSFails[slices.IndexFunc(scenarios.DNSFails, func(s harness.Scenario) bool {
		f, ok := s.Timeline[0].Do[0].(fault.FailDNS)
		return ok && f.Kind == kind && f.Type == ""
	})]
}

// tlsRefused is the scenario in which half of the nodes refuse TLS in one way.
func tlsRefused(kind fakealb.FaultKind) harness.Scenario {
	return scenarios.TLSRefused[slices.IndexFunc(scenarios.TLSRefused, func(s harness.Scenario) bool { return s.Name == string(kind) })]
}
