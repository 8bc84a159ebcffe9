package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

// module is cut off the names of packages.
const module = "github.com/proxychaos/proxychaos/"

// The attributes that tests carry.
const (
	factAttr  = "aws-fact"
	scoreAttr = "aws-score"
)

// tests is what was found in the output of go test.
type tests struct {
	passed  map[string][]string // fact to the tests that prove it
	skipped map[string][]string // fact to the tests that did not run
	failed  []string            // tests and packages
	scores  []string            // "package.Test: score"
}

// event is a line of go test -json (go doc test2json).
type event struct {
	Action, Package, Test, Key, Value string
}

func readTests(r io.Reader) (tests, error) {
	found := tests{passed: map[string][]string{}, skipped: map[string][]string{}}
	facts := map[string][]string{} // by test, until it has ended
	decoder := json.NewDecoder(r)
	ended := 0
	for {
		var e event
		err := decoder.Decode(&e)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return found, fmt.Errorf("the output of go test -json: %w", err)
		}
		id := e.Package + "." + e.Test
		switch {
		case e.Action == "attr" && e.Key == factAttr:
			facts[id] = append(facts[id], e.Value)
		case e.Action == "attr" && e.Key == scoreAttr:
			found.scores = append(found.scores, e.name()+": "+e.Value)
		case e.Action == "pass" && e.Test != "":
			ended++
			note(found.passed, e.name(), facts[id])
		case e.Action == "skip" && e.Test != "":
			note(found.skipped, e.name(), facts[id])
		case e.Action == "fail" && e.Package != "":
			found.failed = append(found.failed, strings.TrimSuffix(strings.TrimPrefix(id, module), "."))
		}
	}
	if ended == 0 {
		return found, errors.New("no test passed: pipe the output of go test -json in")
	}
	return found, nil
}

// name is the test function; subtests are left out.
func (e event) name() string {
	test, _, _ := strings.Cut(e.Test, "/")
	return strings.TrimPrefix(e.Package, module) + "." + test
}

func note(to map[string][]string, name string, facts []string) {
	for _, f := range facts {
		if !slices.Contains(to[f], name) {
			to[f] = append(to[f], name)
		}
	}
}
