package main

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/proxychaos/proxychaos/fakealb/cloud"
	"github.com/proxychaos/proxychaos/harness"
	"github.com/proxychaos/proxychaos/harness/engine"
	"github.com/proxychaos/proxychaos/harness/kind"
	"github.com/proxychaos/proxychaos/harness/meant"
	"github.com/proxychaos/proxychaos/scenarios"
)

// settings are the flags of a command that runs cells: one for each word of a run, with a
// variable of the environment beside it.
type settings struct {
	flags *pflag.FlagSet
	// make says that make asked: it spells the words in its own way, and may install what
	// is missing.
	make    bool
	install bool
	// without are the words of a run that the command has no flag for.
	without []scenarios.Word
}

// addSettings gives a command the flags of a run, but for some words, and of words that it
// alone has. Each flag of the command is then also read from the environment.
func addSettings(cmd *cobra.Command, own []scenarios.Word, without ...string) *settings {
	s := addFlags(cmd, slices.Concat(own, slices.DeleteFunc(slices.Clone(scenarios.Words), func(w scenarios.Word) bool {
		return slices.Contains(without, w.Name)
	})))
	s.without = wordsOf(without...)
	s.flags.BoolVar(&s.install, "install-engine", false, "as root on Debian, install Docker and mmdebstrap if they are missing")
	s.flags.BoolVar(&s.make, "make", false, "asked for by make")
	_ = s.flags.MarkHidden("make")        // it is there
	_ = s.flags.MarkHidden(flagOf("KIT")) // for tests, and for make
	return s
}

// addFlags gives a command a flag for each of some words.
func addFlags(cmd *cobra.Command, of []scenarios.Word) *settings {
	s := &settings{flags: cmd.Flags()}
	s.flags.SortFlags = false
	for _, word := range of {
		s.flags.Var(&text{kind: word.Value}, flagOf(word.Name), word.Usage)
		s.flags.Lookup(flagOf(word.Name)).DefValue = word.Default // for the help
	}
	cmd.Long += "\nEach flag can also be set in the environment: --host-header as " + scenarios.Prefix + "HOST_HEADER."
	complete(cmd)
	cmd.PreRunE = func(cmd *cobra.Command, _ []string) error {
		if err := unknownVariable(cmd.Root(), os.Environ()); err != nil {
			return err
		}
		if err := s.untaken(cmd.Name(), scenarios.Environment); err != nil {
			return err
		}
		return s.fromEnvironment(scenarios.Environment)
	}
	return s
}

// ofTheWhole are words about a nightly as a whole. They change no cell: a job may set them for
// all that it runs.
var ofTheWhole = []string{"FLOOR", "BASELINE", "SHARD"}

// untaken refuses a word of a run that was said to a command which has no flag for it, such as
// CLOUD=azure to an incident: it would be passed over, and the run be about something else. The
// word's default changes nothing.
func (s *settings) untaken(command string, lookup func(word string) (string, bool)) error {
	for _, word := range s.without {
		value, said := lookup(word.Name)
		switch {
		case !said || value == "" || value == word.Default || slices.Contains(ofTheWhole, word.Name) || s.flags.Lookup(flagOf(word.Name)) != nil:
		case s.make:
			return fmt.Errorf("%s=%s: make %s does not take it; leave it out", word.Name, value, command)
		default:
			return fmt.Errorf("%s%s=%s: proxychaos %s does not take it; unset it", scenarios.Prefix, word.Name, value, command)
		}
	}
	return nil
}

// unknownVariable refuses a variable that begins as ours do and that no command reads, and
// one that is nearly that of an image: it is mistyped, and would be passed over.
func unknownVariable(root *cobra.Command, environ []string) error {
	if err := mistypedImage(environ); err != nil {
		return err
	}
	known := []string{scenarios.Prefix + "NAME", scenarios.Prefix + "CORPORA"} // make's, and the tests'
	for _, c := range root.Commands() {
		c.Flags().VisitAll(func(f *pflag.Flag) { known = append(known, scenarios.Prefix+wordOf(f.Name)) })
	}
	for _, pair := range environ {
		name, _, _ := strings.Cut(pair, "=")
		if strings.HasPrefix(name, scenarios.Prefix) && !slices.Contains(known, name) && !ofKubernetes.MatchString(name) {
			return fmt.Errorf("there is no variable %s%s", name, meant.Hint(name, known))
		}
	}
	return nil
}

// otherImages are variables that people take for those of kinds that are named in another way.
var otherImages = map[string]string{"APACHE_IMAGE": "HTTPD_IMAGE", "APACHE2_IMAGE": "HTTPD_IMAGE"}

// mistypedImage refuses a variable that nearly names an image, such as NGNIX_IMAGE: the run
// would be about another image. Those of other programs are let be.
func mistypedImage(environ []string) error {
	const suffix, long = "_IMAGE", 4
	set := map[string]bool{}
	for _, pair := range environ {
		name, value, _ := strings.Cut(pair, "=")
		set[name] = value != ""
	}
	known := kind.ImageVariables()
	for _, name := range slices.Sorted(maps.Keys(set)) {
		before, is := strings.CutSuffix(name, suffix)
		before = strings.TrimPrefix(before, scenarios.Prefix)
		if !is || !set[name] || slices.Contains(known, name) || len(before) < long {
			continue
		}
		var near []string
		for _, image := range known {
			// Without what both end with: it would make each like the other.
			stem := strings.TrimSuffix(image, suffix)
			if stem[0] == before[0] && len(stem) > long && len(meant.Near(before, []string{stem})) > 0 {
				near = append(near, image)
			}
		}
		if other := otherImages[before+suffix]; other != "" {
			near = []string{other}
		}
		if len(near) > 0 && !slices.ContainsFunc(near, func(k string) bool { return set[k] }) {
			return fmt.Errorf("%s is set, and no kind of proxy reads it%s If it is for something else, unset it for this run", name, meant.Ask(near))
		}
	}
	return nil
}

// ofKubernetes are the variables that a pod gets for a service with the name proxychaos.
var ofKubernetes = regexp.MustCompile(`^` + scenarios.Prefix + `(SERVICE_.*|PORT|PORT_\d.*)$`)

// text is the value of a flag as it was typed; the help shows its kind.
type text struct{ value, kind string }

func (t *text) String() string { return t.value }
func (t *text) Type() string   { return t.kind }

// Set implements pflag.Value.
func (t *text) Set(value string) error {
	t.value = value
	return nil
}

// wordsOf are some of the words of a run.
func wordsOf(names ...string) []scenarios.Word {
	return slices.DeleteFunc(slices.Clone(scenarios.Words), func(w scenarios.Word) bool { return !slices.Contains(names, w.Name) })
}

// flagOf is the flag of a word: HOST_HEADER is host-header.
func flagOf(word string) string { return strings.ReplaceAll(strings.ToLower(word), "_", "-") }

// wordOf is the word of a flag.
func wordOf(flag string) string { return strings.ReplaceAll(strings.ToUpper(flag), "-", "_") }

// fromEnvironment sets each flag that was not given to its variable.
func (s *settings) fromEnvironment(lookup func(word string) (string, bool)) (err error) {
	s.flags.VisitAll(func(f *pflag.Flag) {
		value, ok := lookup(wordOf(f.Name))
		if f.Changed || !ok || value == "" || err != nil {
			return
		}
		if err = f.Value.Set(value); err != nil {
			err = fmt.Errorf("%s%s=%s: want true or false", scenarios.Prefix, wordOf(f.Name), value) // a text is always one
		}
	})
	return err
}

// lookup is the value of a word; false if none was said.
func (s *settings) lookup(word string) (string, bool) {
	flag := s.flags.Lookup(flagOf(word))
	if flag == nil {
		return "", false
	}
	return flag.Value.String(), flag.Value.String() != ""
}

// yes says whether a word that is 1 or nothing was said.
func (s *settings) yes(word string) (bool, error) {
	switch value, _ := s.lookup(word); value {
	case "", "0":
		return false, nil
	case "1":
		return true, nil
	default:
		return false, fmt.Errorf("%s=%s: want 1, or nothing", word, value)
	}
}

// has says whether a word was said.
func (s *settings) has(word string) bool {
	_, ok := s.lookup(word)
	return ok
}

// request is what the flags ask for, with words that the command itself settles.
func (s *settings) request(settled map[string]string) (scenarios.Request, error) {
	said := func(word string) (string, bool) {
		if value, ok := settled[word]; ok {
			return value, true
		}
		return s.lookup(word)
	}
	asked, err := scenarios.FromEnvironment(said)
	if err == nil {
		release, _ := said("RELEASE")
		err = asked.BesideImage(release)
	}
	if err != nil {
		return asked, s.spell(err)
	}
	asked.Options.Make, asked.Options.InstallEngine = s.make, s.make || s.install
	if !s.make {
		asked.Options.Log = spelling{asked.Options.Log}
	}
	if asked.Options.Binary == "" { // the agents are this program
		asked.Options.Binary, err = os.Executable()
	}
	return asked, err
}

// opening explains why no lab could be opened.
func (s *settings) opening(err error) error {
	if errors.Is(err, engine.ErrNoneAnswers) && !s.make && !s.install {
		return fmt.Errorf("%w; or do this again with --install-engine", err)
	}
	return s.spell(err)
}

// complete has the shell complete the values that there are few of.
func complete(cmd *cobra.Command) {
	few := map[string][]string{
		"CLOCK":   {string(harness.Scaled), string(harness.Production)},
		"RELEASE": {harness.Stable, "testing", "oldstable", "oldoldstable"},
	}
	for _, c := range cloud.All {
		few["CLOUD"] = append(few["CLOUD"], string(c.Name)+"\t"+c.Title)
	}
	for _, name := range kind.Names() {
		few["PROXY"] = append(few["PROXY"], string(name))
	}
	for _, s := range scenarios.Subjects() {
		few["SUBJECT"] = append(few["SUBJECT"], s.ID()+"\t"+s.Summary)
	}
	for _, side := range []string{"_A", "_B"} {
		few["PROXY"+side], few["RELEASE"+side] = few["PROXY"], few["RELEASE"]
	}
	for word, values := range few {
		if cmd.Flags().Lookup(flagOf(word)) != nil {
			_ = cmd.RegisterFlagCompletionFunc(flagOf(word), cobra.FixedCompletions(values, cobra.ShellCompDirectiveNoFileComp)) // the flag is there
		}
	}
}

// scenarioNames completes the name of a scenario.
func scenarioNames(_ *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
	var names []cobra.Completion
	if len(args) == 0 {
		for _, s := range scenarios.All {
			names = append(names, cobra.CompletionWithDesc(s.Name, s.Summary))
		}
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}
