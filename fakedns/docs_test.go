package fakedns_test

import (
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	. "github.com/onsi/gomega"
	"go.yaml.in/yaml/v3"

	"github.com/proxychaos/proxychaos/fakedns"
)

func readFile(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestEveryKindIsDescribed(t *testing.T) {
	g := expect(t)
	doc, err := openapi3.NewLoader().LoadFromData(fakedns.OpenAPI)
	g.Expect(err).NotTo(HaveOccurred())
	var inAPI, inReadme []fakedns.Kind
	for _, k := range doc.Components.Schemas["Fault"].Value.Properties["kind"].Value.Enum {
		inAPI = append(inAPI, fakedns.Kind(fmt.Sprint(k)))
	}
	_, faults, _ := strings.Cut(readFile(t, "README.md"), "\n## Faults\n")
	for _, row := range regexp.MustCompile("(?m)^\\| `([a-z_]+)` \\|").FindAllStringSubmatch(faults, -1) {
		inReadme = append(inReadme, fakedns.Kind(row[1]))
	}
	g.Expect(inAPI).To(ConsistOf(fakedns.AllKinds()), "openapi.yaml")
	g.Expect(inReadme).To(ConsistOf(fakedns.AllKinds()), "README.md")
}

func TestEveryNameFieldIsDescribed(t *testing.T) {
	g := expect(t)
	doc, err := openapi3.NewLoader().LoadFromData(fakedns.OpenAPI)
	g.Expect(err).NotTo(HaveOccurred())
	readme := readFile(t, "README.md")
	for field := range doc.Components.Schemas["Name"].Value.Properties {
		g.Expect(readme).To(ContainSubstring("`" + field + "`"))
	}
}

// The README's lines are run as they stand, only with this test's own ports.
func TestReadmeLinesCanBePasted(t *testing.T) {
	for _, tool := range []string{"curl", "dig", "sh"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Fatalf("%s is missing: apt-get install curl dnsutils (make test installs them)", tool)
		}
	}
	srv := start(t, fakedns.Config{Names: []fakedns.Name{elb("app.example", old)}})
	blocks := regexp.MustCompile("(?s)```sh\n(.*?)```").FindAllStringSubmatch(readFile(t, "README.md"), -1)
	g := expect(t)
	g.Expect(len(blocks)).To(BeNumerically(">=", 5))
	here := strings.NewReplacer(
		"127.0.0.1:8053", strings.TrimPrefix(srv.ControlURL(), "http://"),
		"-p 5300", "-p "+portOf(srv.Addrs()[0]),
	)
	var all strings.Builder
	for _, b := range blocks {
		out, err := exec.CommandContext(t.Context(), "sh", "-ec", here.Replace(b[1])).CombinedOutput()
		g.Expect(err).NotTo(HaveOccurred(), "%s\n%s", b[1], out)
		all.Write(out)
	}
	for _, want := range []string{"10.0.1.1", "10.0.9.9", "status: SERVFAIL", `"faults":["blip"]`, `"name":"later.example"`, `"action":"faults.put"`, "10.0.8.8", "30 8080 one.example."} {
		g.Expect(all.String()).To(ContainSubstring(want))
	}
}

func TestComposeExampleHasFlagsThatExist(t *testing.T) {
	g := expect(t)
	var compose struct {
		Services map[string]struct{ Command []string }
	}
	g.Expect(yaml.Unmarshal([]byte(readFile(t, "compose.yaml")), &compose)).To(Succeed())
	command := compose.Services["dns"].Command
	g.Expect(command).NotTo(BeEmpty())
	cmd := fakedns.Command()
	g.Expect(command[0]).To(Equal(cmd.Name()))
	g.Expect(cmd.ParseFlags(command[1:])).To(Succeed())
}

func TestComposeExampleIsTakenByCompose(t *testing.T) {
	for _, compose := range [][]string{{"docker", "compose"}, {"docker-compose"}} {
		if exec.CommandContext(t.Context(), compose[0], append(compose[1:], "version")...).Run() != nil {
			continue
		}
		args := append(compose[1:], "-f", "compose.yaml", "config", "-q")
		out, err := exec.CommandContext(t.Context(), compose[0], args...).CombinedOutput()
		expect(t).Expect(err).NotTo(HaveOccurred(), "%s: %s", strings.Join(compose, " "), out)
		return
	}
	t.Skip("neither docker compose nor docker-compose is installed")
}
