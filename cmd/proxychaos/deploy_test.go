package main

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	. "github.com/onsi/gomega"

	"github.com/proxychaos/proxychaos/scenarios"
)

// deployed reads a file of deploy/.
func deployed(t *testing.T, name string, into any) {
	t.Helper()
	text, err := os.ReadFile("../../deploy/" + name)
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.Unmarshal(text, into); err != nil {
		t.Fatal(err)
	}
}

// The commands of the compose file have flags that exist.
func TestDeployedFakes(t *testing.T) {
	var compose struct {
		Services map[string]struct{ Command []string }
	}
	deployed(t, "compose.yaml", &compose)
	for _, name := range []string{"dns", "alb"} {
		g := NewWithT(t)
		command, flags, err := newRoot().Find(compose.Services[name].Command)
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(command.Name()).To(HavePrefix("fake"))
		g.Expect(flags).NotTo(BeEmpty())
		g.Expect(command.ParseFlags(flags)).To(Succeed())
		g.Expect(command.Flags().Args()).To(BeEmpty())
	}
}

// asked is what a script of a pod asks of proxychaos. Its sources are made up.
func asked(t *testing.T, script string, env ...string) []string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{"git": "exit 0", "make": "exit 0", "bin/proxychaos": `printf '%s\n' "$@"`} {
		path := filepath.Join(dir, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte("#!/bin/sh\n"+text+"\n"), 0o700)); err != nil { //nolint:gosec // a program
			t.Fatal(err)
		}
	}
	cmd := exec.CommandContext(t.Context(), "sh", "-euc", strings.ReplaceAll(script, "/results", dir+"/results"))
	cmd.Dir, cmd.Env = dir, append(os.Environ(), append(env, "PATH="+dir+":"+os.Getenv("PATH"))...)
	text, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.Split(strings.TrimSuffix(strings.ReplaceAll(string(text), dir, ""), "\n"), "\n")
}

// Each pod of the nightly runs another shard, all together the whole, and the report is asked
// for where they write; with flags that exist.
func TestDeployedNightly(t *testing.T) {
	g := NewWithT(t)
	text, err := os.ReadFile("../../deploy/nightly.yaml")
	g.Expect(err).NotTo(HaveOccurred())
	type cron struct {
		Metadata struct{ Name string }
		Spec     struct {
			JobTemplate struct {
				Spec struct {
					Completions int
					Template    struct {
						Spec struct{ Containers []struct{ Args []string } }
					}
				}
			} `yaml:"jobTemplate"`
		}
	}
	crons := map[string]cron{}
	for document := range strings.SplitSeq(string(text), "\n---\n") {
		var c cron
		g.Expect(yaml.Unmarshal([]byte(document), &c)).To(Succeed())
		crons[c.Metadata.Name] = c
	}
	shards := crons["proxychaos-nightly"].Spec.JobTemplate.Spec
	cells := map[string]int{}
	night := ""
	for index := range shards.Completions {
		words := asked(t, shards.Template.Spec.Containers[0].Args[0], "JOB_COMPLETION_INDEX="+strconv.Itoa(index))
		command, flags, err := newRoot().Find(words)
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(command.Name()).To(Equal("nightly"))
		g.Expect(command.ParseFlags(flags)).To(Succeed())
		request, err := scenarios.FromEnvironment(func(word string) (string, bool) {
			if word != "SHARD" {
				return "", false
			}
			return command.Flags().Lookup("shard").Value.String(), true
		})
		g.Expect(err).NotTo(HaveOccurred())
		for _, s := range request.Scenarios {
			for _, c := range request.Cells(s) {
				cells[s.Name+" "+c.Subject.ID()]++
			}
		}
		runs := command.Flags().Lookup("runs").Value.String()
		g.Expect(filepath.Base(runs)).To(Equal("shard-" + strconv.Itoa(index)))
		night = filepath.Dir(runs)
	}
	whole, err := scenarios.FromEnvironment(func(string) (string, bool) { return "", false })
	g.Expect(err).NotTo(HaveOccurred())
	all := 0
	for _, s := range whole.Scenarios {
		all += len(whole.Cells(s))
	}
	g.Expect(cells).To(And(HaveLen(all), HaveEach(1)), "each cell is in one shard")

	words := asked(t, crons["proxychaos-report"].Spec.JobTemplate.Spec.Template.Spec.Containers[0].Args[0])
	command, rest, err := newRoot().Find(words)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(command.Name()).To(Equal("merge"))
	g.Expect(command.ParseFlags(rest)).To(Succeed())
	g.Expect(command.Flags().Args()).To(ConsistOf(night + "/shard-*"))
	g.Expect(command.Flags().Lookup("runs").Value.String()).To(Equal(night + "/whole"))
}
