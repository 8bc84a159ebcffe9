package scenarios

import (
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/proxychaos/proxychaos/fakealb/cloud"
	"github.com/proxychaos/proxychaos/harness"
	"github.com/proxychaos/proxychaos/harness/judge"
	"github.com/proxychaos/proxychaos/harness/recording"
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
