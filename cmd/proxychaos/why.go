package main

import (
	"context"
	"fmt"
	"slices"

	"github.com/proxychaos/proxychaos/harness"
	"github.com/proxychaos/proxychaos/harness/machine"
	"github.com/proxychaos/proxychaos/harness/run"
	"github.com/proxychaos/proxychaos/reports"
	"github.com/proxychaos/proxychaos/reports/compare"
	"github.com/proxychaos/proxychaos/scenarios/rollout"
)

// explainer finds which of the changes between A and B matter.
type explainer struct {
	set      *settings
	opt      run.Options
	question rollout.Question
	changed  *rollout.Changed // nil if that was not asked for
	logf     func(string, ...any)

	blames []reports.Blame
	in     string // the scenario
}

// whyAsked finds the changes, if WHY asks for them: what cannot be taken apart is said before
// anything is run.
func whyAsked(set *settings, a, b string) (*rollout.Changed, error) {
	if why, err := set.yes("WHY"); err != nil || !why {
		return nil, err
	}
	changed, err := rollout.FindChanges(a, b)
	if err != nil {
		return nil, fmt.Errorf("WHY=1: %w", err)
	}
	return changed, nil
}

// explain undoes each change by itself, in the scenario in which the difference counts most.
// Without a difference there is nothing to explain.
func (e *explainer) explain(ctx context.Context, decision compare.Comparison) (err error) {
	if e.changed == nil || ctx.Err() != nil || decision.Word != compare.Worse && decision.Word != compare.Better {
		return ctx.Err()
	}
	_, e.in, _ = decision.Telling(decision.Word)
	e.question.Scenarios = slices.DeleteFunc(slices.Clone(e.question.Scenarios), func(s harness.Scenario) bool { return s.Name != e.in })
	e.blames, err = rollout.Why(ctx, e.changed, decision.Word, e.without)
	return err
}

// without compares A with B without a change, which is then at a path.
func (e *explainer) without(ctx context.Context, change rollout.Change, path string) (compare.Word, error) {
	e.logf("takes back: %s", change)
	b := e.question.B
	asked, err := e.set.request(map[string]string{"CONFIG": path, "NAME": e.in, "PROXY": string(b.Kind), "RELEASE": b.Release, "ENV": b.Env.Said})
	if err != nil {
		return "", err
	}
	question := e.question
	question.B = asked.Subjects[0]
	question.B.Name = b.Name
	journal, err := rollout.OpenFile(e.opt.Runs, question.Words(e.opt, machine.Tool(ctx).Commit)...)
	if err != nil {
		return "", err
	}
	if !question.Decide(journal).Settled() {
		if err := answer(ctx, e.set, e.opt, question, journal, e.logf); err != nil {
			return "", err
		}
	}
	return question.Decide(journal).Word, nil
}
