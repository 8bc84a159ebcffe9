package goproxy

import (
	"net/http"
	"strings"
	"testing"

	"github.com/proxychaos/proxychaos/goproxy/http1"
)

func TestIdentify(t *testing.T) {
	trusted, err := newTrust([]string{"10.0.0.0/8", "2001:db8::/32", "192.0.2.1"})
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		remote, forwarded, want string
		mute                    bool
	}{
		{"203.0.113.9:1", "1.2.3.4", "203.0.113.9", true},
		{"10.1.1.1:1", "", "10.1.1.1", false},
		{"10.1.1.1:1", "198.51.100.7", "198.51.100.7", false},
		{"10.1.1.1:1", "6.6.6.6, 198.51.100.7, 10.2.2.2", "198.51.100.7", false},
		{"10.1.1.1:1", "10.3.3.3 ,10.2.2.2", "10.3.3.3", false},
		{"10.1.1.1:1", "198.51.100.7:4711", "198.51.100.7", false},
		{"10.1.1.1:1", "198.51.100.7, unknown", "10.1.1.1", false},
		{"[2001:db8::1]:1", "2001:db9::5", "2001:db9::5", false},
		{"[2001:db8::1]:1", "6.6.6.6, 198.51.100.7, 2001:db8::5, [2001:db8::6]:80", "198.51.100.7", false},
		{"192.0.2.1:1", "6.6.6.6", "6.6.6.6", false},
		{"192.0.2.1:1", "fe80::1%any text", "192.0.2.1", false},
		{"192.0.2.2:1", "6.6.6.6", "192.0.2.2", true},
		{"[::ffff:10.1.1.1]:1", "198.51.100.7", "198.51.100.7", false},
		{"10.1.1.1:1", "198.51.100.7,", "10.1.1.1", false},
		{"10.1.1.1:1", ",198.51.100.7", "198.51.100.7", false},
		{"10.1.1.1:1", ",10.2.2.2", "10.2.2.2", false},
		{"10.1.1.1:1", "198.51.100.7" + strings.Repeat(",10.2.2.2", mostHops-1), "198.51.100.7", false},
		{"10.1.1.1:1", "198.51.100.7,10.4.4.4" + strings.Repeat(",10.2.2.2", mostHops-1), "10.4.4.4", false},
	} {
		r := &request{}
		r.remote = test.remote
		if test.forwarded != "" {
			r.Header = http1.Header{{Name: "X-Forwarded-For", Value: test.forwarded}}
		}
		trusted.identify(r)
		if r.clientIP != test.want || r.said.mute != test.mute {
			t.Errorf("%s, %q: client %s, mute %v; want %s, %v", test.remote, test.forwarded, r.clientIP, r.said.mute, test.want, test.mute)
		}
	}
}

// A trusted proxy that appends what it knows leaves the client's own lines before
// it: the last value is the proxy's.
func TestLastForwardedValueCounts(t *testing.T) {
	p := startEcho(t, func(c *Config) { c.TrustedProxies = []string{"127.0.0.1"} })
	for name, lines := range map[string]string{
		"lines": "X-Forwarded-Host: evil.example\r\nX-Forwarded-Proto: http\r\nX-Forwarded-Host: www.example.com\r\nX-Forwarded-Proto: https\r\n",
		"lists": "X-Forwarded-Host: evil.example, www.example.com\r\nX-Forwarded-Proto: http,https\r\n",
	} {
		got := body(t, rawRequest(t, p, "GET / HTTP/1.1\r\nHost: inner.example.com\r\n"+lines+"\r\n"))
		if strings.Count(got, "X-Forwarded-") != 3 || !strings.Contains(got, "X-Forwarded-Host: www.example.com\r\n") || !strings.Contains(got, "X-Forwarded-Proto: https\r\n") {
			t.Errorf("%s: the backend saw\n%s", name, got)
		}
	}
}

const forwardedRequest = "GET / HTTP/1.1\r\nHost: inner.example.com\r\nX-Forwarded-For: 198.51.100.7\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Host: www.example.com\r\n\r\n"

func TestTrustedProxies(t *testing.T) {
	for name, test := range map[string]struct {
		trusted []string
		want    []string
		cookie  string
	}{
		"trusted":     {[]string{"127.0.0.0/8"}, []string{"X-Forwarded-For: 198.51.100.7, 127.0.0.1", "X-Forwarded-Proto: https", "X-Forwarded-Host: www.example.com", "X-Real-Ip: 198.51.100.7"}, "Secure"},
		"not trusted": {[]string{"10.0.0.0/8"}, []string{"X-Forwarded-For: 127.0.0.1", "X-Forwarded-Proto: http", "X-Forwarded-Host: inner.example.com", "X-Real-Ip: 127.0.0.1"}, ""},
		"no list":     {nil, []string{"X-Forwarded-For: 198.51.100.7, 127.0.0.1", "X-Forwarded-Proto: http", "X-Forwarded-Host: inner.example.com", "X-Real-Ip: 127.0.0.1"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			p := startEcho(t, func(c *Config) {
				c.TrustedProxies = test.trusted
				c.Routes[0].Headers.Request.Set = map[string]string{"X-Real-IP": "%{client_ip}"}
			})
			got := body(t, rawRequest(t, p, forwardedRequest))
			for _, want := range test.want {
				if !strings.Contains(got, want+"\r\n") {
					t.Errorf("no %q in\n%s", want, got)
				}
			}
		})
	}
}

// With trusted proxies, what anybody else says in X-Forwarded-* does not reach the
// upstream: it would believe it.
func TestNobodyElseSaysWhoForwarded(t *testing.T) {
	for name, trusted := range map[string]bool{"10.0.0.0/8": false, "127.0.0.0/8": true} {
		p := startEcho(t, func(c *Config) { c.TrustedProxies = []string{name} })
		got := body(t, rawRequest(t, p, "GET / HTTP/1.1\r\nHost: h\r\nX-Forwarded-Port: 8443\r\nX-Forwarded-Prefix: /evil\r\nX_Forwarded_Ssl: on\r\nX-Forwarded: kept\r\n\r\n"))
		for _, said := range []string{"8443", "/evil", ": on"} {
			if strings.Contains(got, said) != trusted {
				t.Errorf("127.0.0.1 trusted: %v, and the backend saw\n%s", trusted, got)
			}
		}
		if !strings.Contains(got, "X-Forwarded: kept\r\n") {
			t.Errorf("the backend saw\n%s", got)
		}
	}
}

func TestLocationBehindATrustedProxy(t *testing.T) {
	backends, port := startBackends(t, 1)
	d := startDNS(t, 60)
	d.set(backends...)
	cfg := simpleConfig(port)
	cfg.TrustedProxies = []string{"127.0.0.1"}
	backends[0].handle(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Location", cfg.Upstreams["backend"].URL+"/x")
	})
	p := startProxy(t, cfg, d)
	if got := rawRequest(t, p, forwardedRequest).Header.Get("Location"); got != "https://www.example.com/x" {
		t.Errorf("Location: %s", got)
	}
}

// Connection takes nothing away that a proxy in front says of its client: that proxy may
// pass on the options that the client sent.
func TestConnectionNamesNoForwardedField(t *testing.T) {
	p := startEcho(t, func(c *Config) {
		c.TrustedProxies = []string{"127.0.0.1"}
		c.Routes[0].Headers.Request.Set = map[string]string{"X-Client": "%{client_ip}"}
	})
	got := body(t, rawRequest(t, p, "GET / HTTP/1.1\r\nHost: inner.example.com\r\nX-Forwarded-For: 203.0.113.9\r\nX-Forwarded-Host: www.example.com\r\n"+
		"X-Forwarded-Proto: https\r\nX-Forwarded-Port: 443\r\nX-Real-IP: 203.0.113.9\r\nX-Hop: 1\r\n"+
		"Connection: x-forwarded-for, X-Forwarded-Host, X-Forwarded-Proto, X-Forwarded-Port, X-Real-Ip, Forwarded, Via, X-Hop\r\n\r\n"))
	for _, want := range []string{
		"X-Client: 203.0.113.9\r\n", "X-Forwarded-For: 203.0.113.9, 127.0.0.1\r\n", "X-Forwarded-Host: www.example.com\r\n",
		"X-Forwarded-Proto: https\r\n", "X-Forwarded-Port: 443\r\n", "X-Real-Ip: 203.0.113.9\r\n",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
	if strings.Contains(got, "X-Hop") {
		t.Errorf("X-Hop in\n%s", got)
	}
}
