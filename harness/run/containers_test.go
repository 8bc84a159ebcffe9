package run

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/moby/moby/client"
	. "github.com/onsi/gomega"

	"github.com/proxychaos/proxychaos/fakealb"
	"github.com/proxychaos/proxychaos/harness"
	"github.com/proxychaos/proxychaos/harness/fault"
	"github.com/proxychaos/proxychaos/harness/judge"
	"github.com/proxychaos/proxychaos/harness/kind"
	"github.com/proxychaos/proxychaos/harness/recording"
	"github.com/proxychaos/proxychaos/harness/world"
)

const nginxStatic = `server {
    listen 80;
    location / {
        proxy_pass http://backend.example.com;
    }
}
`

// A fault of nodes that nobody uses tests nothing, and must say so. The whole way
// is shown: testbed, recording, verdict, the same verdict again.
func TestFaultOfNodesThatNobodyUsesProvesNothing(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	lab := containers(t, options(t))
	s := rotate()
	s.Timeline = []harness.Step{harness.Do(fault.StrikeNodes{Kind: fakealb.FaultSilence, Nodes: world.Spare})}
	r := one(t.Context(), lab, s, own(kind.Nginx, file(t, "static.conf", nginxStatic), 0))
	g.Expect(r.Err).NotTo(HaveOccurred())
	g.Expect(r.Verdict.Result).To(Equal(judge.Unproven))
	g.Expect(r.Verdict.Reasons).To(ContainElement(ContainSubstring("they could break nothing")))
	g.Expect(r.Manifest.Testbed).To(Equal("containers"))

	rec, err := recording.Open(r.Dir)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(judge.Judge(rec)).To(Equal(r.Verdict), "a stored run gives the same verdict")
	var stored judge.Verdict
	g.Expect(recording.ReadVerdict(r.Dir, &stored)).To(Succeed())
	g.Expect(stored.Result).To(Equal(judge.Unproven))
	g.Expect(os.ReadFile(filepath.Join(r.Dir, "config", "static.conf"))).To(BeEquivalentTo(nginxStatic), "the config verbatim")
}

// The folk fix that does nothing, as a config of one's own: the harness can
// fail a proxy, and says why.
func TestConfigThatBreaks(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	lab := containers(t, options(t))
	path := file(t, "resolver-only.conf", "error_log /var/log/nginx/shop/error.log;\nresolver 169.254.169.253 valid=1s;\n"+nginxStatic)
	r := one(t.Context(), lab, rotate(), own(kind.Nginx, path, 0))
	g.Expect(r.Err).NotTo(HaveOccurred())
	g.Expect(r.Verdict.Result).To(Equal(judge.Fail), "%s", strings.Join(r.Verdict.Reasons, "; "))
	g.Expect(r.Verdict.Failed).To(BeNumerically(">", 50))
	g.Expect(r.Verdict.Stale).To(BeNumerically(">=", 10), "served from old nodes until they went silent")
	g.Expect(r.Verdict.Findings).To(ContainElement(And(
		HaveField("Code", judge.ResolvedOnce), HaveField("Text", ContainSubstring("resolved once at start")))))
	g.Expect(r.Verdict.Findings).To(ContainElement(HaveField("Code", judge.LogEvidence)), "nginx's log is a file of its own")
	g.Expect(r.Manifest.Replay).To(ContainSubstring("--proxy nginx --config " + path))
}

// An address in place of a name, on a port that nobody was told of: a node stands for
// it, and when the nodes end it is the cause.
func TestConfigWithALiteralAddress(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	lab := containers(t, options(t))
	path := file(t, "default.conf", "server { listen 80; location / { proxy_pass http://192.168.1.101:8081; } }")
	r := one(t.Context(), lab, rotate(), own(kind.Nginx, path, 0))
	g.Expect(r.Err).NotTo(HaveOccurred())
	g.Expect(r.Verdict.Result).To(Equal(judge.Fail), "%s", strings.Join(r.Verdict.Reasons, "; "))
	g.Expect(r.Verdict.Findings).To(ContainElement(And(
		HaveField("Code", judge.ResolvedOnce), HaveField("Upstream", "192.168.1.101"),
		HaveField("Text", And(ContainSubstring("a literal address"), ContainSubstring("on the retired 192.168.1.101"))))))
	rec, err := recording.Open(r.Dir)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(rec.Manifest.World.Literals).To(HaveLen(1))
	node := rec.Manifest.World.Literals[0].Node
	for _, a := range rec.Attempts {
		g.Expect(a.Probe || a.Node == node && a.Port == 8081).To(BeTrue(), "%+v", a)
	}
}

// An nginx.conf as people have it: a port of its own, the VPC's resolver for IPv6, an
// https backend on another port, below a path. The config is run as it is.
func TestConfigOfOnesOwn(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	opt := options(t)
	opt.Paths, opt.Host = []string{"/user/login"}, "nginx"
	lab := containers(t, opt)
	path := file(t, "default.conf", `resolver [fd00:ec2::253] valid=1s;
server {
    listen       4000;
    server_name  nginx;

    set $api api.dev.jp;

    location / {
        proxy_pass http://127.0.0.1:3000;
    }
    location /user/login {
        proxy_pass https://${api}:8443/user/login$is_args$args;
    }
}
`)
	r := one(t.Context(), lab, rotate(), own(kind.Nginx, path, time.Second))
	g.Expect(r.Err).NotTo(HaveOccurred())
	g.Expect(r.Verdict.Result).To(Equal(judge.Pass), "%s", strings.Join(r.Verdict.Reasons, "; "))
	g.Expect(r.Verdict.Failed).To(BeZero())
	g.Expect(r.Verdict.DNSAfter).To(BeNumerically(">", 1), "it looked again after the move")

	rec, err := recording.Open(r.Dir)
	g.Expect(err).NotTo(HaveOccurred())
	asked, https, moved := 0, 0, 0
	for _, q := range rec.Queries {
		if !q.Probe && q.Resolver.String() == "[fd00:ec2::253]:53" && strings.HasPrefix(q.Name, "api.dev.jp") {
			asked++
		}
	}
	for _, a := range rec.Attempts {
		if a.TLS && a.Port == 8443 && strings.HasPrefix(a.Path, "/user/login?proxychaos=") && a.Seq != 0 {
			https++
		}
	}
	for _, q := range rec.Requests {
		if n, _ := rec.Manifest.World.Node(q.Node); n.Number > 2 {
			moved++
		}
	}
	g.Expect(asked).To(BeNumerically(">", 1), "asked its own resolver for its own name")
	g.Expect(https).To(Equal(r.Verdict.Sent), "every request went on over TLS")
	g.Expect(moved).To(BeNumerically(">", 0), "new nodes served")
}

// A config that its proxy rejects: the proxy's own words, with the user's file
// and the line in it, in a few seconds.
func TestRejectedConfigs(t *testing.T) {
	t.Parallel()
	lab := containers(t, options(t))
	for _, tc := range []struct {
		kind    kind.Name
		name    string
		content string
		want    []string
	}{
		{kind.Nginx, "default.conf", "server {\n    listen 80;\n    prox_pass http://b;\n}\n", []string{`unknown directive "prox_pass"`, "default.conf:3"}},
		{kind.Apache, "site.conf", "<VirtualHost *:80>\nProxyPas / http://b/\n</VirtualHost>\n", []string{"line 2 of site.conf", "Invalid command 'ProxyPas'"}},
		{kind.GoProxy, "proxy.yaml", "listen: \":8080\"\nupstreems: {}\n", []string{"proxy.yaml:2:", "upstreems"}},
	} {
		t.Run(string(tc.kind), func(t *testing.T) {
			g := NewWithT(t)
			path := file(t, tc.name, tc.content)
			r := one(t.Context(), lab, rotate(), own(tc.kind, path, 0))
			var rejected *ConfigError
			g.Expect(errors.As(r.Err, &rejected)).To(BeTrue(), "got %v", r.Err)
			g.Expect(rejected.Path).To(Equal(path))
			for _, want := range tc.want {
				g.Expect(rejected.Words).To(ContainSubstring(want))
			}
			g.Expect(r.Err.Error()).NotTo(ContainSubstring("\n"))
			g.Expect(lab.left(t)).To(BeEmpty())
		})
	}
}

// left are the containers and networks of this lab's cells.
func (l *Lab) left(t *testing.T) []string {
	t.Helper()
	filters := make(client.Filters)
	for name, value := range l.shared.Labels {
		filters.Add("label", name+"="+value)
	}
	found, err := l.docker.ContainerList(context.Background(), client.ContainerListOptions{All: true, Filters: filters})
	if err != nil {
		t.Fatal(err)
	}
	networks, err := l.docker.NetworkList(context.Background(), client.NetworkListOptions{Filters: filters})
	if err != nil {
		t.Fatal(err)
	}
	var left []string
	for _, c := range found.Items {
		left = append(left, "container "+c.Names[0]+" "+c.Command)
	}
	for _, n := range networks.Items {
		left = append(left, "network "+n.Name)
	}
	return left
}

// A run that is stopped half-way removes what it started, at once, and keeps
// what it saw.
func TestCancelInMidTimeline(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	opt := options(t)
	opt.Settings.Grace = time.Minute
	lab := containers(t, opt)
	nginx := own(kind.Nginx, file(t, "static.conf", nginxStatic), 0)
	_, err := lab.image(t.Context(), nginx) // not part of the time that is waited below
	g.Expect(err).NotTo(HaveOccurred())
	ctx, cancel := context.WithCancelCause(t.Context())
	stopped := errors.New("stopped by the test")
	results := make(chan Result, 1)
	go func() {
		results <- one(ctx, lab, rotate(), nginx)
	}()
	// The step is on file once the fault is proved.
	flipped := func() string {
		found, _ := filepath.Glob(filepath.Join(opt.Runs, "alb-ip-rotate", "nginx", "own-config", "2*", recording.StepsFile))
		if len(found) == 0 {
			return ""
		}
		text, _ := os.ReadFile(found[0])
		return string(text)
	}
	g.Eventually(flipped, "30s", "20ms").ShouldNot(BeEmpty())
	g.Expect(lab.left(t)).To(HaveLen(5), "three agents, the proxy, the network")
	cancel(stopped)
	var r Result
	g.Eventually(results, "10s").Should(Receive(&r))
	g.Expect(r.Err).To(MatchError(stopped))
	g.Expect(lab.left(t)).To(BeEmpty())
	rec, err := recording.Open(r.Dir)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(rec.Steps).To(HaveLen(1))
	g.Expect(len(rec.Requests)).To(BeNumerically(">", 20))
	g.Expect(len(rec.Attempts)).To(BeNumerically(">", 20), "what the nodes saw is fetched, too")
	g.Expect(judge.Judge(rec).Result).To(Equal(judge.Unproven), "half a run proves nothing")
	again := one(ctx, lab, rotate(), nginx)
	g.Expect(again.Err).To(MatchError(stopped))
	g.Expect(again.Dir).To(BeEmpty(), "a cell that had not begun does not begin")
}
