// Package kind knows the kinds of proxy: how each has its configuration laid out, how
// it is started, which releases of it there are, where their images come from, and what its
// log says. Each is one file, and one line in [all].
//
// It is data and pure functions: it starts nothing.
package kind

import (
	"fmt"
	"io/fs"
	"regexp"
	"slices"
	"time"

	"github.com/proxychaos/proxychaos/harness/meant"
)

// Name is the word of PROXY=.
type Name string

// Kind is one proxy program.
type Kind struct {
	Name Name
	// Layout says where the files of a configuration go in the image, what surrounds a
	// fragment, and what is started.
	Layout func(Config) (Layout, error)
	// Hints are read out of a configuration.
	Hints Hints
	// Complaints are words of the lines, in lower case, in which the program says why it
	// does not start.
	Complaints []string
	// Advice is what to do about such lines, the more special first.
	Advice []Advice
	// Look finds in the configuration what such lines complain of, if they do not say it
	// well; nil if there is nothing to find.
	Look func(c Config, words string) string
	// UserImage says that its user names the image: nothing is known of the program.
	UserImage bool
	// Lacks says what a run cannot see or the program cannot do, for whoever runs it; empty
	// for nothing that matters.
	Lacks string
	// Early is the status with which the program answers while it listens and has not read
	// yet what it serves; 0 if it does not listen before.
	Early int
	// Reload is how the program is told to reload its configuration; nil if the harness knows
	// no way that needs nothing of the configuration.
	Reload *Reload
	// Stop is the signal at which the program finishes its requests and ends; TERM if
	// it is empty.
	Stop string
	// Marks are lines that the program writes when an upstream fails, the more telling
	// first.
	Marks []Mark
	// Errors finds its other lines at error level and above; none are looked for if it is nil.
	Errors *regexp.Regexp
	// Releases are the lines of versions that it can be run on; none if it is part of
	// this program, or in an image of the user's.
	Releases []Release
	// Usual is the name of the release that a configuration runs on unless the user says
	// another.
	Usual string
	// Image is where the image of a release comes from; empty if there are no releases.
	Image Image
}

// all are the kinds in the order of the reports. A new kind is registered here.
var all = []*Kind{&apache, &nginx, &haproxy, &caddy, &squid, &nghttpx, &lighttpd, &h2o, &varnish, &trafficserver, &pound, &traefik, &envoy, &goproxy, &anyImage}

// Names lists the kinds in the order of the reports.
func Names() []Name {
	var names []Name
	for _, k := range all {
		names = append(names, k.Name)
	}
	return names
}

// ImageVariables are the variables of the environment that name images of the user's.
func ImageVariables() []string {
	var names []string
	for _, k := range all {
		if k.Image.Variable != "" {
			names = append(names, k.Image.Variable)
		}
	}
	return names
}

// Of finds a kind by its name. The error lists those there are.
func Of(name Name) (*Kind, error) {
	i := slices.IndexFunc(all, func(k *Kind) bool { return k.Name == name })
	if i < 0 {
		return nil, fmt.Errorf("there is no kind of proxy %q%s", name, meant.Hint(name, Names()))
	}
	return all[i], nil
}

// Bundled says whether the program is part of this one.
func (k *Kind) Bundled() bool { return len(k.Releases) == 0 && !k.UserImage }

// StopOf is the signal at which programs of a kind finish their requests and end.
func StopOf(name Name) string {
	if k, err := Of(name); err == nil && k.Stop != "" {
		return k.Stop
	}
	return "TERM"
}

// Mark is a line of a log, by a part of it, and what it means.
type Mark struct{ Text, Meaning string }

// Marks are those of one kind. If there is no kind of that name, as in a recording of
// another build, they are those of all kinds.
func Marks(name Name) []Mark {
	if k, err := Of(name); err == nil {
		return k.Marks
	}
	var marks []Mark
	for _, k := range all {
		marks = append(marks, k.Marks...)
	}
	return marks
}

// Errors says whether a line of one kind's log is at error level or above. If there is no
// kind of that name, it says whether that is so for any kind.
func Errors(name Name, line string) bool {
	if k, err := Of(name); err == nil {
		return k.Errors != nil && k.Errors.MatchString(line)
	}
	return slices.ContainsFunc(all, func(k *Kind) bool { return k.Errors != nil && k.Errors.MatchString(line) })
}

// Hints say what can be read out of a configuration. What they miss or get wrong is
// not run otherwise: they are for explanations and allowances.
type Hints struct {
	// Refresh finds a period after which a name is looked up again: a number and a unit of ms,
	// s, m, h or d, or several of them one after the other, such as 1m30s.
	Refresh *regexp.Regexp
	// Keeps finds how long an address is used on after DNS has been seen to have it no
	// more, in the same form; nil if the program has nothing of the kind.
	Keeps *regexp.Regexp
	// Unit is that of a time without one; 0 is a second.
	Unit time.Duration
	// TLS finds an upstream that is spoken to over HTTPS.
	TLS *regexp.Regexp
	// Port finds the port of an upstream, besides those of URLs.
	Port *regexp.Regexp
	// Serves reads which hosts and paths are served.
	Serves func(Config) Serves
}

// aTime finds a time in the form of Hints.Refresh.
const aTime = `(\d+(?:ms|s|m|h|d)?(?:\d+(?:ms|s|m|h|d))*)\b`

// Release is one line of versions of a proxy.
type Release struct {
	Kind Name
	// Name tells releases of one kind apart: stable, testing, or a version.
	Name string
	// Official is the image of the public registry; empty if none matches.
	Official string
	// Suite is the Debian suite whose packages stand in for the official image; empty
	// if none carries this release. Which version a suite holds moves with Debian.
	Suite string
}

func (r Release) String() string { return string(r.Kind) + " " + r.Name }

// Release finds a release of a kind by its name. The error lists those there are.
func (k *Kind) Release(name string) (Release, error) {
	for _, r := range k.Releases {
		if r.Name == name {
			r.Kind = k.Name
			return r, nil
		}
	}
	hint, _ := k.releaseHint(name)
	return Release{}, fmt.Errorf("there is no release %q of %s%s", name, k.Name, hint)
}

// ReleaseNames are the names of its releases.
func (k *Kind) ReleaseNames() []string {
	var names []string
	for _, r := range k.Releases {
		names = append(names, r.Name)
	}
	return names
}

// Image is where the image of a release comes from, and how it tells its version.
type Image struct {
	// Variable is the environment variable that names an image of the user's, which
	// stands in for every release.
	Variable string
	// Version is the command that prints the program's version, and VersionLine finds it.
	Version     []string
	VersionLine *regexp.Regexp
	// Recipe makes an image in the official layout from Debian's packages.
	Recipe Recipe
	// Module is what the program is built from if there is no image of it and it was
	// asked for; nil for none.
	Module *Module
}

// Recipe says how Debian's packages become an image in the official layout.
type Recipe struct {
	Name     string   // of the image
	Packages []string // the proxy's own first
	// Extras is a regular expression of apt's: packages that are put in too if they can be
	// had. Empty for none.
	Extras string
	// Keeps are patterns of paths that images are otherwise made without.
	Keeps []string
	// User is one that configs give the program, besides those of every image; empty for none.
	User string
	// Files are put into the image as they lie in the folder; those below a folder bin
	// can be executed. Nil for none.
	Files fs.FS
	// Entries are folders and links beside them.
	Entries []Entry
	Changes []string // of the image's configuration
	Notes   []string // differences from the official image
}

// Entry is one folder (its Name ends in /) or symbolic link of an image.
type Entry struct {
	Name string // without a leading /
	Mode int64  // of a folder
	Link string
}

// below is the part of the embedded files that is under dir.
func below(files fs.FS, dir string) fs.FS {
	sub, err := fs.Sub(files, dir)
	if err != nil {
		panic(err) // the name is the program's own
	}
	return sub
}
