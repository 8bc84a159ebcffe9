package proxychaos

import (
	"fmt"
	"slices"

	"github.com/onsi/gomega"
	"github.com/onsi/gomega/gcustom"
	"github.com/onsi/gomega/types"

	"github.com/proxychaos/proxychaos/harness/judge"
)

// Hold succeeds for a *Result of a subject that lost no more than its scenario allows.
func Hold() types.GomegaMatcher {
	return gcustom.MakeMatcher(func(r *Result) (bool, error) { return r.Result == judge.Pass, nil }).
		WithTemplate("Expected the subject {{.To}} hold, got\n{{.Actual}}")
}

// Break succeeds for a *Result of a subject that broke. Neither Hold nor Break does for
// a run that proved nothing.
func Break() types.GomegaMatcher {
	return gcustom.MakeMatcher(func(r *Result) (bool, error) { return r.Result == judge.Fail, nil }).
		WithTemplate("Expected the subject {{.To}} break, got\n{{.Actual}}")
}

// HaveCause succeeds for a *Result with a finding of that code, such as judge.ResolvedOnce.
func HaveCause(code string) types.GomegaMatcher {
	return gcustom.MakeMatcher(func(r *Result) (bool, error) {
		return slices.ContainsFunc(r.Findings, func(f judge.Finding) bool { return f.Code == code }), nil
	}).WithTemplate(fmt.Sprintf("Expected the run {{.To}} have the finding %s, got\n{{.Actual}}", code))
}

// FailedRequests matches the number of requests that failed.
func FailedRequests(matcher types.GomegaMatcher) types.GomegaMatcher {
	return gomega.WithTransform(func(r *Result) int { return r.Failed }, matcher)
}
