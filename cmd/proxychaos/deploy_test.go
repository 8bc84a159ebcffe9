package main

import (
	"os"
	"os/exec"
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

// Each scenario has one pod of the nightly.
func TestDeployedNightlyRunsEachScenario(t *testing.T) {
	g := NewWithT(t)
	var job struct {
		Spec struct {
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
	deployed(t, "nightly.yaml", &job)
	spec := job.Spec.JobTemplate.Spec
	g.Expect(spec.Completions).To(Equal(len(scenarios.All)))
	_, script, found := strings.Cut(spec.Template.Spec.Containers[0].Args[0], "name=")
	g.Expect(found).To(BeTrue())
	choice, _, _ := strings.Cut(strings.Replace(script, "bin/proxychaos", program, 1), "\n")
	for index, scenario := range scenarios.All {
		cmd := exec.CommandContext(t.Context(), "sh", "-ec", "echo "+choice)
		cmd.Env = append(os.Environ(), "JOB_COMPLETION_INDEX="+strconv.Itoa(index))
		name, err := cmd.Output()
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(strings.TrimSpace(string(name))).To(Equal(scenario.Name))
	}
}
