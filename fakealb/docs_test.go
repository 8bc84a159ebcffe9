package fakealb_test

import (
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"go.yaml.in/yaml/v3"

	"github.com/proxychaos/proxychaos/fakealb"
)

func readFile(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestEveryFaultIsDescribed(t *testing.T) {
	doc, err := openapi3.NewLoader().LoadFromData(fakealb.OpenAPI)
	if err != nil {
		t.Fatal(err)
	}
	var want, inReadme []string
	for _, k := range fakealb.FaultKinds() {
		want = append(want, string(k))
	}
	if got := enum(doc.Components.Schemas["Kind"].Value); !slices.Equal(got, want) {
		t.Errorf("openapi.yaml: got %v, want %v", got, want)
	}
	_, faults, _ := strings.Cut(readFile(t, "README.md"), "\n## Faults\n")
	faults, _, _ = strings.Cut(faults, "\n## ")
	for _, row := range regexp.MustCompile("(?m)^\\| `([a-z-]+)` \\|").FindAllStringSubmatch(faults, -1) {
		inReadme = append(inReadme, row[1])
	}
	slices.Sort(inReadme)
	if !slices.Equal(inReadme, want) {
		t.Errorf("README.md: got %v, want %v", inReadme, want)
	}
}

// The README's lines are run as they stand, only with this test's own ports.
func TestReadmeLinesCanBePasted(t *testing.T) {
	need(t, "curl", "openssl", "sh")
	var secure uint16
	f := start(t, func(c *fakealb.Config) {
		c.LoadBalancers[0].Targets = 2
		for len(c.Ports) < 2 {
			if p := freePort(t, c.Nodes[0].Addr); p != c.Ports[0] {
				c.Ports = append(c.Ports, p)
			}
		}
		secure = c.Ports[1]
	}, "127.0.7.1", "127.0.7.2")
	here := strings.NewReplacer(
		"127.0.0.1:8500", strings.TrimPrefix(f.server.ControlURL(), "http://"),
		":8080", fmt.Sprint(":", f.port), ":8443", fmt.Sprint(":", secure),
		":9090", ":"+fmt.Sprint(target(t, false).Port()),
	)
	blocks := regexp.MustCompile("(?s)```sh\n(.*?)```").FindAllStringSubmatch(readFile(t, "README.md"), -1)
	if len(blocks) < 6 {
		t.Fatalf("got %d blocks of lines in README.md, want at least 6", len(blocks))
	}
	var all strings.Builder
	for _, b := range blocks {
		cmd := exec.CommandContext(t.Context(), "sh", "-ec", here.Replace(b[1]))
		cmd.Dir = t.TempDir()
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%v\n%s\n%s", err, b[1], out)
		}
		all.Write(out)
	}
	for _, want := range []string{
		"lb=blue node=127.0.7.1", "HTTP/1.1 503 Service Temporarily Unavailable", "Verify return code: 0 (ok)",
		`"state":"healthy"`, `"kind":"syn"`, "timed out", `"status":460`, `"action":"plan-fault"`, "Couldn't connect to server", "subject=CN = *.example.test", "Location: https://old.example.test:443/a?b=c", `"in_dns":true`, "alert handshake failure",
	} {
		if !strings.Contains(all.String(), want) {
			t.Errorf("the output of the README's lines has no %q:\n%s", want, all.String())
		}
	}
}

func TestComposeExampleHasFlagsThatExist(t *testing.T) {
	var compose struct {
		Services map[string]struct{ Command []string }
	}
	if err := yaml.Unmarshal([]byte(readFile(t, "compose.yaml")), &compose); err != nil {
		t.Fatal(err)
	}
	command, cmd := compose.Services["alb"].Command, fakealb.Command()
	if len(command) == 0 || command[0] != cmd.Name() {
		t.Fatalf("got command %v, want one of %s", command, cmd.Name())
	}
	if err := cmd.ParseFlags(command[1:]); err != nil {
		t.Error(err)
	}
}

func TestComposeExampleIsTakenByCompose(t *testing.T) {
	for _, compose := range [][]string{{"docker", "compose"}, {"docker-compose"}} {
		if exec.CommandContext(t.Context(), compose[0], append(compose[1:], "version")...).Run() != nil {
			continue
		}
		args := append(compose[1:], "-f", "compose.yaml", "config", "-q")
		if out, err := exec.CommandContext(t.Context(), compose[0], args...).CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s", strings.Join(compose, " "), err, out)
		}
		return
	}
	t.Skip("neither docker compose nor docker-compose is installed")
}
