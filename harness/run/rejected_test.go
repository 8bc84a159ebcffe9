package run

import (
	"errors"
	"fmt"
	"testing"

	. "github.com/onsi/gomega"

	"github.com/proxychaos/proxychaos/harness/config"
	"github.com/proxychaos/proxychaos/harness/kind"
	"github.com/proxychaos/proxychaos/harness/recording"
	"github.com/proxychaos/proxychaos/harness/testbed"
)

// The output of real proxies, and the one line that a user gets.
func TestWordsOfTheProxy(t *testing.T) {
	for name, tc := range map[string]struct {
		kind    kind.Name
		content string
		output  string
		want    string
	}{
		"nginx": {
			kind.Nginx, "server {\n  listen 80\n}\n",
			"/docker-entrypoint.sh: Configuration complete; ready for start up\n" +
				"2026/01/01 00:00:00 [emerg] 1#1: invalid parameter \"}\" in /etc/nginx/conf.d/default.conf:3\n" +
				"nginx: [emerg] invalid parameter \"}\" in /etc/nginx/conf.d/default.conf:3\n",
			"2026/01/01 00:00:00 [emerg] 1#1: invalid parameter \"}\" in my.conf:3",
		},
		"Apache": {
			kind.Apache, "<VirtualHost *:80>\nProxyPas / http://b/\n</VirtualHost>\n",
			"AH00558: httpd: Could not reliably determine the server's fully qualified domain name\n" +
				"AH00526: Syntax error on line 2 of /usr/local/apache2/conf/extra/site.conf:\n" +
				"Invalid command 'ProxyPas', perhaps misspelled\n",
			"AH00526: Syntax error on line 2 of my.conf: / Invalid command 'ProxyPas', perhaps misspelled",
		},
		"Apache, the cause in a line of its own": {
			kind.Apache, "x",
			"[Sun Nov 29 10:57:15 2026] [so:warn] [pid 1:tid 1] AH01574: module proxy_module is already loaded, skipping\n" +
				"AH00526: Syntax error on line 8 of /usr/local/apache2/conf/extra/site.conf:\n" +
				"BalancerMember can not have a balancer name when defined in a location\n",
			"AH00526: Syntax error on line 8 of my.conf: / BalancerMember can not have a balancer name when defined in a location",
		},
		"goproxy": {
			kind.GoProxy, "listn: x\n",
			"proxychaos: /goproxy.yaml:1:1: unknown key \"listn\"\n",
			"proxychaos: my.conf:1:1: unknown key \"listn\"",
		},
		"words that are not known": {
			kind.Nginx, "server {}\n", "\nsegmentation fault\n\n", "segmentation fault",
		},
		"nothing at all": {
			kind.Nginx, "server {}\n", "", "it ended without a word",
		},
	} {
		t.Run(name, func(t *testing.T) {
			conf := config.Config{Kind: tc.kind, Config: kind.Config{Path: "./my.conf", Files: []kind.File{{Name: "my.conf", Content: []byte(tc.content)}}}}
			NewWithT(t).Expect(words(tc.output, conf)).To(Equal(tc.want))
		})
	}
}

func TestWordsNameTheFileOfAFolder(t *testing.T) {
	conf := config.Config{Kind: kind.Nginx, Config: kind.Config{Path: "./etc", Files: []kind.File{
		{Name: "conf.d/app.conf", Content: []byte("x")}, {Name: "nginx.conf", Content: []byte("y")},
	}}}
	NewWithT(t).Expect(words(`nginx: [emerg] unknown directive "x" in /etc/nginx/conf.d/app.conf:1`, conf)).
		To(Equal(`nginx: [emerg] unknown directive "x" in conf.d/app.conf:1`))
}

func TestExplain(t *testing.T) {
	g := NewWithT(t)
	c := &cell{config: config.Config{Kind: kind.Nginx, Config: kind.Config{Path: "./my.conf", Files: []kind.File{{Name: "my.conf"}}}}}
	err := c.explain(fmt.Errorf("starting: %w", &testbed.Rejected{Code: 1, Output: "nginx: [emerg] no"}))
	var rejected *ConfigError
	g.Expect(errors.As(err, &rejected)).To(BeTrue())
	g.Expect(err).To(MatchError("the proxy rejects ./my.conf: nginx: [emerg] no"))
	c.image.Version = "1.26.3"
	err = c.explain(&testbed.Rejected{Code: 1, Output: "nginx: [emerg] invalid parameter \"resolve\" in /etc/nginx/conf.d/default.conf:5"})
	g.Expect(err).To(MatchError(`the proxy rejects ./my.conf: nginx: [emerg] invalid parameter "resolve" in my.conf:5 ("resolve" needs 1.27.3, this is 1.26.3: try RELEASE=testing)`))
	c.config.Links = []kind.Link{{Name: "ssl/a.pem", Target: "/home/me/a.pem"}}
	err = c.explain(&testbed.Rejected{Code: 1, Output: "nginx: [emerg] cannot load certificate \"/etc/nginx/ssl/a.pem\": BIO_new_file() failed"})
	g.Expect(err).To(MatchError(ContainSubstring("(ssl/a.pem is a link to /home/me/a.pem, which is not there in the container")))
	marked := &cell{config: config.Config{Kind: kind.Nginx, Config: kind.Config{Path: "./my.conf", Files: []kind.File{{Name: "my.conf", Content: []byte("\ufeffserver {}\n")}}}}}
	err = marked.explain(&testbed.Rejected{Code: 1, Output: "nginx: [emerg] unknown directive \"\ufeffserver\" in /etc/nginx/conf.d/default.conf:1"})
	g.Expect(err).To(MatchError(ContainSubstring("(my.conf begins with a byte order mark")))
	unset := &cell{config: config.Config{Kind: kind.Caddy, Config: kind.Config{Path: "./Caddyfile", Files: []kind.File{{Name: "Caddyfile", Content: []byte("{$SITE} {\n}\n")}}}}}
	err = unset.explain(&testbed.Rejected{Code: 1, Output: "Error: Caddyfile:2: unrecognized global option: reverse_proxy"})
	g.Expect(err).To(MatchError(ContainSubstring("(SITE is not set: give ENV=./file")))
	httpd := &cell{config: config.Config{Kind: kind.Apache, Config: kind.Config{Path: "./a.conf", Files: []kind.File{{Name: "a.conf"}}}}}
	err = httpd.explain(&testbed.Rejected{Code: 1, Output: "[core:warn] AH00111: Config variable ${B} is not defined\nAH00526: Syntax error on line 3 of a.conf:\nProxyPass Unable to parse URL: http://${B}:80/\n"})
	g.Expect(err).To(MatchError("the proxy rejects ./a.conf: AH00526: Syntax error on line 3 of a.conf: / ProxyPass Unable to parse URL: http://${B}:80/ (give B, and whatever else the machine sets, with ENV='B=...', or a file of variables)"))
	httpd.config.Files = []kind.File{{Name: "a.conf", Content: []byte("<IfDefine PROXY>\nLoadModule proxy_module modules/mod_proxy.so\n</IfDefine>\n")}, {Name: "a.key", Content: []byte("-----BEGIN ENCRYPTED PRIVATE KEY-----\n")}}
	err = httpd.explain(&testbed.Rejected{Code: 1, Output: "AH00526: Syntax error on line 9 of a.conf:\nInvalid command 'ProxyPass', perhaps misspelled or defined by a module not included in the server configuration\n"})
	g.Expect(err).To(MatchError(ContainSubstring("loaded in <IfDefine PROXY>, which is not in force")))
	err = httpd.explain(&testbed.Rejected{Code: 1, Output: "Private key a:443:0 (/etc/apache2/a.key)\nEnter pass phrase:\nAH00016: Configuration Failed\n"})
	g.Expect(err).To(MatchError(ContainSubstring("AH00016: Configuration Failed (a.key has a private key with a passphrase")))
	other := errors.New("the engine is gone")
	g.Expect(c.explain(other)).To(BeIdenticalTo(other))
}

func TestColdWorkers(t *testing.T) {
	g := NewWithT(t)
	g.Expect(cold(nil)).To(BeZero())
	g.Expect(cold([]recording.Process{
		{PID: 1},                            // a master
		{PID: 2, Worker: true},              // cold
		{PID: 3, Worker: true, Seen: 1},     // has had a connection
		{PID: 4, Worker: true, Upstream: 1}, // has one
	})).To(Equal(1))
}

func TestProved(t *testing.T) {
	g := NewWithT(t)
	g.Expect(proved([]recording.Proof{{OK: true}, {OK: true}})).To(Equal("seen by 2 probes"))
	g.Expect(proved([]recording.Proof{{OK: true}, {Detail: "it answers"}})).To(Equal("NOT PROVED: it answers"))
}

// The progress says which clock it goes by, and beside it the table's.
func TestTimesInTheProgress(t *testing.T) {
	g := NewWithT(t)
	c := &cell{}
	g.Expect(c.when(5.12)).To(Equal("5.1 s into the load"))
	c.struck.Store(new(recording.Seconds(5.12)))
	g.Expect(c.when(5.12)).To(Equal("5.1 s into the load"), "the first fault itself")
	g.Expect(c.when(4)).To(Equal("4.0 s into the load"))
	g.Expect(c.when(13.14)).To(Equal("13.1 s into the load, 8.0 s after the first fault"))
}

func TestNumber(t *testing.T) {
	g := NewWithT(t)
	g.Expect(number("17")).To(BeEquivalentTo(17))
	for _, none := range []string{"", "x", "-1", "1.5"} {
		g.Expect(number(none)).To(BeZero(), none)
	}
}

// Why a run broke off is told whole once: by the progress, or by who shows it in the end.
func TestWhyARunBrokeOffIsToldOnce(t *testing.T) {
	g := NewWithT(t)
	rejected := fmt.Errorf("cell: %w", &ConfigError{Path: "./my.conf", Words: "unknown directive", Advice: "try another"})
	nothing := errors.New("./my.conf: nothing leads to a node\n    port 80: the proxy itself answers 404")
	for shown, want := range map[bool][2]string{
		false: {"broke off: cell: the proxy rejects ./my.conf: unknown directive (try another)", "broke off: " + nothing.Error()},
		true:  {"broke off: the proxy rejects ./my.conf", "broke off: ./my.conf: nothing leads to a node"},
	} {
		r := &Running{opt: Options{Shown: shown}}
		g.Expect([2]string{r.outcome(Result{Err: rejected}), r.outcome(Result{Err: nothing})}).To(Equal(want))
	}
}

// An image of the user's that starts nothing, or something else than was meant: the engine's words,
// and what to say instead.
func TestExplainAnImageThatDoesNotStart(t *testing.T) {
	const start = "starting the proxy from pen:0.34: "
	for engine, want := range map[string]string{
		"Error response from daemon: No command specified": "the image starts nothing by itself: say with COMMAND= what it is to start",
		`Error response from daemon: failed to create task for container: OCI runtime create failed: exec: "pan": executable file not found in $PATH`: "the image has no program pan: COMMAND= is what follows the image",
		`Error response from daemon: OCI runtime create failed: exec: "/usr/bin/pen": stat /usr/bin/pen: no such file or directory`:                   "the image has no program /usr/bin/pen: ",
	} {
		g := NewWithT(t)
		c := &cell{config: config.Config{Kind: kind.Any}}
		err := errors.New(start + engine)
		got := c.explain(err)
		g.Expect(got).To(MatchError(And(HavePrefix(start+engine+" ("), ContainSubstring(want))))
		g.Expect(errors.Is(got, err)).To(BeTrue())
		other := &cell{config: config.Config{Kind: kind.Nginx}}
		g.Expect(other.explain(err)).To(BeIdenticalTo(err), "the images of known kinds start what is known")
	}
	g := NewWithT(t)
	c := &cell{config: config.Config{Kind: kind.Any, Config: kind.Config{}}}
	other := errors.New("no space left on device")
	g.Expect(c.explain(other)).To(BeIdenticalTo(other))
	err := c.explain(&testbed.Rejected{Code: 255, Output: "exec /proxy: exec format error\n"})
	g.Expect(err).To(MatchError(ContainSubstring("the image is of another architecture than this machine")))
}
