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

// The ends of the attributes that tests carry: aws-fact, aws-score, cloud-fact.
const (
	factEnd  = "-fact"
	scoreEnd = "-score"
)

// tests is what was found in the output of go test, by the attribute that names facts.
type tests struct {
	proofs map[string]*proofs
	failed []string            // tests and packages
	scores map[string][]string // "package.Test: score"
}

// proofs are the tests of facts.
type proofs struct {
	passed  map[string][]string // fact to the tests that prove it
	skipped map[string][]string // fact to the tests that did not run
}

// of are the proofs of the facts that are named by an attribute.
func (t tests) of(attr string) proofs {
	if t.proofs[attr] == nil {
		t.proofs[attr] = &proofs{map[string][]string{}, map[string][]string{}}
	}
	return *t.proofs[attr]
}

// event is a line of go test -json (go doc test2json).
type event struct {
	Action, Package, Test, Key, Value string
}

func readTests(r io.Reader) (tests, error) {
	found := tests{proofs: map[string]*proofs{}, scores: map[string][]string{}}
	facts := map[string]map[string][]string{} // by test and attribute, until it has ended
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
		case e.Action == "attr" && strings.HasSuffix(e.Key, factEnd):
			if facts[id] == nil {
				facts[id] = map[string][]string{}
			}
			facts[id][e.Key] = append(facts[id][e.Key], e.Value)
		case e.Action == "attr" && strings.HasSuffix(e.Key, scoreEnd):
			of := strings.TrimSuffix(e.Key, scoreEnd) + factEnd
			found.scores[of] = append(found.scores[of], e.name()+": "+e.Value)
		case e.Action == "pass" && e.Test != "":
			ended++
			for attr, numbers := range facts[id] {
				note(found.of(attr).passed, e.name(), numbers)
			}
		case e.Action == "skip" && e.Test != "":
			for attr, numbers := range facts[id] {
				note(found.of(attr).skipped, e.name(), numbers)
			}
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
