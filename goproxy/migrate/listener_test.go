package migrate

import (
	"strings"
	"testing"
)

// A draft listens where its sites do in the file, and on no other address.
func TestListensWhereTheFileDoes(t *testing.T) {
	const (
		pair     = "ssl_certificate c; ssl_certificate_key k; "
		other    = "server { listen 10.0.0.1:80; server_name o; return 404; } "
		vhost    = "ServerName s\n" + apacheOpen + "</VirtualHost>\n"
		shutHost = "ServerName o\nRequire all denied\n</VirtualHost>\n"
	)
	for name, test := range map[string]struct {
		kind, text    string
		plain, secure string
		whole         bool
	}{
		"IPv4":                    {"nginx", "server { listen 80; " + nginxOpen + "}", "0.0.0.0:80", "", true},
		"no listen":               {"nginx", "server { " + nginxOpen + "}", "0.0.0.0:80", "", true},
		"star":                    {"nginx", "server { listen *:81; " + nginxOpen + "}", "0.0.0.0:81", "", true},
		"IPv6":                    {"nginx", "server { listen [::]:80; " + nginxOpen + "}", "[::]:80", "", true},
		"IPv6 and IPv4 in one":    {"nginx", "server { listen [::]:80 ipv6only=off; " + nginxOpen + "}", ":80", "", true},
		"both families":           {"nginx", "server { listen 80; listen [::]:80; listen 443 ssl; listen [::]:443 ssl; " + pair + nginxOpen + "}", ":80", ":443", true},
		"families of other sites": {"nginx", "server { listen 80; listen [::]:80; server_name s; " + nginxOpen + "} server { listen 80; server_name o; return 404; }", "0.0.0.0:80", "", false},
		"address":                 {"nginx", "server { listen 10.0.0.1; " + nginxOpen + "}", "10.0.0.1:80", "", true},
		"address in another form": {"nginx", "server { listen [0::1]:80; " + nginxOpen + "}", "[::1]:80", "", true},
		"an address of others":    {"nginx", "server { listen 80; " + nginxOpen + "} " + other, loopbackPlain, "", false},
		"of others, in IPv6":      {"nginx", "server { listen 80; listen [::]:80; " + nginxOpen + "} server { listen [::1]:80; return 404; }", loopbackPlain, "", false},
		"of others, with TLS":     {"nginx", "server { listen 80; listen 443 ssl; " + pair + nginxOpen + "} server { listen 127.0.0.1:443 ssl; return 404; }", "0.0.0.0:80", loopbackSecure, false},
		"of others, another port": {"nginx", "server { listen 80; " + nginxOpen + "} server { listen 10.0.0.1:81; server_name o; return 404; }", "0.0.0.0:80", "", false},
		"an address of the same":  {"nginx", "server { listen 80; listen 10.0.0.1:80; " + nginxOpen + "}", "0.0.0.0:80", "", true},
		"of the same and others":  {"nginx", "server { listen 80; listen 10.0.0.1:80; server_name s; " + nginxOpen + "} " + other, loopbackPlain, "", false},
		"another standard site":   {"nginx", "server { listen 80; listen 10.0.0.1:80; server_name s; " + nginxOpen + "} server { listen 80; listen 10.0.0.1:80 default_server; return 404; }", loopbackPlain, "", false},

		"Listen":                 {"apache", "Listen 80\n" + apacheOpen, ":80", "", true},
		"no Listen":              {"apache", "<VirtualHost *:81>\n" + vhost, ":81", "", true},
		"no Listen, no port":     {"apache", "<VirtualHost _default_>\n" + vhost, ":80", "", true},
		"Listen on an address":   {"apache", "Listen 127.0.0.1:8080\n<VirtualHost *:8080>\n" + vhost, "127.0.0.1:8080", "", true},
		"Listen on IPv4":         {"apache", "Listen 0.0.0.0:80\n<VirtualHost *>\n" + vhost, "0.0.0.0:80", "", true},
		"Listen on all":          {"apache", "Listen [::]:80\n<VirtualHost 10.0.0.1:80>\n" + vhost, "10.0.0.1:80", "", true},
		"an address of a vhost":  {"apache", "Listen 80\n<VirtualHost *:80>\n" + vhost + "<VirtualHost 10.0.0.1:80>\n" + shutHost, loopbackPlain, "", false},
		"the address of a vhost": {"apache", "Listen 10.0.0.1:80\nListen 10.0.0.2:80\n<VirtualHost *:80>\n" + vhost + "<VirtualHost 10.0.0.1:80>\n" + shutHost, "10.0.0.2:80", "", false},
		"one port of an address": {"apache", "Listen 80\nListen 8080\n<VirtualHost *:80 *:8081>\n" + vhost, ":80", "", false},
	} {
		t.Run(name, func(t *testing.T) {
			cfg, notes, err := parse(t, test.kind, test.text)
			if err != nil {
				t.Fatalf("%v\n%v", err, notes)
			}
			secure := ""
			if cfg.TLS != nil {
				secure = cfg.TLS.Listen
			}
			if cfg.Listen != test.plain || secure != test.secure {
				t.Errorf("listens on %q and %q, want %q and %q: %v", cfg.Listen, secure, test.plain, test.secure, notes)
			}
			if missing := missesSomething(notes); missing == test.whole {
				t.Errorf("whole: %v, want %v: %v", !missing, test.whole, notes)
			}
		})
	}
	for name, text := range map[string]string{
		"no Listen for the port":    "Listen 8080\n<VirtualHost *:80>\n" + vhost,
		"no Listen for the address": "Listen 127.0.0.1:80\n<VirtualHost 10.0.0.1:80>\n" + vhost,
		"Listen on a vhost's alone": "Listen 10.0.0.1:80\n<VirtualHost *:80>\n" + vhost + "<VirtualHost 10.0.0.1:80>\n" + shutHost,
	} {
		if cfg, notes, err := parse(t, "apache", text); err == nil || !strings.Contains(err.Error(), "nothing in it sends requests") || !missesSomething(notes) {
			t.Errorf("%s: listens on %s, %v, %v; Apache takes no request for it", name, cfg.Listen, err, notes)
		}
	}
}

func missesSomething(notes []Note) bool {
	for _, n := range notes {
		if n.NotWhole {
			return true
		}
	}
	return false
}
