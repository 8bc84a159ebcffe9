// Package proxychaos tests, in a team's own Go tests, whether the configuration of their
// reverse proxy survives what a cloud load balancer does to it:
//
//	func TestOurNginxSurvivesARotation(t *testing.T) {
//		proxychaos.Run(t, proxychaos.Config("nginx", "./nginx"), scenarios.ALBIPRotate).MustPass()
//	}
//
// It reads no environment variable but those of Docker, and needs a Docker engine and
// the go command, with which it builds its agents.
package proxychaos

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/proxychaos/proxychaos/harness"
	"github.com/proxychaos/proxychaos/harness/judge"
	"github.com/proxychaos/proxychaos/harness/kind"
	"github.com/proxychaos/proxychaos/harness/run"
	"github.com/proxychaos/proxychaos/scenarios"
)

// Subject is a configuration under test. Make one with Config or Catalogued.
type Subject struct {
	subject harness.Subject
	err     error
}

// Config is a configuration of one's own: a file, or a folder, run as it is. Proxy is a
// kind of proxy, such as "nginx" or "haproxy". Run fails the test if it cannot be read.
func Config(proxy, path string) Subject {
	s, err := scenarios.OwnSubject(kind.Name(proxy), path, "", kind.Env{})
	return Subject{s, err}
}

// Catalogued is a subject of the project's own catalogue, such as "nginx/static@testing".
// Run fails the test if there is none of that ID.
func Catalogued(id string) Subject {
	s, err := scenarios.Catalogued(id)
	return Subject{s, err}
}

// Release runs a configuration of one's own on another line of versions: "testing", "oldstable".
func (s Subject) Release(name string) Subject {
	if s.err == nil {
		s.subject, s.err = scenarios.OwnSubject(s.subject.Kind, s.subject.Config, name, s.subject.Env)
	}
	return s
}

// Env gives a configuration of one's own variables: for its templates (*.template), and in
// the environment of its proxy.
func (s Subject) Env(values map[string]string) Subject {
	if s.err == nil {
		env := kind.Env{Values: values}
		env.Said = strings.Join(env.Assignments(), " ")
		s.subject, s.err = scenarios.OwnSubject(s.subject.Kind, s.subject.Config, s.subject.Release, env)
	}
	return s
}

// Option changes how a scenario is run.
type Option func(*run.Options)

// Request asks for a host, and for paths in rotation. Without it, or with an empty host or
// no path, what leads to the load balancer is found by trying.
func Request(host string, paths ...string) Option {
	return func(o *run.Options) {
		o.Host = host
		o.Paths = slices.DeleteFunc(slices.Clone(paths), func(path string) bool { return path == "" })
	}
}

// Port sends the requests to one port of the proxy, which is otherwise found by trying.
func Port(number uint16) Option { return func(o *run.Options) { o.Port = number } }

// Header adds a header to each request, or takes the place of the one that the load has of
// this name: those of a browser behind an ALB.
func Header(name, value string) Option {
	return func(o *run.Options) {
		if o.Headers == nil {
			o.Headers = map[string]string{}
		}
		o.Headers[name] = value
	}
}

// Settings are the numbers of the run: TTL, grace, rate, seed. They are taken whole, so
// begin with harness.DefaultSettings, which has those of `make scenario`.
func Settings(set harness.Settings) Option { return func(o *run.Options) { o.Settings = set } }

// Recordings keeps the recordings in a folder of one's own. Without it they are in a
// temporary folder, which is removed if the test passes.
func Recordings(dir string) Option { return func(o *run.Options) { o.Runs = dir } }

// Result is the result of a scenario on a subject.
type Result struct {
	judge.Verdict
	// Dir is the folder of the recording: judge it again with `proxychaos recheck`, see it
	// with `proxychaos report`.
	Dir string

	t      testing.TB
	replay string
}

// Run runs a scenario on a subject, which takes some 30 s, and returns the result.
// The test fails at once if the scenario could not be run.
func Run(t testing.TB, subject Subject, scenario harness.Scenario, options ...Option) *Result {
	t.Helper()
	if subject.err != nil {
		t.Fatal(subject.err)
	}
	opt := run.Options{
		Settings: harness.DefaultSettings(), Parallel: 1, Log: logger{t}, Compile: true,
	}
	for _, o := range options {
		o(&opt)
	}
	if opt.Runs == "" {
		opt.Runs = runsDir(t)
	}
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	lab, err := run.Open(ctx, opt)
	defer func() {
		if err := lab.Close(); err != nil {
			t.Errorf("taking down what was started: %v", err)
		}
	}()
	if err != nil {
		t.Fatal(err)
	}
	r := lab.Run(ctx, []run.Cell{{Scenario: scenario, Subject: subject.subject}})[0]
	switch {
	case r.Err != nil:
		t.Fatal(r.Err)
	case r.NotRun != "":
		t.Fatalf("%s was not run: %s", scenario.Name, r.NotRun)
	}
	return &Result{Verdict: r.Verdict, Dir: r.Dir, t: t, replay: r.Manifest.Replay}
}

// limit is how long a run may take, with the build of an image.
const limit = 15 * time.Minute

// MustPass fails the test unless the subject lost no more than the scenario allows. A run
// that proved nothing fails it too.
func (r *Result) MustPass() *Result {
	r.t.Helper()
	if r.Result != judge.Pass {
		r.t.Fatal(r.String())
	}
	return r
}

// MustFail fails the test unless the subject breaks: for a configuration that is known to.
func (r *Result) MustFail() *Result {
	r.t.Helper()
	if r.Result != judge.Fail {
		r.t.Fatal(r.String())
	}
	return r
}

// String is the verdict with its reasons, the first cause, and where the recording is.
func (r *Result) String() string {
	lines := []string{r.Result + ": " + strings.Join(r.Reasons, "; ")}
	if len(r.Findings) > 0 {
		lines = append(lines, r.Findings[0].Text)
	}
	return strings.Join(append(lines, "recording: "+r.Dir, "again: "+r.replay), "\n")
}

// runsDir is a folder that is kept if the test fails.
func runsDir(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "proxychaos-"+filepath.Base(strings.ReplaceAll(t.Name(), "/", "-"))+"-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if !t.Failed() {
			_ = os.RemoveAll(dir)
		}
	})
	return dir
}

// logger writes progress to the log of the test.
type logger struct{ t testing.TB }

func (l logger) Write(p []byte) (int, error) {
	l.t.Log(strings.TrimRight(string(p), "\n"))
	return len(p), nil
}
