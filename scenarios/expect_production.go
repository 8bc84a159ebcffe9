package scenarios

import (
	"slices"

	"github.com/proxychaos/proxychaos/harness/judge"
	"github.com/proxychaos/proxychaos/harness/recording"
)

// onProduction is what is expected on the production clock, where the users' patience of
// 10 s ends before a connect that nothing answers (60 s in nginx and Apache, 127 s in the
// kernel). So they may see a timeout in place of each other failure, and the log may have
// another line.
func onProduction(e judge.Expectation) judge.Expectation {
	e.Log = ""
	if len(e.Outcomes) > 0 {
		e.Outcomes = append(slices.Clone(e.Outcomes), recording.Timeout)
	}
	return e
}
