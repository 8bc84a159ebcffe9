package claims

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"

	"golang.org/x/mod/semver"

	"github.com/proxychaos/proxychaos/scenarios"
)

// Schema is the version of the file of stored results.
const Schema = 1

// Stored is the result of one experiment on one version of its proxy.
type Stored struct {
	// Experiment is the key of what was run: a claim whose experiment has changed since has
	// no results.
	Experiment string `json:"experiment"`
	Version    string `json:"version"`
	// Image is where the proxy is from: debian, registry, user, local.
	Image  string  `json:"image"`
	Commit string  `json:"commit"` // the build of proxychaos
	Day    string  `json:"day"`    // 2026-11-29
	Seed   uint64  `json:"seed"`
	Took   Figures `json:"figures"`
}

// Results are those of all experiments.
type Results struct {
	Schema int      `json:"schema"`
	Runs   []Stored `json:"runs"` // by experiment, then by version
}

// ReadResults reads stored results. A file that is not there has none.
func ReadResults(path string) (Results, error) {
	r := Results{Schema: Schema}
	text, err := os.ReadFile(path) //nolint:gosec // the caller's choice
	if errors.Is(err, fs.ErrNotExist) {
		return r, nil
	}
	if err == nil {
		err = json.Unmarshal(text, &r)
	}
	if err != nil {
		return r, fmt.Errorf("read %s: %w", path, err)
	}
	if r.Schema != Schema {
		return r, fmt.Errorf("%s has schema %d, want %d: make it again with make claims", path, r.Schema, Schema)
	}
	return r, nil
}

// Write stores the results.
func (r Results) Write(path string) error {
	text, err := json.MarshalIndent(r, "", " ")
	if err != nil {
		return err
	}
	return os.WriteFile(path, append(text, '\n'), 0o644) //nolint:gosec // a document
}

// With has a new result in the place of the one of the same experiment and version.
func (r Results) With(s Stored) Results {
	r.Runs = slices.DeleteFunc(slices.Clone(r.Runs), func(old Stored) bool {
		return old.Experiment == s.Experiment && old.Version == s.Version
	})
	r.Runs = append(r.Runs, s)
	slices.SortFunc(r.Runs, func(a, b Stored) int {
		return cmp.Or(cmp.Compare(a.Experiment, b.Experiment), compareVersions(a.Version, b.Version))
	})
	return r
}

// Of has the results of these claims' experiments and no others.
func (r Results) Of(all []Claim) Results {
	known := map[string]bool{}
	for _, c := range all {
		for _, e := range c.experiments() {
			known[e.Key()] = true
		}
	}
	r.Runs = slices.DeleteFunc(slices.Clone(r.Runs), func(s Stored) bool { return !known[s.Experiment] })
	return r
}

// of are those of one experiment, by version.
func (r Results) of(e Experiment) map[string]Stored {
	found, key := map[string]Stored{}, e.Key() // to make it takes the whole catalogue
	for _, s := range r.Runs {
		if s.Experiment == key {
			found[s.Version] = s
		}
	}
	return found
}

// keyLength is how much of the sum identifies an experiment.
const keyLength = 12

// Key tells experiments apart: by the scenario's name, the configuration and the variables.
// Two claims with the same experiment share its runs.
func (e Experiment) Key() string {
	spec := struct {
		Experiment
		Catalogued string `json:"catalogued,omitempty"`
	}{Experiment: e}
	if e.Subject != "" {
		spec.Catalogued = e.catalogued()
	}
	text, err := json.Marshal(spec)
	if err != nil {
		panic(err) // words and maps of words
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])[:keyLength]
}

// catalogued is the configuration of the catalogue's subject; empty if there is none.
func (e Experiment) catalogued() string {
	for _, s := range scenarios.Subjects() {
		if string(s.Kind)+"/"+s.Name == e.Subject {
			text, _ := fs.ReadFile(s.Files, s.Config) // a test sees to it that it is there
			return string(text)
		}
	}
	return ""
}

// experiments are those of the claim, each once.
func (c Claim) experiments() []Experiment {
	var all []Experiment
	for _, name := range c.names() {
		all = append(all, c.Runs[name])
	}
	for _, name := range c.besideNames() {
		all = append(all, c.Beside[name])
	}
	return all
}

// compareVersions orders versions of one proxy. What is no version comes by its letters.
func compareVersions(a, b string) int {
	if c := semver.Compare("v"+a, "v"+b); c != 0 {
		return c
	}
	return cmp.Compare(a, b)
}
