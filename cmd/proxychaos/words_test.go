package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	. "github.com/onsi/gomega"
	"github.com/onsi/gomega/types"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/proxychaos/proxychaos/fakealb/cloud"
	"github.com/proxychaos/proxychaos/harness/fault"
	"github.com/proxychaos/proxychaos/harness/kind"
	"github.com/proxychaos/proxychaos/scenarios"
	"github.com/proxychaos/proxychaos/scenarios/claims"
	"github.com/proxychaos/proxychaos/scenarios/incidents"
)

// mistyped is a word with two letters in its middle in the wrong order, with one missing, and
// with one too many. Those that are words themselves are left out, and so are short words,
// which may be meant for several.
func mistyped(word string, words []string) []string {
	n := len(word)
	if n < 4 {
		return nil
	}
	wrong := []string{word[:n/2-1] + word[n/2:n/2+1] + word[n/2-1:n/2] + word[n/2+1:], word[:1] + word[2:], word + "x"}
	return slices.DeleteFunc(wrong, func(w string) bool { return w == word || slices.Contains(words, w) })
}

// inProcess runs a command with what follows proxychaos, and returns its error.
func inProcess(args ...string) error {
	root := newRoot()
	root.SetArgs(args)
	root.SetOut(io.Discard)
	_, err := root.ExecuteC()
	return err
}

// suggests matches an error that asks for the word that was meant.
func suggests(word string) types.GomegaMatcher {
	return MatchError(And(ContainSubstring(": did you mean "), ContainSubstring(word)))
}

// every calls do with each command that help shows, below c, and its words.
func every(c *cobra.Command, path []string, do func(c *cobra.Command, path []string)) {
	do(c, path)
	for _, sub := range c.Commands() {
		if sub.IsAvailableCommand() || sub.Name() == "help" {
			every(sub, append(slices.Clip(path), sub.Name()), do)
		}
	}
}

// A mistyped command gets the one that was probably meant, at every level.
func TestMistypedCommands(t *testing.T) {
	g := NewWithT(t)
	seen := 0
	every(newRoot(), nil, func(c *cobra.Command, path []string) {
		var names []string
		for _, sub := range c.Commands() {
			names = append(names, sub.Name())
		}
		for _, name := range names {
			if sub, _, _ := c.Find([]string{name}); !sub.IsAvailableCommand() {
				continue
			}
			for _, wrong := range mistyped(name, names) {
				g.Expect(inProcess(append(slices.Clip(path), wrong)...)).To(suggests(name), "%s %s", path, wrong)
				g.Expect(inProcess(append([]string{"help"}, append(slices.Clip(path), wrong)...)...)).To(suggests(name), "help %s %s", path, wrong)
				seen++
			}
		}
	})
	g.Expect(seen).To(BeNumerically(">", 60))
	g.Expect(inProcess("help", "fakedns", "x")).To(MatchError(`there is no command "fakedns x": fakedns has none below it`))
	got := proxychaos(t, "rechek")
	g.Expect(got).To(Equal(ran{exitTrouble, "", `proxychaos: there is no command "rechek": did you mean "recheck"?` + "\n"}))
}

// So does a mistyped flag of any command, and one with a dash too few.
func TestMistypedFlags(t *testing.T) {
	g := NewWithT(t)
	seen := 0
	every(newRoot(), nil, func(c *cobra.Command, path []string) {
		var names []string
		c.Flags().VisitAll(func(f *pflag.Flag) { names = append(names, f.Name) })
		c.Flags().VisitAll(func(f *pflag.Flag) {
			if f.Hidden {
				return
			}
			for _, wrong := range mistyped(f.Name, names) {
				g.Expect(inProcess(append(slices.Clip(path), "--"+wrong)...)).To(suggests("--"+f.Name), "%s --%s", path, wrong)
				seen++
			}
		})
	})
	g.Expect(seen).To(BeNumerically(">", 200))
	g.Expect(inProcess("run", "-proxy", "nginx")).To(MatchError(`there is no flag -proxy: did you mean "--proxy"?`))
}

// So does a mistyped value of a word that has few, wherever it is given.
func TestMistypedValues(t *testing.T) {
	g := NewWithT(t)
	conf := filepath.Join(t.TempDir(), "ok.yaml")
	g.Expect(os.WriteFile(conf, []byte("listen: :1\n"), 0o600)).To(Succeed())
	var names, subjects, kinds, ids, outages []string
	for _, s := range scenarios.All {
		names = append(names, s.Name)
	}
	for _, s := range scenarios.Subjects() {
		subjects = append(subjects, s.ID())
	}
	for _, name := range kind.Names() {
		kinds = append(kinds, string(name))
	}
	all, err := claims.All()
	g.Expect(err).NotTo(HaveOccurred())
	for _, c := range all {
		ids = append(ids, c.ID)
	}
	for _, i := range incidents.All {
		outages = append(outages, i.Name)
	}
	releases, clouds := []string{"stable", "testing", "oldstable"}, []string{}
	for _, name := range cloud.Names() {
		clouds = append(clouds, string(name))
	}
	for command, words := range map[string][]string{
		"run %s":                         names,
		"run alb-ip-rotate --proxy %s":   kinds,
		"run alb-ip-rotate --subject %s": subjects,
		"run alb-ip-rotate --release %s": releases,
		"run alb-ip-rotate --proxy nginx --config C --release %s": releases,
		"run alb-ip-rotate --clock %s":                            {"scaled", "production"},
		"run alb-ip-rotate --cloud %s":                            clouds,
		"nightly --proxy %s":                                      kinds,
		"compare --a C --b C --proxy goproxy --name %s":           names,
		"compare --a C --b C --proxy %s":                          kinds,
		"compare --a C --b C --proxy-a goproxy --proxy-b %s":      kinds,
		"compare --a C --b C --proxy nginx --release-a %s":        {"stable", "testing", "oldstable"},
		"claims %s": ids,
		"claims 002-valid-3s --docs " + t.TempDir() + " --release %s": releases,
		"incident %s": outages,
	} {
		g.Expect(words).NotTo(BeEmpty(), command)
		for _, word := range words {
			for _, wrong := range mistyped(word, words) {
				args := strings.Fields(strings.ReplaceAll(fmt.Sprintf(command, wrong), " C", " "+conf))
				g.Expect(inProcess(args...)).To(suggests(word), strings.Join(args, " "))
			}
		}
	}
	for _, word := range fault.Words() {
		for _, wrong := range mistyped(word, fault.Words()) {
			_, err := fault.Decode([]byte(`{"fault":"` + wrong + `"}`))
			g.Expect(err).To(suggests(word), wrong)
		}
	}
}

// So does a variable of the environment that begins as ours do. Kubernetes may give others.
func TestMistypedVariables(t *testing.T) {
	g := NewWithT(t)
	for _, word := range scenarios.Words {
		if word.Name == "IMAGE" || word.Name == "KIT" {
			continue // the others have more of them
		}
		for _, wrong := range mistyped(word.Name, nil) {
			g.Expect(unknownVariable(newRoot(), []string{"PROXYCHAOS_" + word.Name + "=1", "PROXYCHAOS_" + wrong + "=1"})).To(suggests("PROXYCHAOS_"+word.Name), wrong)
		}
	}
	g.Expect(unknownVariable(newRoot(), []string{"PROXYCHAOS_PORT=tcp://10.0.0.1:80", "PROXYCHAOS_PORT_80_TCP=tcp://10.0.0.1:80", "PROXYCHAOS_SERVICE_HOST=10.0.0.1", "PATH=/bin"})).To(Succeed())
	for _, command := range []string{"check", "nightly"} {
		got := start(t, t.TempDir(), clean("PROXYCHAOS_GRCE=4s"), program, command)
		g.Expect(got.code).To(Equal(exitTrouble), command)
	}
	got := start(t, t.TempDir(), clean("PROXYCHAOS_GRCE=4s"), program, "run", "alb-ip-rotate")
	g.Expect(got).To(Equal(ran{exitTrouble, "", `proxychaos: there is no variable PROXYCHAOS_GRCE: did you mean "PROXYCHAOS_GRACE"?` + "\n"}))
}

// So does one that is nearly that of an image: the run would be about another one. What
// other programs have in the environment is let be, and so is all if the right one is there.
func TestMistypedImages(t *testing.T) {
	g := NewWithT(t)
	known := kind.ImageVariables()
	for _, name := range known {
		g.Expect(mistypedImage([]string{name + "=x"})).To(Succeed(), name)
		before := strings.TrimSuffix(name, "_IMAGE")
		if len(before) < 5 {
			continue // too short to be told from others
		}
		for _, wrong := range mistyped(before, nil) {
			g.Expect(mistypedImage([]string{wrong + "_IMAGE=x"})).To(suggests(name), wrong)
			g.Expect(mistypedImage([]string{wrong + "_IMAGE=", "PATH=/bin"})).To(Succeed(), "it is empty")
			g.Expect(mistypedImage([]string{wrong + "_IMAGE=x", name + "=y"})).To(Succeed(), "the right one is set too")
		}
	}
	g.Expect(mistypedImage([]string{"APACHE_IMAGE=x"})).To(suggests("HTTPD_IMAGE"))
	g.Expect(mistypedImage([]string{"PROXYCHAOS_NGINX_IMAGE=x"})).To(suggests("NGINX_IMAGE"))
	for _, other := range []string{"APP", "BASE", "BUILD", "BUILDER", "CACHE", "CI_BUILD", "CI_REGISTRY", "CONTAINER", "DATABASE", "DOCKER", "ENV", "FRONTEND", "GO", "GOLANG", "HUGO", "JOB", "NODE", "PHP", "POSTGRES", "PROXY", "PYTHON", "REDIS", "RUNNER", "SERVER", "SERVICE", "TEST", "VAULT", "WORKER"} {
		g.Expect(mistypedImage([]string{other + "_IMAGE=x"})).To(Succeed(), other)
	}
	got := start(t, t.TempDir(), clean("NGNIX_IMAGE=x"), program, "run", "alb-ip-rotate")
	g.Expect(got).To(Equal(ran{exitTrouble, "", `proxychaos: NGNIX_IMAGE is set, and no kind of proxy reads it: did you mean "NGINX_IMAGE"? If it is for something else, unset it for this run` + "\n"}))
}

// Make knows the variables of images by their names.
func TestMakeKnowsTheImages(t *testing.T) {
	g := NewWithT(t)
	makefile, err := os.ReadFile(filepath.Join(root, "Makefile"))
	g.Expect(err).NotTo(HaveOccurred())
	var told []string
	for line := range strings.Lines(string(makefile)) {
		if words := strings.Fields(line); len(words) > 2 && words[0] == "IMAGES" {
			told = append(told, words[2:]...)
		}
	}
	g.Expect(told).To(ConsistOf(kind.ImageVariables()))
}

// So does a target or a variable that is mistyped to make, before anything is compiled.
func TestMistypedToMake(t *testing.T) {
	g := NewWithT(t)
	for line, want := range map[string]string{
		"scenari NAME=alb-ip-rotate":                                             `there is no target "scenari": did you mean "scenario"?`,
		"nightyl":                                                                `there is no target "nightyl": did you mean "nightly"?`,
		"scenario NAM=alb-ip-rotate":                                             `there is no variable "NAM": did you mean "NAME"?`,
		"scenario NAME=alb-ip-rotate TTTL=2s":                                    `there is no variable "TTTL": did you mean "TTL"?`,
		"scenario NAME=alb-ip-rotate grace=4s":                                   `there is no variable "grace": did you mean "GRACE"?`,
		"-j2 compare A=x B=y PROXI=nginx":                                        `there is no variable "PROXI": did you mean `,
		"scenario NAME=alb-ip-rotate NGNIX_IMAGE=x":                              `there is no variable "NGNIX_IMAGE": did you mean "NGINX_IMAGE"?`,
		"test UNRELATED_WORD=1":                                                  `there is no variable "UNRELATED_WORD"; there are `,
		"scenario NAME=alb-ip-rotat PROXY=nginx":                                 `there is no scenario "alb-ip-rotat": did you mean "alb-ip-rotate"?`,
		"scenario NAME=alb-ip-rotate CLOUD=azur":                                 `CLOUD=azur: there is no such cloud: did you mean "azure"?`,
		"claim NAME=002-valid-3":                                                 `there is no claim "002-valid-3": did you mean `,
		"incident NAME=govuk":                                                    `there is no incident "govuk": did you mean "govuk-2018"?`,
		"compare A=Makefile B=Makefile PROXY=ngnix":                              `PROXY=ngnix: there is no such kind of proxy: did you mean "nginx"?`,
		"scenario NAME=alb-ip-rotate NGINX_IMAGE=x GOFLAGS=-mod=mod PROXY=ngnix": `PROXY=ngnix: there is no such kind of proxy: did you mean "nginx"?`,
	} {
		got := makeIt(t, nil, strings.Fields(line)...)
		g.Expect(got.code).To(Equal(2), line)
		g.Expect(got.stderr).To(ContainSubstring(want), line)
	}
}
