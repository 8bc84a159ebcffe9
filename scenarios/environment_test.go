package scenarios_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"github.com/proxychaos/proxychaos/harness"
	"github.com/proxychaos/proxychaos/harness/kind"
	"github.com/proxychaos/proxychaos/scenarios"
)

func from(pairs map[string]string) (scenarios.Request, error) {
	return scenarios.FromEnvironment(func(name string) (string, bool) {
		v, ok := pairs[name]
		return v, ok
	})
}

func write(t *testing.T, name, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestNothingIsEverything(t *testing.T) {
	g := NewWithT(t)
	r, err := from(nil)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(r.Scenarios).To(HaveLen(len(scenarios.All)))
	g.Expect(r.Subjects).To(HaveLen(len(scenarios.Subjects())))
	g.Expect(r.Options.Settings).To(Equal(harness.DefaultSettings()))
	o := r.Options
	g.Expect([]any{o.Paths, o.Host, o.Port, o.Headers}).To(HaveEach(BeZero()), "found by trying")
	g.Expect(o.Compile).To(BeFalse(), "nobody asked for what takes minutes to build")
}

func TestWhatMakePassesOn(t *testing.T) {
	g := NewWithT(t)
	path := write(t, "default.conf", "resolver 10.0.0.2 valid=5s;\nserver { listen 4000; }\n")
	r, err := from(map[string]string{
		"NAME": "alias-switch", "PROXY": "nginx", "CONFIG": path, "TTL": "2s", "GRACE": "20s", "RATE": "50", "SEED": "9",
		"URL_PATH": "/user/login?a=b, /api/", "HEADERS": "x-scheme: https, Accept: text/html, */*;q=0.1, X-Forwarded-For: 192.0.2.1, fd00::1",
		"HOST_HEADER": "api.dev.jp", "PROXY_PORT": "4000", "PARALLEL": "2", "RUNS": "/tmp/r", "KIT": "/tmp/k", "FLOOR": "3", "MAX_FAILED": "5", "RECOVER_WITHIN": "2s",
	})
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(r.Scenarios).To(HaveLen(1))
	g.Expect(r.Scenarios[0].Name).To(Equal("alias-switch"))
	g.Expect(r.Subjects).To(HaveLen(1))
	g.Expect(r.Subjects[0]).To(And(
		HaveField("Kind", kind.Nginx), HaveField("Role", harness.Own), HaveField("Config", path),
		HaveField("Refresh", 5*time.Second), HaveField("Release", harness.Stable), HaveField("ID()", "nginx/own-default"),
	))
	o := r.Options
	g.Expect(o.Settings).To(Equal(harness.Settings{Clock: harness.Scaled, TTL: 2 * time.Second, Grace: 20 * time.Second, Outage: 10 * time.Second, Rate: 50, Peak: 64, Seed: 9, MaxFailed: 5, RecoverWithin: 2 * time.Second}))
	g.Expect([]any{o.Paths, o.Host, o.Port, o.Headers, o.Parallel, o.Runs, o.Binary, r.Floor}).
		To(Equal([]any{
			[]string{"/user/login?a=b", "/api/"},
			"api.dev.jp", uint16(4000),
			map[string]string{"X-Scheme": "https", "Accept": "text/html, */*;q=0.1", "X-Forwarded-For": "192.0.2.1, fd00::1"},
			2, "/tmp/r", "/tmp/k", 3,
		}))
}

func TestSubjectsAreChosen(t *testing.T) {
	for name, tc := range map[string]struct {
		env  map[string]string
		want []string
	}{
		"by SUBJECT":        {map[string]string{"SUBJECT": "nginx/static@testing"}, []string{"nginx/static@testing"}},
		"by PROXY":          {map[string]string{"PROXY": "goproxy"}, []string{"goproxy/keepalive-75", "goproxy/weights", "goproxy/jsessionid", "goproxy/sticky", "goproxy/members", "goproxy/members-https", "goproxy/tls", "goproxy/default"}},
		"by PROXY, RELEASE": {map[string]string{"PROXY": "apache", "RELEASE": "2.4.58"}, []string{"apache/pooled@2.4.58", "apache/disablereuse@2.4.58", "apache/smax-ttl@2.4.58"}},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			r, err := from(tc.env)
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect(r.Options.Compile).To(BeTrue())
			var got []string
			for _, s := range r.Subjects {
				got = append(got, s.ID())
			}
			g.Expect(got).To(Equal(tc.want))
		})
	}
}

// A wrong word gets one line: what was given, and what there is.
func TestWrongWords(t *testing.T) {
	nginx := write(t, "x.conf", "server {}\n")
	empty := t.TempDir()
	for name, tc := range map[string]struct {
		env  map[string]string
		want []string
	}{
		"NAME":                 {map[string]string{"NAME": "alb-rotate"}, []string{`no scenario "alb-rotate": did you mean "alb-ip-rotate"?`}},
		"NAME is no pattern":   {map[string]string{"NAME": "*"}, []string{`no scenario "*"; there are alb-ip-rotate, alb-ip-refuse, alias-switch, alb-ip-abrupt`}},
		"PROXY":                {map[string]string{"PROXY": "ngnix"}, []string{"PROXY=ngnix: ", `did you mean "nginx"?`}},
		"CONFIG without PROXY": {map[string]string{"CONFIG": nginx}, []string{"CONFIG=" + nginx, "PROXY="}},
		"CONFIG is not there":  {map[string]string{"PROXY": "nginx", "CONFIG": "/none/x.conf"}, []string{"CONFIG=/none/x.conf: ", "no such file or folder"}},
		"CONFIG is empty":      {map[string]string{"PROXY": "nginx", "CONFIG": empty}, []string{"CONFIG=" + empty, "no file in it"}},
		"CONFIG of two files":  {map[string]string{"PROXY": "apache", "CONFIG": "configs"}, []string{"httpd.conf"}},
		"RELEASE of one's own": {map[string]string{"PROXY": "nginx", "CONFIG": nginx, "RELEASE": "1.9"}, []string{"RELEASE=1.9: ", "stable, testing", "NGINX_IMAGE="}},
		"RELEASE by its suite": {map[string]string{"PROXY": "nginx", "CONFIG": nginx, "RELEASE": "bookworm"}, []string{"RELEASE=bookworm: ", `did you mean "oldstable", which is Debian's bookworm?`}},
		"RELEASE not carried":  {map[string]string{"PROXY": "nginx", "RELEASE": "oldstable"}, []string{"RELEASE=oldstable: the catalogue has no config of nginx on it; there are stable, testing"}},
		"RELEASE of no proxy":  {map[string]string{"RELEASE": "bokworm"}, []string{"RELEASE=bokworm: there is no such release in the catalogue: ", `did you mean "oldstable"`}},
		"RELEASE of goproxy":   {map[string]string{"PROXY": "goproxy", "CONFIG": "configs/goproxy/default.yaml", "RELEASE": "stable"}, []string{"RELEASE=stable: ", "leave RELEASE out"}},
		"PROXY=image alone":    {map[string]string{"PROXY": "image"}, []string{"PROXY=image: ", "IMAGE="}},
		"IMAGE of a kind":      {map[string]string{"PROXY": "nginx", "CONFIG": nginx, "IMAGE": "x"}, []string{"IMAGE=x: ", "PROXY=image", "NGINX_IMAGE="}},
		"IMAGE alone":          {map[string]string{"IMAGE": "x"}, []string{"IMAGE=x: ", "give PROXY=image too"}},
		"COMMAND of a kind":    {map[string]string{"PROXY": "nginx", "CONFIG": nginx, "COMMAND": "nginx -g x"}, []string{"COMMAND=nginx -g x: ", "PROXY=image"}},
		"COMMAND, a quote":     {map[string]string{"PROXY": "image", "IMAGE": "x", "COMMAND": "sh -c 'a"}, []string{"COMMAND=sh -c 'a: ", "each quote closed"}},
		"RELEASE of an image":  {map[string]string{"PROXY": "image", "IMAGE": "x", "RELEASE": "stable"}, []string{"RELEASE=stable: ", "leave RELEASE out"}},
		"an image's CONFIG":    {map[string]string{"PROXY": "image", "IMAGE": "x", "CONFIG": "/none"}, []string{"CONFIG=/none: ", "no such file or folder"}},
		"SUBJECT":              {map[string]string{"SUBJECT": "nginx/none"}, []string{"SUBJECT=nginx/none", "nginx/static"}},
		"TTL":                  {map[string]string{"TTL": "0"}, []string{"TTL=0: ", "from 1s to 5m0s"}},
		"GRACE":                {map[string]string{"GRACE": "x"}, []string{"GRACE=x: ", "from 1s to 30m0s"}},
		"RATE":                 {map[string]string{"RATE": "1"}, []string{"RATE=1: ", "from 10 to 5000"}},
		"SEED":                 {map[string]string{"SEED": "-1"}, []string{"SEED=-1: "}},
		"PARALLEL":             {map[string]string{"PARALLEL": "0"}, []string{"PARALLEL=0: ", "from 1 to 1000"}},
		"PROXY_PORT":           {map[string]string{"PROXY_PORT": "65536"}, []string{"PROXY_PORT=65536: ", "from 0 to 65535"}},
		"MAX_FAILED of others": {map[string]string{"MAX_FAILED": "1", "SUBJECT": "nginx/static"}, []string{"MAX_FAILED", "are for a config of your own"}},
		"FLOOR":                {map[string]string{"FLOOR": "all"}, []string{"FLOOR=all: ", "whole number"}},
		"URL_PATH":             {map[string]string{"URL_PATH": "user/login"}, []string{`URL_PATH: got "user/login"`, "begins with /"}},
		"URL_PATH, the second": {map[string]string{"URL_PATH": "/a,b"}, []string{`URL_PATH: got "b"`, "begins with /"}},
		"HOST_HEADER":          {map[string]string{"HOST_HEADER": "http://a.example/"}, []string{`HOST_HEADER="http://a.example/": `, "name of a host"}},
		"HEADERS":              {map[string]string{"HEADERS": "X-Forwarded-Proto=https"}, []string{`HEADERS: got "X-Forwarded-Proto=https"`, "such as X-Forwarded-Proto: https"}},
		"HEADERS, no value":    {map[string]string{"HEADERS": "A: b, C:"}, []string{`HEADERS: got " C:"`, "such as"}},
		"HEADERS, Host":        {map[string]string{"HEADERS": "host: a.example"}, []string{"HEADERS: Host", "HOST_HEADER="}},
		"HEADERS, the number":  {map[string]string{"HEADERS": "X-Proxychaos-Seq: 1"}, []string{"HEADERS: X-Proxychaos-Seq", "told apart"}},

		"URL_PATH of two lines": {map[string]string{"URL_PATH": "/a\r\nX: y"}, []string{"URL_PATH: got", "begins with /"}},
		"a grace that a subject cannot keep": {
			map[string]string{"NAME": "alb-ip-rotate", "SUBJECT": "nginx/variable", "GRACE": "4s"},
			[]string{"GRACE=4s", "refresh 3s", "nginx/variable", "raise GRACE"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			_, err := from(tc.env)
			g.Expect(err).To(HaveOccurred())
			for _, want := range tc.want {
				g.Expect(err.Error()).To(ContainSubstring(want))
			}
			g.Expect(err.Error()).NotTo(ContainSubstring("\n"), "one line")
		})
	}
}

// A template needs its variables before anything starts.
func TestTemplatesNeedTheirVariables(t *testing.T) {
	g := NewWithT(t)
	path := write(t, "default.conf.template", "resolver 127.0.0.11 valid=${VALID};\nserver { listen ${PORT}; }\n")
	_, err := from(map[string]string{"PROXY": "nginx", "CONFIG": path})
	g.Expect(err).To(MatchError(And(HavePrefix("CONFIG="+path+": "), ContainSubstring("default.conf.template is a template, and VALID, PORT are not set"))))
	r, err := from(map[string]string{"PROXY": "nginx", "CONFIG": path, "ENV": "VALID=4s PORT=8080"})
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(r.Subjects[0].Refresh).To(Equal(4*time.Second), "read from what will run")
	g.Expect(r.Subjects[0].Env.Said).To(Equal("VALID=4s PORT=8080"))
	file := write(t, "env", "VALID=4s\nPORT: 8080\n")
	_, err = from(map[string]string{"PROXY": "nginx", "CONFIG": path, "ENV": file})
	g.Expect(err).To(MatchError(HavePrefix("ENV=" + file + ":2: ")))
}

// Whatever a config is called, its recording has a folder.
func TestOwnSubjectHasAName(t *testing.T) {
	g := NewWithT(t)
	dir := t.TempDir()
	for file, want := range map[string]string{
		"default.conf": "nginx/own-default", "my conf (2).conf": "nginx/own-my-conf-2-", ".conf": "nginx/own-",
		"nginx.conf.new": "nginx/own-nginx.conf", "latest.conf": "nginx/own-latest", "einführung.conf": "nginx/own-einf-hrung",
	} {
		path := filepath.Join(dir, file)
		g.Expect(os.WriteFile(path, []byte("server {}"), 0o600)).To(Succeed())
		s, err := scenarios.OwnSubject(kind.Nginx, path, "", kind.Env{})
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(s.ID()).To(Equal(want), file)
	}
	t.Chdir(dir)
	s, err := scenarios.OwnSubject(kind.Nginx, ".", "testing", kind.Env{})
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(s.ID()).To(Equal("nginx/own-" + filepath.Base(dir) + "@testing"))
}

// What cannot show anything is refused with its reason, and what can is run.
func TestTLSScenariosNeedTLS(t *testing.T) {
	g := NewWithT(t)
	plain := write(t, "plain.conf", "server { location / { proxy_pass http://backend.example.com; } }\n")
	secure := write(t, "secure.conf", "server { location / { proxy_pass https://backend.example.com; } }\n")
	_, err := from(map[string]string{"NAME": "tls-hang", "PROXY": "nginx", "CONFIG": plain})
	g.Expect(err).To(MatchError(And(ContainSubstring("tls-hang is about TLS"), ContainSubstring("nginx/own-plain speaks plain HTTP"))))
	_, err = from(map[string]string{"NAME": "proxy-reload", "PROXY": "h2o", "CONFIG": plain})
	g.Expect(err).To(MatchError(ContainSubstring("proxy-reload reloads the configuration of the proxy, and it is not known here how to tell h2o to do that")))
	_, err = from(map[string]string{"NAME": "alb-ip-rotate", "SUBJECT": "nginx/tls"})
	g.Expect(err).To(MatchError(And(ContainSubstring("SUBJECT=nginx/tls is in the catalogue for tls-alert, "), Not(ContainSubstring("alb-ip-rotate")))))
	_, err = from(map[string]string{"NAME": "keepalive-race", "SUBJECT": "nginx/static"})
	g.Expect(err).To(MatchError(And(ContainSubstring("SUBJECT=nginx/static is not in the catalogue for keepalive-race"), ContainSubstring("apache/keepalive-5, "))))
	r, err := from(map[string]string{"PROXY": "nginx", "CONFIG": secure})
	g.Expect(err).NotTo(HaveOccurred())
	for _, s := range r.Scenarios {
		g.Expect(r.Cells(s)).To(HaveLen(1), s.Name)
	}
	r, err = from(nil)
	g.Expect(err).NotTo(HaveOccurred())
	for _, s := range r.Scenarios {
		for _, cell := range r.Cells(s) {
			g.Expect(cell.Subject.TLS || !s.TLS()).To(BeTrue(), "%s on %s", s.Name, cell.Subject.ID())
		}
	}
}

// digest is one that an image may have.
var digest = "sha256:" + strings.Repeat("0f", 32)

// Whatever an image is called, its recording has a folder; what is no name of an image gets one
// line before anything is started.
func TestNamesOfImages(t *testing.T) {
	for image, want := range map[string]string{
		"pen": "image/own-pen", "pen:0.34": "image/own-pen", "team/proxy:7": "image/own-proxy", "localhost:5000/proxy": "image/own-proxy",
		"registry.example/a/b_c.d-e:v1.2": "image/own-b_c.d-e", "[2001:db8::1]:5000/proxy:7": "image/own-proxy", "proxy@" + digest: "image/own-proxy",
		digest: "image/own-sha256", strings.TrimPrefix(digest, "sha256:"): "image/own-" + strings.TrimPrefix(digest, "sha256:"), "f2a91732366c": "image/own-f2a91732366c",
		"localhost:1/proxychaos/nginx:stable": "image/own-nginx",
	} {
		g := NewWithT(t)
		r, err := from(map[string]string{"PROXY": "image", "IMAGE": image})
		g.Expect(err).NotTo(HaveOccurred(), image)
		g.Expect(r.Subjects[0].ID()).To(Equal(want), image)
	}
	for _, image := range []string{
		" pen", "pen ", "a b", "Team/Proxy", "docker://pen", "https://hub.docker.com/_/nginx", "pen:", "pen@sha256:00", "/pen", "pen/", ":7", "-it pen", "pen:a:b", "pen\n",
	} {
		g := NewWithT(t)
		_, err := from(map[string]string{"PROXY": "image", "IMAGE": image})
		g.Expect(err).To(MatchError(And(HavePrefix("IMAGE="), ContainSubstring("want the name of an image as docker run takes it"))), image)
	}
}

// An image needs no config, and no config needs an image.
func TestAnImageOfOnesOwn(t *testing.T) {
	g := NewWithT(t)
	r, err := from(map[string]string{"PROXY": "image", "IMAGE": "registry.example:5000/team/pen:0.34@" + digest, "COMMAND": "pen -f 80 'backend.example.com:80'", "ENV": "A=b"})
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(r.Subjects).To(HaveLen(1))
	s := r.Subjects[0]
	g.Expect(s).To(And(HaveField("Role", harness.Own), HaveField("ID()", "image/own-pen"), HaveField("Config", ""), HaveField("TLS", false)))
	g.Expect(s.Image).To(Equal("registry.example:5000/team/pen:0.34@" + digest))
	g.Expect(s.Command.Words).To(Equal([]string{"pen", "-f", "80", "backend.example.com:80"}))
	g.Expect(s.Env.Values).To(Equal(map[string]string{"A": "b"}))

	dir := t.TempDir()
	g.Expect(os.MkdirAll(filepath.Join(dir, "etc"), 0o700)).To(Succeed())
	g.Expect(os.WriteFile(filepath.Join(dir, "etc", "proxy.toml"), []byte("upstream = 'https://backend.example.com'\n"), 0o600)).To(Succeed())
	r, err = from(map[string]string{"PROXY": "image", "IMAGE": "proxy", "CONFIG": dir})
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(r.Subjects[0]).To(And(HaveField("ID()", "image/own-proxy"), HaveField("Config", dir), HaveField("TLS", true), HaveField("Command.Words", BeEmpty())))
}
