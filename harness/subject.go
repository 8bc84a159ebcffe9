package harness

import (
	"io/fs"
	"time"

	"github.com/proxychaos/proxychaos/harness/judge"
	"github.com/proxychaos/proxychaos/harness/kind"
	"github.com/proxychaos/proxychaos/harness/recording"
)

// Role is what the articles (or the user) say of a subject. The run decides.
type Role string

// The roles.
const (
	Pitfall   Role = "pitfall"   // said to break
	Fix       Role = "fix"       // said to hold
	Reference Role = "reference" // what the others are compared with: loses nothing
	Own       Role = "own"       // the user's own config
)

// Subject is what is tested: a kind of proxy, a version of it, a config.
type Subject struct {
	Kind kind.Name
	Name string
	// Release says which line of versions: stable, testing, or a version that
	// only a registry has; see package kind. Empty for goproxy.
	Release string
	Role    Role
	// Summary says in a line what the config does, and who recommends it.
	Summary string
	// Since is the first version of the program that takes the config, by its own list of
	// changes; empty if every version that is run here takes it.
	Since string
	// Config is the file or folder that is run verbatim, in Files; on this machine if
	// that is nil.
	Config string
	Files  fs.FS
	// Env are the variables that a config of one's own is given.
	Env kind.Env
	// Image is the one that it runs in, if its user names it and nothing else is known of the
	// program; Command is what is started there, if not what the image starts by itself.
	Image   string
	Command kind.Command
	// TLS says that it speaks HTTPS to its upstream.
	TLS bool
	// Refresh is the longest time after which the subject, by its own config,
	// looks again: nginx valid=, Apache addressttl=. Zero if it asks DNS
	// for every request, or follows the TTL alone.
	Refresh time.Duration
	// Keeps is how long it goes on using an address after it has seen that DNS has it no
	// more: HAProxy's hold obsolete. It comes on top of Refresh.
	Keeps time.Duration
	// Scenarios are the names of those that it is run on. A config of one's own names none:
	// it is run on any.
	Scenarios []string
	// Expect is the outcome of each scenario, as runs here have shown it.
	Expect map[string]judge.Expectation
}

// MayKeep is how long the subject may use an address that has left DNS, on top of the TTL.
func (s Subject) MayKeep() time.Duration { return s.Refresh + s.Keeps }

// Stable is the release that a subject is run on unless it says another.
const Stable = "stable"

// ID is the subject's name in reports and folders: "nginx/static", or
// "nginx/static@testing" if the release is not Stable.
func (s Subject) ID() string {
	id := string(s.Kind) + "/" + s.Name
	if s.Release != "" && s.Release != Stable {
		id += "@" + s.Release
	}
	return id
}

// Recorded is the subject as the manifest of a recording has it.
func (s Subject) Recorded() recording.Subject {
	return recording.Subject{ID: s.ID(), Kind: string(s.Kind), Name: s.Name, Role: string(s.Role), Summary: s.Summary}
}
