package run

import (
	"regexp"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"github.com/proxychaos/proxychaos/harness/embedded"
	"github.com/proxychaos/proxychaos/harness/kind"
)

// Ten ways in which a config keeps the load away from its backend, and the ten messages.
// Each comes within seconds, before any load, and says what each try came to; the proxy's
// own words, if it has any; and a variable, only if that may help.
func TestConfigsThatCannotBeDriven(t *testing.T) {
	t.Parallel()
	lab := containers(t, options(t))
	for _, tc := range []struct {
		name    string
		kind    kind.Name
		content string
		want    []string
		advice  string // empty: no variable is named
	}{
		{
			"a maintenance page", kind.Nginx, `server { listen 80; return 200 "<title>Back soon</title>"; }`,
			[]string{"port 80, for www.example.com /: the proxy itself answers 200 (Back soon)"},
			"",
		},
		{
			"a redirect to a site elsewhere", kind.Nginx, `server { listen 80; server_name _; return 301 https://new.example.org$request_uri; }`,
			[]string{"port 80, for www.example.com, new.example.org /: the proxy itself answers 301, Location https://new.example.org/"},
			"",
		},
		{
			"clients that are not known are dropped", kind.Nginx, `server { listen 80 default_server; return 444; }
server { listen 80; server_name ~^(?!www)\w+\.example\.com$; location / { proxy_pass http://backend.example.com; } }`,
			[]string{"port 80, for www.example.com /: closed without an answer"},
			"HOST_HEADER=",
		},
		{
			"a path that no hint gives", kind.Nginx, `server { listen 80; location / { return 404; } location ~ "^/(?=[a-z]{7}$)" { proxy_pass http://backend.example.com; } }`,
			[]string{"port 80, for www.example.com /: the proxy itself answers 404 (Not Found)"},
			"URL_PATH=",
		},
		{
			"a password", kind.Nginx, `server { listen 80; auth_basic "staff"; auth_basic_user_file /dev/null; location / { proxy_pass http://backend.example.com; } }`,
			[]string{"the proxy itself answers 401 (Authorization Required)"},
			"HEADERS='Authorization: ",
		},
		{
			"TLS, of names that are not said", kind.Nginx, `server { listen 443 ssl; ssl_reject_handshake on; }`,
			[]string{"port 443 over TLS, for www.example.com /: TLS alert: unrecognized name"},
			"",
		},
		{
			"the PROXY protocol", kind.Nginx, `server { listen 80 proxy_protocol; location / { proxy_pass http://backend.example.com; } }`,
			[]string{"port 80, for www.example.com /: ", `broken header: "GET /`},
			"",
		},
		{
			"nothing but an application beside the proxy", kind.Nginx, `server { listen 80; location / { proxy_pass http://127.0.0.1:3000; } }`,
			[]string{"an application beside the proxy answers, which no fault strikes", "an application beside it (port 3000)", "so no fault can be tried"},
			"",
		},
		{
			"a cache that has no query in its key", kind.Nginx, `proxy_cache_path /tmp/c keys_zone=c:1m;
server { listen 80; location / { proxy_cache c; proxy_cache_key $host$uri; proxy_cache_valid 200 1m; proxy_pass http://backend.example.com; } }`,
			[]string{"answered from the proxy's cache"},
			"",
		},
		{
			"nobody may", kind.Apache, "<VirtualHost *:80>\nServerName www.example.com\nProxyPass / http://backend.example.com/\n<Location \"/\">\nRequire all denied\n</Location>\n</VirtualHost>\n",
			[]string{"the proxy itself answers 403 (Forbidden)", "AH01630: client denied by server configuration"},
			"HEADERS='Name: value'",
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			g := NewWithT(t)
			running := lab.Begin(Cell{rotate(), own(tc.kind, file(t, "site.conf", tc.content), 0)}, tc.name)
			r := running.Run(t.Context())
			took := time.Since(running.last.cell.listening)
			g.Expect(running.Close()).To(Succeed())
			g.Expect(r.Err).To(MatchError(ContainSubstring("nothing that was tried leads to an ALB node")))
			for _, want := range tc.want {
				g.Expect(r.Err.Error()).To(ContainSubstring(want))
			}
			named := variable.FindAllString(r.Err.Error(), -1)
			if tc.advice == "" {
				g.Expect(named).To(BeEmpty(), "%v", r.Err)
			} else {
				g.Expect(named).To(HaveLen(1), "%v", r.Err)
				g.Expect(r.Err.Error()).To(ContainSubstring(tc.advice))
			}
			g.Expect(r.Manifest.Way.Target).To(BeEmpty(), "no load was sent")
			g.Expect(took).To(BeNumerically("<", 10*time.Second))
		})
	}
}

// variable finds one of make's that a message proposes.
var variable = regexp.MustCompile(`\b(?:HOST_HEADER|URL_PATH|PROXY_PORT|HEADERS)=`)

// The last lines of a log that say different things: those at error level, if there are any.
func TestLastWords(t *testing.T) {
	g := NewWithT(t)
	lines := func(texts ...string) (all []embedded.Line) {
		for _, text := range texts {
			all = append(all, embedded.Line{Text: text})
		}
		return all
	}
	words, telling := lastWords(kind.Nginx, lines(
		`1.2.3.4 "GET /?proxychaos=x1" 502`, "2026/01/01 [error] 7#7: *1 one: /?proxychaos=x1", "", "2026/01/01 [error] 7#7: *2 one: /?proxychaos=x2",
		"2026/01/01 [error] 7#7: *3 two", `1.2.3.4 "GET /?proxychaos=x2" 502`,
	))
	g.Expect(words).To(Equal([]string{"2026/01/01 [error] 7#7: *2 one: /?proxychaos=x2", "2026/01/01 [error] 7#7: *3 two"}))
	g.Expect(telling).To(BeTrue())
	words, telling = lastWords(kind.Nginx, lines("a", "b", "c", "d", "e", "[notice] f", "[error] broken header: \"\x16\x03\x01\"", `"\x16\x03\x01" 400`))
	g.Expect(words).To(Equal([]string{"b", "c", "d", "e"}))
	g.Expect(telling).To(BeFalse())
	const failed = "2026/11/29 11:00:34 [error] 24#24: *156 connect() failed (111: Connection refused) while connecting to upstream, client: 198.18.141.3, server: "
	words, _ = lastWords(kind.Nginx, lines(failed+`a, host: "a.example.com"`, failed+`a, host: "b.example.com"`))
	g.Expect(words).To(Equal([]string{failed + `a, host: "b.example.com"`}))
	words, _ = lastWords(kind.Nginx, nil)
	g.Expect(words).To(BeEmpty())
}
