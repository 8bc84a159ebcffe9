package goproxy

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

const leastConfig = `
listen: ":8080"
routes:
  - upstream: backend
upstreams:
  backend:
    url: http://backend.example.com:8080
`

func TestParseLeastConfig(t *testing.T) {
	cfg, err := Parse("p.yaml", []byte(leastConfig))
	if err != nil {
		t.Fatal(err)
	}
	u := cfg.Upstreams["backend"].withDefaults()
	if u.Members[0].URL != "http://backend.example.com:8080" || u.Timeouts.Connect != Duration(time.Second) || u.Retries.HedgeAfter != Duration(500*time.Millisecond) {
		t.Errorf("got %+v", u)
	}
}

func TestParseEveryKey(t *testing.T) {
	cfg, err := Parse("p.yaml", []byte(`
listen: 127.0.0.1:9000
resolvers: [169.254.169.253, "10.0.0.2:5353"]
access_log: off
drain_timeout: 5s
routes:
  - {host: www.example.com, path: /api, upstream: a, preserve_host: true}
upstreams:
  a:
    url: https://a.example.com
    resolvers: [10.0.0.3]
    dns: {ttl_min: 2s, ttl_max: 30s, timeout: 1s, family: both, hold_failed: 5m, hold_absent: off}
    timeouts: {connect: 300ms, tls: 2s, response: 10s}
    retries: {attempts: 3, window: 1s, hedge_after: off, budget_percent: 10}
    pool: {max_idle: 8, idle_timeout: 20s}
`))
	if err != nil {
		t.Fatal(err)
	}
	u := cfg.Upstreams["a"]
	if cfg.AccessLog != "off" || cfg.DrainTimeout != Duration(5*time.Second) || len(cfg.Resolvers) != 2 ||
		!cfg.Routes[0].PreserveHost || u.DNS.Family != "both" || u.DNS.HoldFailed != Duration(5*time.Minute) || u.DNS.HoldAbsent != Off || u.Timeouts.TLS != Duration(2*time.Second) || u.Retries.HedgeAfter != Off || u.Pool.MaxIdle != 8 {
		t.Errorf("got %+v", cfg)
	}
}

func TestParseErrors(t *testing.T) {
	const tail = "upstreams: {a: {url: http://h:1}}\n"
	for name, test := range map[string]struct{ in, want string }{
		"unknown key":          {"routes: [{upstream: a}]\nupstream: {}\n" + tail, `p.yaml:2:1: unknown key "upstream": did you mean "upstreams"?`},
		"unknown nested key":   {"routes: [{upstream: a}]\nupstreams:\n  a:\n    url: http://h:1\n    dns: {ttlmin: 1s}\n", `p.yaml:5:11: unknown key "ttlmin": did you mean "ttl_min"?`},
		"unknown key, no near": {"routes: [{upstream: a, zzzzzzzzzz: 1}]\n" + tail, `p.yaml:1:24: unknown key "zzzzzzzzzz"; there are `},
		"bad duration":         {"drain_timeout: fast\nroutes: [{upstream: a}]\n" + tail, `p.yaml:1:16: "fast" is no duration`},
		"negative duration":    {"drain_timeout: -1s\nroutes: [{upstream: a}]\n" + tail, `p.yaml:1:16: "-1s" is no duration`},
		"type":                 {"routes: [{upstream: a, preserve_host: perhaps}]\n" + tail, `p.yaml:1:39: "perhaps" is a string: want true or false`},
		"syntax":               {"routes: [{upstream: a}\n", `p.yaml:1:9: `},
		"duplicate key":        {"routes: [{upstream: a}]\n" + tail + tail, `p.yaml:3:1: `},
		"upstream misspelt":    {"routes:\n  - upstream: backnd\nupstreams: {backend: {url: http://h:1}}\n", `p.yaml:2:15: routes.0.upstream: there is no upstream "backnd": did you mean "backend"?`},
		"url without scheme":   {"routes: [{upstream: a}]\nupstreams: {a: {url: 'h:1'}}\n", `p.yaml:2:22: upstreams.a.url: "h:1" is not an upstream url`},
		"url with path":        {"routes: [{upstream: a}]\nupstreams: {a: {url: 'http://h/x'}}\n", `has scheme, host and port only`},
		"url missing":          {"routes: [{upstream: a}]\nupstreams:\n  a:\n    pool: {max_idle: 1}\n", `p.yaml:4:5: upstreams.a.url: "" is not an upstream url`},
		"resolver name":        {"resolvers: [dns.example]\nroutes: [{upstream: a}]\n" + tail, `p.yaml:1:13: resolvers.0: "dns.example" is not a resolver address`},
		"listen":               {"listen: 8080\nroutes: [{upstream: a}]\n" + tail, `p.yaml:1:9: listen: "8080" is no listen address`},
		"no routes":            {tail, `routes: no route`},
		"same route twice":     {"routes: [{upstream: a}, {upstream: a}]\n" + tail, `p.yaml:1:25: routes.1: same host and path as routes.0`},
		"ttl order":            {"routes: [{upstream: a}]\nupstreams: {a: {url: http://h:1, dns: {ttl_min: 2m}}}\n", `ttl_min 2m0s is above ttl_max 1m0s`},
		"off where not":        {"routes: [{upstream: a}]\nupstreams: {a: {url: http://h:1, timeouts: {connect: off}}}\n", `timeouts.connect: cannot be off`},
		"tls timeout off":      {"routes: [{upstream: a}]\nupstreams: {a: {url: https://h:1, timeouts: {tls: off}}}\n", `timeouts.tls: cannot be off`},
		"url and members":      {"routes: [{upstream: a}]\nupstreams: {a: {url: http://h:1, members: [{url: http://h:2}]}}\n", `upstreams.a.members: url and members exclude each other`},
		"balance":              {"routes: [{upstream: a}]\nupstreams: {a: {url: http://h:1, balance: random}}\n", `p.yaml:2:43: upstreams.a.balance: "random" is no way to balance`},
		"balance misspelt":     {"routes: [{upstream: a}]\nupstreams: {a: {url: http://h:1, balance: byrequest}}\n", `upstreams.a.balance: "byrequest" is no way to balance: did you mean "byrequests"?`},
		"hash without key":     {"routes: [{upstream: a}]\nupstreams: {a: {url: http://h:1, balance: hash}}\n", `balance: hash and hash_key go together`},
		"hash key":             {"routes: [{upstream: a}]\nupstreams: {a: {url: http://h:1, balance: hash, hash_key: '%{client}'}}\n", `upstreams.a.hash_key: unknown variable %{client}: did you mean`},
		"spares only":          {"routes: [{upstream: a}]\nupstreams: {a: {members: [{url: http://h:1, backup: true}]}}\n", `upstreams.a.members: every member is a backup`},
		"health path":          {"routes: [{upstream: a}]\nupstreams: {a: {url: http://h:1, health_check: {path: health}}}\n", `upstreams.a.health_check.path: "health" is no path`},
		"health status":        {"routes: [{upstream: a}]\nupstreams: {a: {url: http://h:1, health_check: {path: /, status: ok}}}\n", `upstreams.a.health_check.status: "ok" are not statuses`},
		"health threshold":     {"routes: [{upstream: a}]\nupstreams: {a: {url: http://h:1, health_check: {path: /, healthy_threshold: -1}}}\n", `healthy_threshold: -1 checks: want 1 to 100`},
		"health off":           {"routes: [{upstream: a}]\nupstreams: {a: {url: http://h:1, health_check: {path: /, interval: off}}}\n", `interval: cannot be off: leave out health_check`},
		"ejection order":       {"routes: [{upstream: a}]\nupstreams: {a: {url: http://h:1, ejection: {retry: 2s, retry_max: 1s}}}\n", `retry 2s is above retry_max 1s`},
		"ejection share":       {"routes: [{upstream: a}]\nupstreams: {a: {url: http://h:1, ejection: {max_percent: 101}}}\n", `ejection.max_percent: 101 percent: want 1 to 100`},
		"panic share":          {"routes: [{upstream: a}]\nupstreams: {a: {url: http://h:1, panic_percent: 101}}\n", `panic_percent: 101 percent: want 0 to 100`},
		"path and path_regex":  {"routes: [{upstream: a, path: /a, path_regex: ^/a}]\n" + tail, `p.yaml:1:46: routes.0.path_regex: path and path_regex exclude each other`},
		"path_regex":           {"routes: [{upstream: a, path_regex: '('}]\n" + tail, `routes.0.path_regex: error parsing regexp`},
		"group":                {"routes: [{upstream: a, path_regex: '^/(.)', rewrite_path: /$2}]\n" + tail, `routes.0.rewrite_path: $2: path_regex has 1 groups`},
		"header variable":      {"routes: [{upstream: a, headers: {request: {add: {x: '%{route}'}}}}]\n" + tail, `headers.request.add.x: unknown variable %{route}`},
		"smax without ttl":     {"routes: [{upstream: a}]\nupstreams: {a: {url: http://h:1, pool: {smax: 1}}}\n", `pool.smax: needs ttl`},
		"pool of h2":           {"routes: [{upstream: a}]\nupstreams: {a: {url: https://h:1, protocol: h2, pool: {max: 1}}}\n", `pool: only idle_timeout is for HTTP/2`},
		"pool max":             {"routes: [{upstream: a}]\nupstreams: {a: {url: http://h:1, pool: {max: -1}}}\n", `pool.max: -1 connections: want 1 or more`},
		"trusted":              {"trusted_proxies: [10.0.0.1/8]\nroutes: [{upstream: a}]\n" + tail, `p.yaml:1:19: trusted_proxies.0: "10.0.0.1/8" is not a network`},
		"PROXY from anyone":    {"proxy_protocol: true\nroutes: [{upstream: a}]\n" + tail, `proxy_protocol: needs trusted_proxies`},
		"PROXY version":        {"routes: [{upstream: a}]\nupstreams: {a: {url: http://h:1, proxy_protocol: v3}}\n", `upstreams.a.proxy_protocol: "v3" is no version`},
		"PROXY by HTTP/2":      {"routes: [{upstream: a}]\nupstreams: {a: {url: http://h:1, protocol: h2c, proxy_protocol: v2}}\n", `proxy_protocol: is for protocol http1`},
		"traces":               {"traces: {endpoint: 'localhost:4318'}\nroutes: [{upstream: a}]\n" + tail, `p.yaml:1:20: traces.endpoint: "localhost:4318" is no collector's address`},
		"traces share":         {"traces: {endpoint: 'http://h:1', sample_percent: 101}\nroutes: [{upstream: a}]\n" + tail, `traces.sample_percent: 101 percent`},
		"sticky, no route":     {"routes: [{upstream: a}]\nupstreams: {a: {url: http://h:1, stickysession: S}}\n", `no member has a route`},
		"route with a dot":     {"routes: [{upstream: a}]\nupstreams: {a: {members: [{url: http://h:1, route: a.b}]}}\n", `upstreams.a.members.0.route: "a.b"`},
		"route twice":          {"routes: [{upstream: a}]\nupstreams: {a: {members: [{url: http://h:1, route: x}, {url: http://h:2, route: x}]}}\n", `"x" is another member's route`},
		"status":               {"routes: [{upstream: a}]\nupstreams: {a: {url: http://h:1, failonstatus: [200]}}\n", `upstreams.a.failonstatus.0: 200: want 400 to 599`},
		"own header":           {"routes: [{upstream: a, headers: {request: {remove: [host]}}}]\n" + tail, `routes.0.headers.request.remove.0: host is the proxy's own`},
		"header name":          {"routes: [{upstream: a, headers: {response: {set: {'a b': c}}}}]\n" + tail, `"a b" is no header name`},
		"header value":         {"routes: [{upstream: a, headers: {response: {set: {x: \"a\\r\\nb\"}}}}]\n" + tail, `characters that a header cannot have`},
		"admin by name":        {"admin: proxy.example:9901\nroutes: [{upstream: a}]\n" + tail, `p.yaml:1:8: admin: "proxy.example:9901" is not an address with a port`},
		"tls without cert":     {"tls: {listen: ':1'}\nroutes: [{upstream: a}]\n" + tail, `tls: no certificate`},
		"tls unknown key":      {"tls: {lissen: ':1'}\nroutes: [{upstream: a}]\n" + tail, `p.yaml:1:7: unknown key "lissen": did you mean "listen"?`},
		"client cert, no key":  {"routes: [{upstream: a}]\nupstreams: {a: {url: https://h, tls: {cert: x}}}\n", `cert and key go together`},
		"rewrite_path":         {"routes: [{upstream: a, rewrite_path: x}]\n" + tail, `routes.0.rewrite_path: "x" does not begin with /`},
		"protocol":             {"routes: [{upstream: a}]\nupstreams: {a: {url: http://h:1, protocol: h3}}\n", `p.yaml:2:44: upstreams.a.protocol: "h3" is no protocol`},
		"h2 without TLS":       {"routes: [{upstream: a}]\nupstreams: {a: {url: http://h:1, protocol: h2}}\n", `h2 is for https urls, and http://h:1 is none`},
		"h2c with TLS":         {"routes: [{upstream: a}]\nupstreams: {a: {url: https://h, protocol: h2c}}\n", `h2c is for http urls`},
		"clients":              {"clients: {idle_timeout: off}\nroutes: [{upstream: a}]\n" + tail, `p.yaml:1:25: clients.idle_timeout: cannot be off`},
		"max_connections":      {"clients: {max_connections: -1}\nroutes: [{upstream: a}]\n" + tail, `clients.max_connections: -1 connections`},
		"empty":                {"", `p.yaml:1:1: the file is empty`},
		"a list":               {"- a\n", `p.yaml:1:1: `},
		"a scalar":             {"hello\n", `p.yaml:1:1: `},
		"two documents":        {"routes: [{upstream: a}]\n" + tail + "---\na: 1\n", `a second YAML document`},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Parse("p.yaml", []byte(test.in))
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Fatalf("got  %v\nwant %s", err, test.want)
			}
			for line := range strings.SplitSeq(err.Error(), "\n") {
				if !strings.HasPrefix(line, "p.yaml:") {
					t.Errorf("line without a position: %q", line)
				}
			}
		})
	}
}

func TestLoadNamesTheFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "absent.yaml")
	if _, err := Load(path); err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("got %v, want the path in it", err)
	}
	if err := os.WriteFile(path, []byte(leastConfig), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(path); err != nil {
		t.Error(err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(leastConfig))
	f.Add([]byte("routes: [{upstream: &x a}]\nupstreams: {<<: *x}"))
	f.Fuzz(func(t *testing.T, data []byte) {
		cfg, err := Parse("f", data)
		if err == nil && cfg.Validate() != nil {
			t.Errorf("Parse accepted what Validate refuses: %q", data)
		}
	})
}
