package scenarios

import (
	"embed"
	"fmt"
	"path"
	"slices"

	"github.com/proxychaos/proxychaos/harness"
	"github.com/proxychaos/proxychaos/harness/kind"
	"github.com/proxychaos/proxychaos/harness/meant"
)

// Configs are the catalogued configurations: configs/<kind>/<name>.
//
//go:embed configs
var Configs embed.FS

// apacheNoRefresh is the last Apache that never looks a name up again.
const apacheNoRefresh = "2.4.58"

// releases are the lines of versions that each kind is run on, where behaviour
// changed between them.
var releases = map[kind.Name][]string{
	kind.Apache: {apacheNoRefresh, harness.Stable},
	kind.Nginx:  {harness.Stable, "testing"},
	// 2.6 goes on with pooled connections to an address that it has left, 3.2 does not.
	kind.HAProxy:  {"oldstable", "testing"},
	kind.Caddy:    {"testing"},
	kind.Squid:    {harness.Stable},
	kind.Nghttpx:  {harness.Stable},
	kind.Lighttpd: {harness.Stable},
	kind.H2O:      {"oldstable"},
	kind.Varnish:  {harness.Stable},
	// Debian's stable has no Traffic Server.
	kind.TrafficServer: {"oldstable"},
	kind.Pound:         {harness.Stable},
	kind.Traefik:       {harness.Stable},
	kind.Envoy:         {harness.Stable},
}

// Subjects are the catalogued subjects, each once for every release that it is
// run on.
func Subjects() []harness.Subject {
	var all []harness.Subject
	for _, entry := range catalogue {
		if entry.Scenarios == nil {
			entry.Scenarios = names(general)
		}
		entry.Files, entry.Config = Configs, path.Join("configs", string(entry.Kind), entry.Config)
		of := releases[entry.Kind]
		if entry.Release != "" || len(of) == 0 {
			of = []string{entry.Release}
		}
		for _, release := range of {
			s := entry.Subject
			s.Release = release
			if other, ok := entry.on[release]; ok {
				s.Expect = other
			}
			for _, f := range few {
				if e, ok := f.on[s.ID()]; ok {
					s.Scenarios = append(slices.Clip(s.Scenarios), f.Name)
					s.Expect = with(s.Expect, expectations{f.Name: e})
				}
			}
			all = append(all, s)
		}
	}
	return all
}

// Catalogued finds a subject by its ID. The error lists those there are.
func Catalogued(id string) (harness.Subject, error) {
	var ids []string
	for _, s := range Subjects() {
		if s.ID() == id {
			return s, nil
		}
		ids = append(ids, s.ID())
	}
	return harness.Subject{}, fmt.Errorf("there is no subject %q in the catalogue%s", id, meant.Hint(id, ids))
}

// catalogued is a subject for every release that it is run on. Without Scenarios it is run
// on the general ones. Those of few subjects come on top.
type catalogued struct {
	harness.Subject
	// on are the expectations of releases that behave otherwise than Subject.Expect says.
	on map[string]expectations
}
