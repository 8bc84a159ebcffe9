package scenarios

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/proxychaos/proxychaos/fakealb/cloud"
	"github.com/proxychaos/proxychaos/harness"
	"github.com/proxychaos/proxychaos/harness/judge"
	"github.com/proxychaos/proxychaos/harness/kind"
	"github.com/proxychaos/proxychaos/harness/recording"
	"github.com/proxychaos/proxychaos/reports"
)

// clouds are the names of all clouds, in words.
func clouds() string {
	var names []string
	for _, name := range cloud.Names() {
		names = append(names, string(name))
	}
	return strings.Join(names, ", ")
}

// onCloud are the scenarios with the load balancers of a cloud. One that was named is refused
// if it is about what these have not; of several those are left out.
func onCloud(name cloud.Name, all []harness.Scenario) ([]harness.Scenario, error) {
	if cloud.Known(name) && cloud.Of(name).Name == cloud.AWS {
		return all, nil
	}
	var some []harness.Scenario
	for _, s := range all {
		there, err := s.OnCloud(name)
		if err != nil && (len(all) == 1 || !cloud.Known(name)) {
			return nil, err
		}
		if err == nil {
			some = append(some, there)
		}
	}
	return some, nil
}

// onAnotherCloud is what is expected with the load balancers of another cloud than AWS. An
// ALB without targets answers 503, these with a status of their own. If they have one
// address a proxy has no other one to try, and its log has another line.
func onAnotherCloud(e judge.Expectation, name cloud.Name) judge.Expectation {
	c := cloud.Of(name)
	if own := strconv.Itoa(c.WithoutTargets().Status); slices.Contains(e.Outcomes, recording.Unavailable) && own != strconv.Itoa(http.StatusServiceUnavailable) {
		e.Outcomes = append(slices.Clone(e.Outcomes), own)
	}
	if c.Addresses == 1 {
		e.Log = ""
	}
	return e
}

// OfOneCloud is whose load balancers the cells had; empty for AWS's. It refuses those of two
// clouds: in what is made of many runs they would be one scenario.
func OfOneCloud(cells []reports.Cell) (cloud.Name, error) {
	for _, c := range cells {
		if first, of := cells[0].Manifest.World.Cloud, c.Manifest.World.Cloud; of != first {
			return "", fmt.Errorf("%s ran with CLOUD=%s and %s with CLOUD=%s: want runs with one cloud's load balancers",
				cells[0].Manifest.Scenario, cmp.Or(first, string(cloud.AWS)), c.Manifest.Scenario, cmp.Or(of, string(cloud.AWS)))
		}
	}
	if len(cells) == 0 {
		return "", nil
	}
	return cloud.Name(cells[0].Manifest.World.Cloud), nil
}

// OfAWS refuses cells that had another cloud's load balancers, for what is about AWS's.
func OfAWS(cells []reports.Cell) error {
	of, err := OfOneCloud(cells)
	if err == nil && of != "" {
		err = fmt.Errorf("%s ran with CLOUD=%s: want runs with AWS's load balancers", cells[0].Manifest.Scenario, of)
	}
	return err
}

// healsAtOneAddress says whether a subject asks DNS again once every address that it has has
// failed. If that is one it has lost one connect by then, and not two, which alb-ip-abrupt
// allows: on 2.4.71 apache/pooled passed in three runs of three, apache/smax-ttl in one of one.
func healsAtOneAddress(s harness.Subject) bool {
	return s.Kind == kind.Apache && (s.Name == "pooled" || s.Name == "smax-ttl") && s.Release != apacheNoRefresh
}
