package scenarios

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"

	images "github.com/distribution/reference"

	"github.com/proxychaos/proxychaos/fakealb/cloud"
	"github.com/proxychaos/proxychaos/harness"
	"github.com/proxychaos/proxychaos/harness/config"
	"github.com/proxychaos/proxychaos/harness/kind"
	"github.com/proxychaos/proxychaos/harness/meant"
	"github.com/proxychaos/proxychaos/harness/run"
	"github.com/proxychaos/proxychaos/harness/wayin"
	"github.com/proxychaos/proxychaos/reports/baseline"
)

// Request is what a user asks to be run: every scenario on every subject.
type Request struct {
	Options   run.Options
	Scenarios []harness.Scenario
	Subjects  []harness.Subject
	// Floor is the number of cells below which a run proves too little.
	Floor int
	// Baseline has the results of earlier nights; nil if the run is not compared with any.
	Baseline *baseline.Baseline
	// Shard is the part of the cells that is run.
	Shard Shard
}

// Prefix stands before a word of a run in the environment. The words alone are make's:
// some shells have a NAME or a PROXY of their own.
const Prefix = "PROXYCHAOS_"

// Environment looks a word up in this process's environment.
func Environment(word string) (string, bool) { return os.LookupEnv(Prefix + word) }

// Word is something that can be said of a run: GRACE=8s to make, --grace 8s to the
// command, PROXYCHAOS_GRACE=8s in the environment.
type Word struct {
	Name    string
	Value   string // its value, as the help shows it
	Usage   string // what it sets
	Default string // empty for none
}

// Words are all words but NAME, which says what is run.
var Words = []Word{
	{"PROXY", "KIND", "the kind of proxy that the config is for; without a config, run the catalogued ones of this kind", ""},
	{"CONFIG", "PATH", "your own config, a file or a folder; it is run unchanged", ""},
	{"IMAGE", "NAME", "with PROXY=image: the image of any other proxy", ""},
	{"COMMAND", "WORDS", "with PROXY=image: what follows the image in docker run; without it the image runs its own command", ""},
	{"ENV", "FILE", "variables for your config: a file with a line NAME=value for each, or 'NAME=value OTHER=value'", ""},
	{"RELEASE", "RELEASE", "the proxy's release: stable, testing, oldstable, oldoldstable", ""},
	{"SUBJECT", "ID", "run one catalogued config, such as nginx/static@testing", ""},
	{"CLOCK", "CLOCK", "scaled, or production, which shortens nothing: a cell then takes five minutes", string(harness.Scaled)},
	{"CLOUD", "CLOUD", "whose load balancers these are: " + clouds(), string(cloud.AWS)},
	{"TTL", "TIME", "time to live of the DNS answers", "1s"},
	{"GRACE", "TIME", "how long the old nodes serve after the name has moved", "8s"},
	{"OUTAGE", "TIME", "how long DNS fails, or a node is away, in scenarios in which it comes back", "10s"},
	{"POSTS", "NUMBER", "how many of 100 requests are POSTs", "0"},
	{"RATE", "NUMBER", "requests per second", "100"},
	{"PEAK", "NUMBER", "how many requests at once fill the proxy's connection pools before the load", "64"},
	{"SEED", "NUMBER", "random seed; decides when, within the proxy's own timers, the first fault happens", "1"},
	{"MAX_FAILED", "NUMBER", "how many requests your config may lose besides what the scenario allows", "0"},
	{"RECOVER_WITHIN", "TIME", "how long requests of your config may fail after each fault that takes something away (a node, DNS)", ""},
	{"HOST_HEADER", "HOST", "the host that requests ask for, if not the one that is found by trying", ""},
	{"URL_PATH", "PATH", "the path that requests ask for, or several with commas between them", ""},
	{"PROXY_PORT", "PORT", "the port of the proxy that requests go to", ""},
	{"HEADERS", "HEADERS", "headers to add to requests: 'Name: value, Other: value'", ""},
	{"PARALLEL", "NUMBER", "cells at a time; without it 3 for each core, fewer above 100 requests per second", ""},
	{"RUNS", "FOLDER", "where recordings and reports go", "runs"},
	{"FLOOR", "NUMBER", "how many cells have to run; if fewer do, the run fails", "1"},
	{"BASELINE", "FILE", "compare the run with the earlier nights in this file; built-in is the file of this build", ""},
	{"SHARD", "PART", "run a part of the cells: 2/8 is the second of eight; report merge puts the parts together", ""},
	{"KIT", "FILE", "the agents, a build of proxychaos for Linux; made if there is none", ""},
}

// FromEnvironment makes a request of words, each looked up by its name. Without NAME it is
// for all scenarios, with a config of one's own for the standing ones.
func FromEnvironment(lookup func(string) (string, bool)) (Request, error) {
	said := saying(lookup)
	r := Request{Scenarios: All, Options: run.Options{
		Wanted: wayin.Wanted{Host: said.or("HOST_HEADER", "")},
		Runs:   said.or("RUNS", "runs"), Binary: said.or("KIT", ""), Log: os.Stderr,
	}}
	var err error
	if r.Options.Settings, err = harness.SettingsFrom(lookup); err != nil {
		return r, err
	}
	for _, part := range []func(*Request) error{said.whole, said.wanted, said.scenarios, said.subjects} {
		if err := part(&r); err != nil {
			return r, err
		}
	}
	return r, r.plannable()
}

// saying looks the words of a run up.
type saying func(word string) (string, bool)

// or is what was said of a word, or else the standard.
func (s saying) or(word, standard string) string {
	if v, ok := s(word); ok && v != "" {
		return v
	}
	return standard
}

// whole takes the words about the run as a whole.
func (s saying) whole(r *Request) (err error) {
	if r.Options.Parallel, err = number("PARALLEL", s.or("PARALLEL", strconv.Itoa(CellsAtATime(runtime.NumCPU(), r.Options.Settings.Rate))), 1, 1000); err != nil {
		return err
	}
	if r.Floor, err = number("FLOOR", s.or("FLOOR", "1"), 1, 1_000_000); err != nil {
		return err
	}
	if r.Shard, err = parseShard(s.or("SHARD", "")); err != nil {
		return err
	}
	if r.Baseline, err = readBaseline(s.or("BASELINE", "")); err != nil {
		return err
	}
	if r.Shard.Of > 1 { // they are about all shards together
		r.Floor, r.Baseline = 1, nil
	}
	return nil
}

// wanted takes what requests are to ask for.
func (s saying) wanted(r *Request) error {
	port, err := number("PROXY_PORT", s.or("PROXY_PORT", "0"), 0, 65535)
	if err != nil {
		return err
	}
	r.Options.Port = uint16(port)
	if paths := s.or("URL_PATH", ""); paths != "" {
		if r.Options.Paths, err = wayin.Paths(paths); err != nil {
			return fmt.Errorf("URL_PATH: %w", err)
		}
	}
	if headers := s.or("HEADERS", ""); headers != "" {
		if r.Options.Headers, err = wayin.Headers(headers); err != nil {
			return fmt.Errorf("HEADERS: %w", err)
		}
	}
	if strings.ContainsAny(r.Options.Host, " \t\r\n/") {
		return fmt.Errorf("HOST_HEADER=%q: want the name of a host, or a name and a port", r.Options.Host)
	}
	return nil
}

// scenarios takes what is run, and on whose load balancers.
func (s saying) scenarios(r *Request) error {
	if name := s.or("NAME", ""); name != "" {
		one, err := Named(name)
		if err != nil {
			return err
		}
		r.Scenarios = []harness.Scenario{one}
	} else if s.or("CONFIG", "") != "" {
		r.Scenarios = standing
	}
	of := cloud.Name(s.or("CLOUD", ""))
	var err error
	if r.Scenarios, err = onCloud(of, r.Scenarios); err != nil {
		return err
	}
	if r.Baseline != nil && r.Scenarios[0].World.Cloud != "" {
		return fmt.Errorf("CLOUD=%s: earlier nights were with AWS's load balancers; leave BASELINE= out, or CLOUD=", of)
	}
	return nil
}

// subjects takes what it is run on.
func (s saying) subjects(r *Request) (err error) {
	r.Subjects, err = chooseSubjects(func(word string) string { return s.or(word, "") })
	if err != nil {
		return err
	}
	if own := r.Subjects[0].Role == harness.Own; !own && (r.Options.Settings.MaxFailed > 0 || r.Options.Settings.RecoverWithin > 0) {
		return errors.New("MAX_FAILED= and RECOVER_WITHIN= are for a config of your own: give CONFIG= too, or leave them out")
	}
	r.Options.Compile = s.or("PROXY", "") != "" || s.or("SUBJECT", "") != ""
	r.Options.NeedsEngine = !slices.ContainsFunc(r.Subjects, func(of harness.Subject) bool { return of.Kind == kind.GoProxy })
	return nil
}

// plannable refuses, before anything is started, what cannot be planned.
func (r Request) plannable() error {
	cells := 0
	for _, s := range r.Scenarios {
		for _, cell := range r.suited(s) {
			cells++
			if _, err := s.PlanOf(cell.Subject, r.Options.Settings, s.World.Place(nowhere)); err != nil {
				return err
			}
		}
	}
	if cells == 0 {
		return noCell(r.Scenarios[0], r.Subjects[0])
	}
	return nil
}

// nowhere is the address of every node of a plan that is only checked.
func nowhere(int) netip.Addr { return netip.Addr{} }

// noCell explains a scenario that suits no subject.
func noCell(s harness.Scenario, subject harness.Subject) error {
	switch {
	case subject.Role != harness.Own:
	case s.Reloads() && kind.ReloadOf(subject.Kind) == nil:
		return fmt.Errorf("%s reloads the configuration of the proxy, and it is not known here how to tell %s to do that: give another scenario", s.Name, subject.Kind)
	default:
		return fmt.Errorf("%s is about TLS between proxy and nodes, and %s speaks plain HTTP to them: give a config with https:// upstreams, or another scenario", s.Name, subject.ID())
	}
	var suited []string
	for _, other := range Subjects() {
		if s.Suits(other) {
			suited = append(suited, other.ID())
		}
	}
	if len(subject.Scenarios) < len(suited) {
		return fmt.Errorf("SUBJECT=%s is in the catalogue for %s alone: give one of these, or a config of your own", subject.ID(), strings.Join(subject.Scenarios, ", "))
	}
	return fmt.Errorf("SUBJECT=%s is not in the catalogue for %s: give one of %s, or a config of your own", subject.ID(), s.Name, strings.Join(suited, ", "))
}

// suited are the cells of one scenario in all shards: it on each subject that it suits.
func (r Request) suited(s harness.Scenario) []run.Cell {
	var cells []run.Cell
	for _, subject := range r.Subjects {
		if s.Suits(subject) {
			cells = append(cells, run.Cell{Scenario: s, Subject: subject})
		}
	}
	return cells
}

func number(name, text string, least, most int) (int, error) {
	n, err := strconv.Atoi(text)
	if err != nil || n < least || n > most {
		return 0, fmt.Errorf("%s=%s: want a whole number from %d to %d", name, text, least, most)
	}
	return n, nil
}

func chooseSubjects(get func(word string) string) ([]harness.Subject, error) {
	proxy, path, release, subject := get("PROXY"), get("CONFIG"), get("RELEASE"), get("SUBJECT")
	if proxy != "" && !slices.Contains(kind.Names(), kind.Name(proxy)) {
		return nil, fmt.Errorf("PROXY=%s: there is no such kind of proxy%s", proxy, meant.Hint(kind.Name(proxy), kind.Names()))
	}
	if path != "" && proxy == "" {
		return nil, fmt.Errorf("CONFIG=%s: say what it is for with PROXY=, one of %s", path, kinds())
	}
	if path != "" || proxy == string(kind.Any) || get("IMAGE") != "" || get("COMMAND") != "" {
		own, err := ownSubject(kind.Name(proxy), get)
		return []harness.Subject{own}, err
	}
	var found []harness.Subject
	for _, s := range Subjects() {
		if (proxy == "" || s.Kind == kind.Name(proxy)) && (release == "" || s.Release == release) &&
			(subject == "" || s.ID() == subject) {
			found = append(found, s)
		}
	}
	if len(found) == 0 {
		return nil, noSubject(proxy, release, subject)
	}
	return found, nil
}

// noSubject explains that no config of the catalogue is what the words ask for.
func noSubject(proxy, release, subject string) error {
	var ids, releases []string
	for _, s := range Subjects() {
		ids = append(ids, s.ID())
		if s.Release != "" && (proxy == "" || s.Kind == kind.Name(proxy)) && !slices.Contains(releases, s.Release) {
			releases = append(releases, s.Release)
		}
	}
	if release != "" && !slices.Contains(releases, release) && len(releases) > 0 {
		what := "there is no such release in the catalogue"
		if proxy != "" {
			what = "the catalogue has no config of " + proxy + " on it"
		}
		hint, _ := kind.ReleaseHint(release, releases)
		return fmt.Errorf("RELEASE=%s: %s%s", release, what, hint)
	}
	if subject != "" && !slices.Contains(ids, subject) {
		return fmt.Errorf("SUBJECT=%s: there is no such config in the catalogue%s", subject, meant.Hint(subject, ids))
	}
	var asked []string
	for _, word := range []struct{ name, value string }{{"PROXY", proxy}, {"RELEASE", release}, {"SUBJECT", subject}} {
		if word.value != "" {
			asked = append(asked, word.name+"="+word.value)
		}
	}
	return fmt.Errorf("no config of the catalogue has %s; there are %s", strings.Join(asked, " and "), strings.Join(ids, ", "))
}

// kinds are the kinds of proxy, in words.
func kinds() string {
	var names []string
	for _, name := range kind.Names() {
		names = append(names, string(name))
	}
	return strings.Join(names, ", ")
}

// ownSubject is what the words say of a user's own configuration, or image.
func ownSubject(proxy kind.Name, get func(word string) string) (harness.Subject, error) {
	env, err := kind.ReadEnv(get("ENV"))
	if err != nil {
		return harness.Subject{}, err
	}
	image, command := get("IMAGE"), get("COMMAND")
	switch {
	case proxy == kind.Any && get("RELEASE") != "":
		return harness.Subject{}, fmt.Errorf("RELEASE=%s: an image is of one release; leave RELEASE out", get("RELEASE"))
	case proxy == kind.Any:
		return ImageSubject(image, command, get("CONFIG"), env)
	case image != "":
		return harness.Subject{}, fmt.Errorf("IMAGE=%s: it is for PROXY=image, a program of which nothing is known; %s", image, imageOf(proxy))
	case command != "":
		return harness.Subject{}, fmt.Errorf("COMMAND=%s: it is for PROXY=image; the other kinds of proxy are started as their official images do it", command)
	}
	return OwnSubject(proxy, get("CONFIG"), get("RELEASE"), env)
}

// imageOf is how the image of a known kind is named.
func imageOf(proxy kind.Name) string {
	if k, err := kind.Of(proxy); err == nil && k.Image.Variable != "" {
		return "an image for PROXY=" + string(proxy) + " is named in the environment, as " + k.Image.Variable + "="
	}
	return "give PROXY=image too"
}

// ImageSubject is a program of which nothing is known but its image: what its user has
// started there, with the files that lie at path. Without a command the image starts what
// it starts by itself; without a path it has its own files. It has to pass.
func ImageSubject(image, command, path string, env kind.Env) (harness.Subject, error) {
	if image == "" {
		return harness.Subject{}, errors.New("PROXY=image: say which one with IMAGE=")
	}
	if _, err := images.ParseAnyReference(image); err != nil {
		return harness.Subject{}, fmt.Errorf("IMAGE=%s: want the name of an image as docker run takes it, such as team/proxy:7: %w", image, err)
	}
	words, err := kind.ReadCommand(command)
	if err != nil {
		return harness.Subject{}, err
	}
	conf, err := config.Read(kind.Any, nil, path, env)
	if err != nil {
		return harness.Subject{}, err
	}
	base, _, _ := strings.Cut(image[strings.LastIndex(image, "/")+1:], "@")
	base, _, _ = strings.Cut(base, ":")
	return harness.Subject{
		Kind: kind.Any, Name: "own-" + notInFolders.ReplaceAllString(base, "-"), Role: harness.Own, Config: path, Env: env,
		Image: image, Command: words, Summary: "your own image", TLS: conf.TLS() || strings.Contains(command, "https://"),
	}, nil
}

// OwnSubject is a user's own configuration as a subject, with the variables that it is
// given: it has to pass.
func OwnSubject(name kind.Name, path, release string, env kind.Env) (harness.Subject, error) {
	if name == kind.Any {
		return ImageSubject("", "", path, env) // which says what is missing
	}
	release, err := ownRelease(name, release)
	if err != nil {
		return harness.Subject{}, err
	}
	conf, err := config.Read(name, nil, path, env)
	if err != nil {
		return harness.Subject{}, err
	}
	if _, err := conf.Layout(); err != nil {
		return harness.Subject{}, err
	}
	whole, err := filepath.Abs(path) // "." has a name too
	if err != nil {
		return harness.Subject{}, fmt.Errorf("CONFIG=%s: %w", path, err)
	}
	base := filepath.Base(whole)
	called := notInFolders.ReplaceAllString(strings.TrimSuffix(base, filepath.Ext(base)), "-")
	return harness.Subject{
		Kind: name, Name: "own-" + called, Release: release, Role: harness.Own, Config: path, Env: env,
		Summary: "your own config", Refresh: conf.Refresh(), Keeps: conf.Keeps(), TLS: conf.TLS(),
	}, nil
}

// notInFolders is what a recording's folder cannot have in its name.
var notInFolders = regexp.MustCompile(`[^A-Za-z0-9_.@+=-]+`)

// ownRelease is the release that a user's own config runs on.
func ownRelease(name kind.Name, release string) (string, error) {
	k, err := kind.Of(name)
	switch {
	case err != nil:
		return "", err
	case k.Bundled() && release != "":
		return "", fmt.Errorf("RELEASE=%s: %s is always the one of this build; leave RELEASE out", release, name)
	case k.Bundled():
		return "", nil
	case release == "":
		return k.Usual, nil
	}
	if err := k.UnknownRelease(release); err != nil {
		return "", fmt.Errorf("RELEASE=%s: %w", release, err)
	}
	return release, nil
}
