package scenarios

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/proxychaos/proxychaos/harness"
	"github.com/proxychaos/proxychaos/harness/config"
	"github.com/proxychaos/proxychaos/harness/run"
)

// FromEnvironment reads what make passes on:
//
//	NAME                   of the scenario; empty for all
//	PROXY, CONFIG          the user's own config, and what kind of proxy it is for
//	RELEASE                of PROXY: stable, testing; default stable
//	SUBJECT                one catalogued subject, such as nginx/static@testing
//	TTL, GRACE, RATE, SEED numbers of the run
//	URL_PATH, HOST_HEADER, PROXY_PORT
//	                       of the requests, where a config of one's own needs it
//	PARALLEL               cells at a time
//	RUNS                   the folder of the recordings
//	KIT                    the static build of cmd/proxychaos for the agents
func FromEnvironment(lookup func(string) (string, bool)) (run.Options, []harness.Scenario, []harness.Subject, error) {
	get := func(name, standard string) string {
		if v, ok := lookup(name); ok && v != "" {
			return v
		}
		return standard
	}
	opt := run.Options{
		Path: get("URL_PATH", "/"), Host: get("HOST_HEADER", "www.example.com"),
		Runs: get("RUNS", filepath.Join("..", "runs")), Binary: get("KIT", ""), Log: os.Stderr,
	}
	var err error
	if opt.Settings, err = harness.SettingsFrom(lookup); err != nil {
		return opt, nil, nil, err
	}
	if opt.Parallel, err = number("PARALLEL", get("PARALLEL", "4"), 1, 64); err != nil {
		return opt, nil, nil, err
	}
	port, err := number("PROXY_PORT", get("PROXY_PORT", "0"), 0, 65535)
	if err != nil {
		return opt, nil, nil, err
	}
	opt.Port = uint16(port) //nolint:gosec // bounded above
	if !strings.HasPrefix(opt.Path, "/") {
		return opt, nil, nil, fmt.Errorf("URL_PATH=%s: want a path that begins with /", opt.Path)
	}
	chosen := All
	if name := get("NAME", ""); name != "" {
		s, err := Named(name)
		if err != nil {
			return opt, nil, nil, err
		}
		chosen = []harness.Scenario{s}
	}
	subjects, err := chooseSubjects(get("PROXY", ""), get("CONFIG", ""), get("RELEASE", ""), get("SUBJECT", ""))
	return opt, chosen, subjects, err
}

func number(name, text string, least, most int) (int, error) {
	n, err := strconv.Atoi(text)
	if err != nil || n < least || n > most {
		return 0, fmt.Errorf("%s=%s: want a whole number from %d to %d", name, text, least, most)
	}
	return n, nil
}

func chooseSubjects(proxy, path, release, subject string) ([]harness.Subject, error) {
	if proxy != "" && !slices.Contains(harness.Kinds, harness.Kind(proxy)) {
		return nil, fmt.Errorf("PROXY=%s: there is no such kind of proxy; there are %v", proxy, harness.Kinds)
	}
	if path != "" {
		if proxy == "" {
			return nil, fmt.Errorf("CONFIG=%s: say what it is for with PROXY=, one of %v", path, harness.Kinds)
		}
		own, err := OwnSubject(harness.Kind(proxy), path, release)
		return []harness.Subject{own}, err
	}
	var found []harness.Subject
	var all []string
	for _, s := range Subjects() {
		all = append(all, s.ID())
		if (proxy == "" || s.Kind == harness.Kind(proxy)) && (release == "" || s.Release == release) &&
			(subject == "" || s.ID() == subject) {
			found = append(found, s)
		}
	}
	if len(found) == 0 {
		return nil, fmt.Errorf("no subject in the catalogue has PROXY=%q RELEASE=%q SUBJECT=%q; there are %s", proxy, release, subject, strings.Join(all, ", "))
	}
	return found, nil
}

// OwnSubject is a user's own configuration as a subject: it has to pass.
func OwnSubject(kind harness.Kind, path, release string) (harness.Subject, error) {
	if release == "" && kind != harness.GoProxy {
		release = harness.Stable
	}
	if known := releases[kind]; release != "" && !slices.Contains(known, release) && !slices.Contains([]string{harness.Stable, "testing"}, release) {
		return harness.Subject{}, fmt.Errorf("RELEASE=%s: %s has %s", release, kind, strings.Join(known, ", "))
	}
	conf, err := config.Read(kind, path)
	if err != nil {
		return harness.Subject{}, err
	}
	if _, err := conf.Layout(); err != nil {
		return harness.Subject{}, err
	}
	name := strings.TrimSuffix(filepath.Base(path), filepath.Ext(path))
	if name == "" || name == "." {
		return harness.Subject{}, errors.New("CONFIG has no name")
	}
	return harness.Subject{
		Kind: kind, Name: "own-" + name, Release: release, Role: harness.Own, Config: path,
		Summary: "your own config", Refresh: conf.Refresh(),
	}, nil
}
