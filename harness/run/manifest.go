package run

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"

	"github.com/proxychaos/proxychaos/harness"
	"github.com/proxychaos/proxychaos/harness/kind"
	"github.com/proxychaos/proxychaos/harness/machine"
	"github.com/proxychaos/proxychaos/harness/recording"
	"github.com/proxychaos/proxychaos/harness/wayin"
)

// manifest is what is known of the cell before its load starts.
func (c *cell) manifest(ctx context.Context) (recording.Manifest, error) {
	conf, err := c.dir.SaveConfig(c.config.Config)
	if err != nil {
		return recording.Manifest{}, err
	}
	host, err := machine.Host()
	if err != nil {
		return recording.Manifest{}, err
	}
	host.Engine = c.opt.engine
	m := recording.Manifest{
		Scenario: c.Scenario.Name, Summary: c.Scenario.Summary,
		Subject: c.Subject.Recorded(), Plan: c.plan, World: c.live.Topology, Began: c.began.UTC(), Testbed: c.opt.testbed, Host: host, Tool: machine.Tool(ctx),
		Image: c.image, Config: conf, Replay: c.replay(), Alone: c.alone,
	}
	return m, recording.SaveManifest(c.dir.Path, m)
}

// usual is the release of a kind that need not be named; "" if it is bundled.
func usual(name kind.Name) string {
	k, err := kind.Of(name)
	if err != nil {
		return ""
	}
	return k.Usual
}

// userImage is the variable that names the image of this cell; "" if none does.
func (c *cell) userImage() string {
	k, err := kind.Of(c.Subject.Kind)
	if err != nil || c.image.Ref == "" || os.Getenv(k.Image.Variable) != c.image.Ref {
		return ""
	}
	return k.Image.Variable
}

// replay is the shell line that runs this cell again, with the same phase.
func (c *cell) replay() string {
	set, standard := c.opt.Settings, c.opt.Settings.Clock.Defaults()
	command, target, name := "run", "scenario", c.Scenario.Name
	if c.opt.Claim != "" {
		command, target, name = "claims", "claim", c.opt.Claim
	}
	line, spell := "proxychaos "+command+" "+name, Flag
	if c.opt.Make {
		line, spell = "make "+target+" NAME="+name, func(word string) string { return word + "=" }
	}
	add := func(differs bool, name string, value any) {
		if differs {
			line += " " + spell(name) + quoted(fmt.Sprint(value))
		}
	}
	onImage := func() {
		image := c.userImage()
		switch {
		case image == "":
		case c.opt.Make:
			line += " " + image + "=" + quoted(c.image.Ref)
		default: // no flag: it is read from the environment
			line = image + "=" + quoted(c.image.Ref) + " " + line
		}
	}
	if c.opt.Claim != "" { // it says the rest
		add(c.Subject.Release != usual(c.Subject.Kind), "RELEASE", c.Subject.Release)
		onImage()
		add(true, "SEED", set.Seed)
		return line
	}
	own := c.Subject.Role == harness.Own
	add(!own, "SUBJECT", c.Subject.ID())
	add(own, "PROXY", c.Subject.Kind)
	add(c.Subject.Image != "", "IMAGE", c.Subject.Image)
	add(own && c.config.Path != "", "CONFIG", c.config.Path)
	add(c.Subject.Command.Said != "", "COMMAND", c.Subject.Command.Said)
	add(own && c.Subject.Release != usual(c.Subject.Kind), "RELEASE", c.Subject.Release)
	onImage()
	add(c.Scenario.World.Cloud != "", "CLOUD", c.Scenario.World.Cloud)
	add(set.Clock == harness.Production, "CLOCK", set.Clock)
	add(own && c.Subject.Env.Said != "", "ENV", c.Subject.Env.Said)
	add(set.TTL != standard.TTL, "TTL", set.TTL)
	add(set.Grace != standard.Grace, "GRACE", set.Grace)
	add(set.Outage != standard.Outage, "OUTAGE", set.Outage)
	add(set.Posts != standard.Posts, "POSTS", set.Posts)
	add(set.Rate != standard.Rate, "RATE", set.Rate)
	add(set.Peak != standard.Peak, "PEAK", set.Peak)
	add(true, "SEED", set.Seed)
	add(own && set.MaxFailed > 0, "MAX_FAILED", set.MaxFailed)
	add(own && set.RecoverWithin > 0, "RECOVER_WITHIN", set.RecoverWithin)
	host, paths, at := c.requested()
	add(host != wayin.DefaultHost, "HOST_HEADER", host)
	// Of one's own config the paths are found by trying, and may be others next time.
	add(own && c.way.Target != "" || !slices.Equal(paths, []string{wayin.DefaultPath}), "URL_PATH", wayin.JoinPaths(paths))
	add(at != 0, "PROXY_PORT", at)
	add(len(c.opt.Headers) > 0, "HEADERS", wayin.JoinHeaders(c.opt.Headers))
	return line
}

// Flag is how a word of a run is said to the command: HOST_HEADER is "--host-header ".
func Flag(word string) string {
	return "--" + strings.ReplaceAll(strings.ToLower(word), "_", "-") + " "
}

// requested are the host, the paths and the port that were asked for, also those of one's own
// config that were found by trying: the same way is taken again.
func (c *cell) requested() (host string, paths []string, at uint16) {
	host, paths, at = cmp.Or(c.opt.Host, wayin.DefaultHost), c.opt.Paths, c.opt.Port
	if c.Subject.Role == harness.Own && c.way.Target != "" {
		host, paths, at = c.way.Host, c.way.Paths, wayin.Port(c.way)
	}
	if c.opt.testbed == recording.Embedded {
		at = 0 // it was free this time, and may not be the next
	}
	if len(paths) == 0 {
		paths = []string{wayin.DefaultPath}
	}
	return host, paths, at
}

// plain needs no quotes in a shell.
var plain = regexp.MustCompile(`^[A-Za-z0-9_./:@%+=,-]+$`)

// quoted is one word of a shell.
func quoted(word string) string {
	if plain.MatchString(word) {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}
