package run

import (
	"context"
	"errors"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/proxychaos/proxychaos/harness"
	"github.com/proxychaos/proxychaos/harness/embedded"
	"github.com/proxychaos/proxychaos/harness/kind"
	"github.com/proxychaos/proxychaos/harness/wayin"
)

// findWay finds how the load gets to an ALB node, before anything is concluded from
// requests that fail. A subject of the catalogue has one path.
func (c *cell) findWay(ctx context.Context) error {
	own := c.Subject.Role == harness.Own
	hosts, unsaid := c.config.Hosts()
	notes := c.config.Notes()
	if unset := kind.UnsetAdvice(c.config.Unset(c.config.Kind)); unset != "" {
		notes = append(notes, unset)
	}
	wanted := c.opt.Wanted
	if len(wanted.Paths) == 0 {
		wanted.Paths = c.Scenario.Load.Paths
	}
	k, err := kind.Of(c.config.Kind)
	if err != nil {
		return err
	}
	s := &wayin.Search{
		Early: k.Early, Wanted: wanted, Several: own, Config: c.source(),
		Hints:     wayin.Hints{Hosts: hosts, Unsaid: unsaid, Paths: c.config.Paths(), Notes: notes},
		Listeners: c.bed.listeners, Try: c.to.load.Try, Burst: c.to.load.Burst, Rate: c.plan.Rate,
	}
	way, err := s.Find(ctx)
	var none *wayin.NoWayError
	if errors.As(err, &none) {
		var logErr error
		none.Log, logErr = c.complaint(ctx)
		none.Advice = k.Advise(strings.Join(none.Log, "\n"), c.image.Version)
		return errors.Join(err, logErr)
	}
	if err != nil {
		return err
	}
	c.way = way
	if own {
		c.progress("drives %s", s.Drives(way))
	}
	return nil
}

// maxWords is how many lines of the proxy's log are shown.
const maxWords = 4

// telltale is how much of a line says what it is about; the rest is about one request.
const telltale = 100

// digits tell lines of a log apart that say the same.
var digits = regexp.MustCompile(`\d+`)

// complaintLimit is how long a proxy's words may be on their way to its log.
const complaintLimit = time.Second

// complaint is what the proxy's log says of requests that led nowhere: it is waited for
// until a line at error level is there.
func (c *cell) complaint(ctx context.Context) ([]string, error) {
	for until := time.Now().Add(complaintLimit); ; {
		lines, err := c.bed.proxyLog(ctx)
		if err != nil {
			return nil, err
		}
		words, telling := lastWords(c.config.Kind, lines)
		if telling || time.Now().After(until) {
			return words, nil
		}
		if err := sleepUntil(ctx, time.Now().Add(100*time.Millisecond)); err != nil {
			return nil, err
		}
	}
}

// noise is in lines that say nothing of a request: of a start, and of a TLS hello that came
// to a plain port, as those do with which a way is looked for.
var noise = regexp.MustCompile(`(?i)\[notice\]|\\x16\\x03`)

// unreadable are the bytes of a TLS hello in a log that shows them as they are.
func unreadable(r rune) bool { return r == utf8.RuneError || r < ' ' && r != '\t' }

// lastWords are the last lines of a proxy's log that say different things: those at error
// level, or, not telling, others.
func lastWords(name kind.Name, lines []embedded.Line) (words []string, telling bool) {
	var errors, all []string
	seen := map[string]bool{}
	for _, line := range slices.Backward(lines) {
		text := strings.TrimSpace(line.Text)
		what := digits.ReplaceAllString(text, "0")
		what = what[:min(len(what), telltale)]
		if text == "" || seen[what] || noise.MatchString(text) || strings.ContainsFunc(text, unreadable) {
			continue
		}
		seen[what] = true
		if all = append(all, text); kind.Errors(name, text) {
			errors = append(errors, text)
		}
	}
	if len(errors) > 0 {
		all, telling = errors, true
	}
	all = all[:min(len(all), maxWords)]
	slices.Reverse(all)
	return all, telling
}
