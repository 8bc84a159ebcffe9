package claims

import (
	"strings"

	"github.com/proxychaos/proxychaos/harness"
)

// retimed is the scenario with what happens in the experiment. It has a name of its own,
// because nothing that is known of the scenario by its name is true of it.
func (e Experiment) retimed(s harness.Scenario) harness.Scenario {
	s.Name, s.Summary, s.Timeline = s.Name+"-own-timeline", "In the world of "+s.Name+", "+e.happens()+".", e.Timeline
	return s
}

// happens are the steps of the timeline, in words: "the proxy is restarted; 8s later old
// nodes go silent".
func (e Experiment) happens() string {
	var steps []string
	for _, step := range e.Timeline {
		var names []string
		for _, f := range step.Do {
			names = append(names, f.Name())
		}
		text := strings.Join(names, " and ")
		switch wait := string(step.Wait); wait {
		case "":
		case "grace", "outage":
			text = "after the " + wait + " " + text
		default:
			text = wait + " later " + text
		}
		steps = append(steps, text)
	}
	return strings.Join(steps, "; ")
}
