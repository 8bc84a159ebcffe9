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

	"github.com/proxychaos/proxychaos/harness"
	"github.com/proxychaos/proxychaos/harness/config"
	"github.com/proxychaos/proxychaos/harness/kind"
	"github.com/proxychaos/proxychaos/harness/run"
	"github.com/proxychaos/proxychaos/harness/wayin"
)

// Request is what a user asks to be run: every scenario on every subject.
type Request struct {
	Options   run.Options
	Scenarios []harness.Scenario
	Subjects  []harness.Subject
	// Floor is the number of cells below which a run proves too little.
	Floor int
}

// Prefix stands before a word of a run in the environment. The words alone are make's:
// some shells have a NAME or a PROXY of their own.
const Prefix = "PROXYCHAOS_"

// Environment looks a word up in this process's environment.
func Environment(word string) (string, bool) { return os.LookupEnv(Prefix + word) }

// Word is something that can be said of a run: GRACE=8s to make, --grace 8s to the
// command, PROXYCHAOS_GRACE=8s in the environment.
type Word struct {
	Name  string
	Usage string // what it sets; a word in backquotes stands for its value
}

// Words are all words but NAME, which says what is run.
var Words = []Word{
	{"PROXY", "what `KIND` of proxy the config is for; without a config, the catalogued ones of this kind"},
	{"CONFIG", "your own config, a file or a folder at `PATH`, which is run as it is"},
	{"ENV", "variables for your config: a `FILE` of them, or NAME=value OTHER=value"},
	{"RELEASE", "the proxy's `RELEASE`: stable, testing, oldstable, oldoldstable"},
	{"SUBJECT", "one catalogued config, by its `ID`, such as nginx/static@testing"},
	{"CLOCK", "scaled, or production, a `CLOCK` that shortens nothing (default scaled)"},
	{"TTL", "`TIME` to live of the DNS answers (default 1s)"},
	{"GRACE", "how long the old nodes serve on after the name has moved (a `TIME`; default 8s)"},
	{"OUTAGE", "how long DNS fails, or a node is away, where that ends (a `TIME`; default 10s)"},
	{"POSTS", "how many of 100 requests are POSTs (a `NUMBER`; default 0)"},
	{"RATE", "requests per second (a `NUMBER`; default 100)"},
	{"PEAK", "how many requests at once fill the proxy's pools before the load (a `NUMBER`; default 64)"},
	{"SEED", "random seed: a `NUMBER` that decides when the first fault comes (default 1)"},
	{"MAX_FAILED", "a `NUMBER` of requests that your config may lose besides what the scenario allows (default 0)"},
	{"RECOVER_WITHIN", "a `TIME` for which requests of your config may fail after each loss"},
	{"HOST_HEADER", "the `HOST` of the requests, if not the one that is found by trying"},
	{"URL_PATH", "their `PATH`, or several with commas between them"},
	{"PROXY_PORT", "the `PORT` of the proxy that they go to"},
	{"HEADERS", "`HEADERS` to add, such as 'Name: value, Other: value'"},
	{"PARALLEL", "a `NUMBER` of cells at a time (default 3 for each core; fewer above 100 requests per second)"},
	{"RUNS", "the `FOLDER` of recordings and reports (default runs)"},
	{"FLOOR", "a `NUMBER` of cells that have to run; fewer are a failure"},
	{"KIT", "the `FILE` of the agents, a build of proxychaos for Linux; made if there is none"},
}

// FromEnvironment makes a request of words, each looked up by its name. Without NAME it is
// for all scenarios, with a config of one's own for the standing ones.
func FromEnvironment(lookup func(string) (string, bool)) (Request, error) {
	get := func(name, standard string) string {
		if v, ok := lookup(name); ok && v != "" {
			return v
		}
		return standard
	}
	r := Request{Scenarios: All, Options: run.Options{
		Wanted: wayin.Wanted{Host: get("HOST_HEADER", "")},
		Runs:   get("RUNS", "runs"), Binary: get("KIT", ""), Log: os.Stderr,
	}}
	var err error
	if r.Options.Settings, err = harness.SettingsFrom(lookup); err != nil {
		return r, err
	}
	if r.Options.Parallel, err = number("PARALLEL", get("PARALLEL", strconv.Itoa(CellsAtATime(runtime.NumCPU(), r.Options.Settings.Rate))), 1, 1000); err != nil {
		return r, err
	}
	if r.Floor, err = number("FLOOR", get("FLOOR", "1"), 1, 1_000_000); err != nil {
		return r, err
	}
	port, err := number("PROXY_PORT", get("PROXY_PORT", "0"), 0, 65535)
	if err != nil {
		return r, err
	}
	r.Options.Port = uint16(port)
	if paths := get("URL_PATH", ""); paths != "" {
		if r.Options.Paths, err = wayin.Paths(paths); err != nil {
			return r, fmt.Errorf("URL_PATH: %w", err)
		}
	}
	if headers := get("HEADERS", ""); headers != "" {
		if r.Options.Headers, err = wayin.Headers(headers); err != nil {
			return r, fmt.Errorf("HEADERS: %w", err)
		}
	}
	if strings.ContainsAny(r.Options.Host, " \t\r\n/") {
		return r, fmt.Errorf("HOST_HEADER=%q: want the name of a host, or a name and a port", r.Options.Host)
	}
	if name := get("NAME", ""); name != "" {
		s, err := Named(name)
		if err != nil {
			return r, err
		}
		r.Scenarios = []harness.Scenario{s}
	} else if get("CONFIG", "") != "" {
		r.Scenarios = standing
	}
	r.Subjects, err = chooseSubjects(get("PROXY", ""), get("CONFIG", ""), get("ENV", ""), get("RELEASE", ""), get("SUBJECT", ""))
	if err != nil {
		return r, err
	}
	if own := r.Subjects[0].Role == harness.Own; !own && (r.Options.Settings.MaxFailed > 0 || r.Options.Settings.RecoverWithin > 0) {
		return r, errors.New("got MAX_FAILED= or RECOVER_WITHIN= without a config of your own: what a catalogued config may lose is settled; give CONFIG= too")
	}
	r.Options.NeedsEngine = !slices.ContainsFunc(r.Subjects, func(s harness.Subject) bool { return s.Kind == kind.GoProxy })
	// What cannot be planned is refused before anything is started.
	cells := 0
	for _, s := range r.Scenarios {
		for _, cell := range r.Cells(s) {
			cells++
			if _, err := s.PlanOf(cell.Subject, r.Options.Settings, s.World.Place(nowhere)); err != nil {
				return r, err
			}
		}
	}
	if cells == 0 {
		return r, noCell(r.Scenarios[0], r.Subjects[0])
	}
	return r, nil
}

// nowhere is the address of every node of a plan that is only checked.
func nowhere(int) netip.Addr { return netip.Addr{} }

// noCell explains a scenario that suits no subject.
func noCell(s harness.Scenario, subject harness.Subject) error {
	if subject.Role == harness.Own {
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

// Cells are those of one scenario: it on each subject that it suits.
func (r Request) Cells(s harness.Scenario) []run.Cell {
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

func chooseSubjects(proxy, path, env, release, subject string) ([]harness.Subject, error) {
	if proxy != "" && !slices.Contains(kind.Names(), kind.Name(proxy)) {
		return nil, fmt.Errorf("PROXY=%s: there is no such kind of proxy; there are %v", proxy, kind.Names())
	}
	if path != "" {
		if proxy == "" {
			return nil, fmt.Errorf("CONFIG=%s: say what it is for with PROXY=, one of %v", path, kind.Names())
		}
		given, err := kind.ReadEnv(env)
		if err != nil {
			return nil, err
		}
		own, err := OwnSubject(kind.Name(proxy), path, release, given)
		return []harness.Subject{own}, err
	}
	var found []harness.Subject
	var all []string
	for _, s := range Subjects() {
		all = append(all, s.ID())
		if (proxy == "" || s.Kind == kind.Name(proxy)) && (release == "" || s.Release == release) &&
			(subject == "" || s.ID() == subject) {
			found = append(found, s)
		}
	}
	if len(found) == 0 {
		return nil, fmt.Errorf("no subject in the catalogue has PROXY=%q RELEASE=%q SUBJECT=%q; there are %s", proxy, release, subject, strings.Join(all, ", "))
	}
	return found, nil
}

// OwnSubject is a user's own configuration as a subject, with the variables that it is
// given: it has to pass.
func OwnSubject(name kind.Name, path, release string, env kind.Env) (harness.Subject, error) {
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
		release = k.Usual
	}
	if _, err := k.Release(release); err != nil {
		return "", fmt.Errorf("RELEASE=%s: %w", release, err)
	}
	return release, nil
}
