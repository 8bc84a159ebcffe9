package run

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/proxychaos/proxychaos/harness/config"
	"github.com/proxychaos/proxychaos/harness/kind"
	"github.com/proxychaos/proxychaos/harness/testbed"
)

// ConfigError is a configuration that its own proxy rejects, in the proxy's
// own words.
type ConfigError struct {
	Path  string // as the user named it, or the image if that needs none
	Words string // of the proxy, with file and line
	// Advice is what can be done about it; empty if nothing is known.
	Advice string
}

// rejects begins the text of every ConfigError.
const rejects = "the proxy rejects "

// IsRejection says whether a text, as reports keep it, is that of a ConfigError.
func IsRejection(text string) bool { return strings.HasPrefix(text, rejects) }

// Error implements error.
func (e *ConfigError) Error() string {
	text := fmt.Sprintf(rejects+"%s: %s", e.Path, e.Words)
	if e.Advice != "" {
		text += " (" + e.Advice + ")"
	}
	return text
}

// explain turns the end of a proxy that never listened into its own words.
func (c *cell) explain(err error) error {
	if deaf := (*testbed.NotListening)(nil); errors.As(err, &deaf) {
		return c.unheard(err)
	}
	var rejected *testbed.Rejected
	if !errors.As(err, &rejected) {
		return c.unstarted(err)
	}
	said := &ConfigError{Path: c.source(), Words: words(rejected.Output, c.config)}
	var advice []string
	for _, text := range []string{c.config.Foreign(said.Words), c.config.Locked(rejected.Output), c.config.Undefined(said.Words)} {
		if text != "" {
			advice = append(advice, text)
		}
	}
	if unset := kind.UnsetAdvice(c.config.Unset(c.config.Kind)); unset != "" {
		advice = append(advice, unset)
	}
	for _, l := range c.config.Links {
		if strings.Contains(said.Words, l.Name) {
			advice = append(advice, l.Name+" is a link to "+l.Target+", which is not there in the container: put the file itself into the folder")
		}
	}
	if k, err := kind.Of(c.config.Kind); err == nil && len(advice) == 0 {
		text := k.Advise(said.Words, c.image.Version)
		if text == "" && k.Look != nil {
			text = k.Look(c.config.Config, said.Words)
		}
		if text == "" { // what is no error may be the cause of one
			text = k.Advise(rejected.Output, c.image.Version)
		}
		if text != "" {
			advice = append(advice, text)
		}
	}
	said.Advice = strings.Join(advice, "; ")
	return said
}

// unstarted adds to the engine's error what is to be done about it, if the image is the user's own.
func (c *cell) unstarted(err error) error {
	k, unknown := kind.Of(c.config.Kind)
	if unknown != nil || !k.UserImage {
		return err
	}
	if text := k.Advise(err.Error(), c.image.Version); text != "" {
		return fmt.Errorf("%w (%s)", err, text)
	}
	return err
}

// unheard adds to the error of a proxy that listens nowhere what of the configuration may be
// the cause.
func (c *cell) unheard(err error) error {
	if why := c.config.Unheard(c.config.Kind); why != "" {
		return fmt.Errorf("%s: %w (%s)", c.source(), err, why)
	}
	return fmt.Errorf("%s: %w", c.source(), err)
}

// nginxStamp begins a line of nginx's log. What stops a start is said twice: in
// the log, and on standard error.
var nginxStamp = regexp.MustCompile(`^\d{4}/\d\d/\d\d \d\d:\d\d:\d\d (\[\w+\]) \d+#\d+: `)

// harmless are lines that Apache writes at a start that succeeds too: that it does not
// know its own name or a variable, and that a module was loaded twice.
var harmless = regexp.MustCompile(`AH00111|AH00557|AH00558|AH01574|built in here, commented out`)

func lastOf(lines []string) string {
	if len(lines) == 0 {
		return ""
	}
	return lines[len(lines)-1]
}

// complaints are the words by which a kind's telling lines are known.
func complaints(name kind.Name) []string {
	k, err := kind.Of(name)
	if err != nil {
		return nil
	}
	return k.Complaints
}

// words picks the lines that say what is wrong out of a proxy's output, and
// names the files as the user does.
func words(output string, conf config.Config) string {
	var telling, all []string
	seen := map[string]bool{}
	for line := range strings.SplitSeq(output, "\n") {
		line = strings.TrimSpace(line)
		said := nginxStamp.ReplaceAllString(line, "nginx: $1 ")
		if line == "" || strings.Contains(line, "docker-entrypoint") || seen[said] {
			continue
		}
		seen[said] = true
		follows := len(telling) > 0 && telling[len(telling)-1] == lastOf(all) && strings.HasSuffix(lastOf(all), ":")
		all = append(all, line)
		low := strings.ToLower(line)
		marked := slices.ContainsFunc(complaints(conf.Kind), func(mark string) bool { return strings.Contains(low, mark) })
		if follows || marked && !harmless.MatchString(line) {
			telling = append(telling, line)
		}
	}
	if len(telling) == 0 {
		telling = all
	}
	if len(telling) == 0 {
		return "it ended without a word"
	}
	text := strings.Join(telling[:min(len(telling), 4)], " / ")
	layout, err := conf.Layout()
	if err != nil {
		return text
	}
	// The longest path first, in which another may stand.
	placed := slices.SortedFunc(slices.Values(layout.Files), func(a, b kind.Placed) int { return len(b.Path) - len(a.Path) })
	for _, p := range placed {
		if p.Own != "" {
			text = strings.ReplaceAll(text, p.Path, p.Own)
		}
	}
	return text
}
