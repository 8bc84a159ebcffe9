package kind

import (
	"testing"

	. "github.com/onsi/gomega"
)

// Why a proxy that runs listens nowhere, as far as its configuration shows it.
func TestUnheard(t *testing.T) {
	g := NewWithT(t)
	g.Expect(of("server { listen unix:/run/a.sock; }").Unheard(Nginx)).To(ContainSubstring("unix socket /run/a.sock"))
	g.Expect(of("client_max_body_size 50m;").Unheard(Nginx)).To(ContainSubstring("no server { }"))
	g.Expect(of("upstream a { server b; }").Unheard(Nginx)).To(ContainSubstring("no server { }"), "a server of an upstream is none")
	g.Expect(of(server).Unheard(Nginx)).To(BeEmpty())
	g.Expect(of("x").Unheard(HAProxy)).To(BeEmpty())
}

func TestSocketsOfApplications(t *testing.T) {
	for name, tc := range map[string]struct {
		text string
		want []string
	}{
		"nginx":                        {"upstream a { server unix:/run/app/gunicorn.sock fail_timeout=0; }\nserver { location / { proxy_pass http://unix:/tmp/b.sock:/x; } }", []string{"/run/app/gunicorn.sock", "/tmp/b.sock"}},
		"nginx to itself":              {"server { listen unix:/run/own.sock; }\nserver { listen 80; location / { proxy_pass http://unix:/run/own.sock; } }", nil},
		"to itself, the listener last": {"upstream a { server unix:/run/own.sock; }\nserver { listen unix:/run/own.sock; }", nil},
		"nginx, a variable":            {"location / { proxy_pass http://unix:/run/$app.sock; }", nil},
		"a comment":                    {"# server unix:/run/old.sock;\n", nil},
		"syslog":                       {"access_log syslog:server=unix:/dev/log;", nil},
		"Apache":                       {"ProxyPass / \"unix:/run/app.sock|http://localhost/\"", []string{"/run/app.sock"}},
		"HAProxy":                      {"frontend f\n bind unix@/run/own.sock\nbackend b\n server a unix@/run/a.sock check\n server b /run/b.sock\n server c unix@/run/own.sock\n stats socket /run/admin.sock", []string{"/run/a.sock", "/run/b.sock"}},
		"Caddy":                        {"reverse_proxy unix//run/app.sock", []string{"/run/app.sock"}},
		"twice":                        {"server unix:/a/b.sock;\nserver unix:/a//b.sock;", []string{"/a/b.sock"}},
	} {
		t.Run(name, func(t *testing.T) { NewWithT(t).Expect(tree("x.conf", tc.text).AppSockets()).To(ConsistOf(tc.want)) })
	}
}
