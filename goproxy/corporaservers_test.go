package goproxy

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/netip"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/proxychaos/proxychaos/fakealb"
)

// A server of this test reads and answers every request, and gives those that it has read
// so far, each as "METHOD target"; what it could not read as something else.
type readServer func(t *testing.T, at netip.AddrPort) (read func() []string)

// realServers are what may stand behind goproxy.
var realServers = map[string]readServer{
	"nginx": logging([]string{"nginx", "-c", "FILE"}, `daemon off; worker_processes 1; pid DIR/pid; error_log stderr;
events {}
http {
	log_format one escape=none "$request"; access_log DIR/access.log one;
	client_body_temp_path DIR; proxy_temp_path DIR; fastcgi_temp_path DIR; uwsgi_temp_path DIR; scgi_temp_path DIR;
	server { listen ADDR; location / { proxy_pass http://unix:DIR/back; } } # reads the body first
	server { listen unix:DIR/back; access_log off; return 200 ok; }
}
`),
	"Apache": logging([]string{"apache2", "-f", "FILE", "-DFOREGROUND"}, `ServerRoot /usr/lib/apache2
ServerName localhost
Listen ADDR
PidFile DIR/pid
ErrorLog DIR/error.log
LoadModule mpm_event_module modules/mod_mpm_event.so
LoadModule authz_core_module modules/mod_authz_core.so
LoadModule alias_module modules/mod_alias.so
LogFormat "%r" one
CustomLog DIR/access.log one
Redirect 404 /
`),
	"HAProxy": logging([]string{"haproxy", "-db", "-f", "FILE"}, `global
	log stdout format raw local0
defaults
	mode http
	option http-buffer-request # reads the body first
	option dontlognull # nor connections without a byte
	timeout client 10s
	timeout http-keep-alive 10s
frontend front
	bind ADDR
	log global
	log-format "%HM %HU %HV"
	http-request return status 200 content-type text/plain string ok
`),
	"fakealb": startFakeALB,
}

// logging is a server that logs a line with the request line of each request,
// to DIR/access.log or to its standard output.
func logging(command []string, config string) readServer {
	return func(t *testing.T, at netip.AddrPort) func() []string {
		t.Helper()
		log := startServer(t, at, command, config)
		return func() (requests []string) {
			data, err := os.ReadFile(log)
			if err != nil {
				t.Fatal(err)
			}
			for line := range strings.Lines(string(data)) {
				line = strings.TrimSuffix(line, "\n")
				if i := strings.LastIndex(line, " HTTP/1."); i > 0 {
					line = line[:i]
				}
				requests = append(requests, line)
			}
			return requests
		}
	}
}

// startFakeALB is a fake ALB with two targets of its own.
func startFakeALB(t *testing.T, at netip.AddrPort) func() []string {
	t.Helper()
	malformed := &syncBuffer{}
	s, err := fakealb.New(fakealb.Config{
		Network:       fakealb.NetworkUserspace,
		Ports:         []uint16{at.Port()},
		LoadBalancers: []fakealb.LoadBalancer{{Name: "blue", Targets: 2}},
		Nodes:         []fakealb.Node{{Addr: at.Addr(), LoadBalancer: "blue"}},
		AccessLog:     malformed,
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("fakealb: %v", err)
		}
	})
	c := fakealb.NewClient(s.ControlURL(), nil)
	return func() (requests []string) {
		attempts, err := c.Attempts(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, a := range attempts {
			requests = append(requests, a.Method+" "+a.Path)
		}
		// What was no request has a line in the log without one.
		for line := range strings.Lines(malformed.String()) {
			if strings.Contains(line, `"- http://`) {
				requests = append(requests, line)
			}
		}
		return requests
	}
}

// sentLines is every request that a proxy has sent, as "METHOD target", as
// often as it was sent. It is in the access log when it is over.
func sentLines(t *testing.T, p *testProxy) (requests []string) {
	t.Helper()
	for line := range strings.Lines(p.access.String()) {
		var row struct {
			Method, Path string
			Attempts     int
		}
		if err := json.Unmarshal([]byte(line), &row); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		for range row.Attempts {
			requests = append(requests, row.Method+" "+row.Path)
		}
	}
	return requests
}

// difference is what is more often in one list than in the other.
func difference(sent, read []string) string {
	counts := map[string]int{}
	for _, s := range read {
		counts[s]++
	}
	for _, s := range sent {
		counts[s]--
	}
	var out strings.Builder
	for _, s := range slices.Sorted(maps.Keys(counts)) {
		if n := counts[s]; n != 0 {
			fmt.Fprintf(&out, "%+d %q\n", n, s)
		}
	}
	return out.String()
}

// serverRefused finds a 400 that is not goproxy's own, which names no server.
var serverRefused = regexp.MustCompile(`(?m)^HTTP/1\.1 400 .*\r\n(\S+:.*\r\n)*Server:`)

// The published cases with real servers behind goproxy: each reads exactly the
// requests that goproxy sent, by method and target.
func TestPublishedSmugglingCasesBeforeRealServers(t *testing.T) {
	payloads := published(t)
	for name, start := range realServers {
		t.Run(name, func(t *testing.T) {
			at := freeAddr(t)
			read := start(t, at)
			p := startProxy(t, Config{
				DrainTimeout: Duration(2 * time.Second),
				Clients:      Clients{HeaderTimeout: soon, BodyTimeout: soon, IdleTimeout: soon},
				Routes:       []Route{{Upstream: "raw"}},
				Upstreams:    map[string]Upstream{"raw": {URL: "http://" + at.String()}},
			}, nil)
			var all sync.WaitGroup
			for what, payload := range payloads {
				c := dialProxy(t, p)
				all.Go(func() {
					io.WriteString(c.Conn, payload)
					answers, _ := io.ReadAll(c.Reader) // until goproxy is done with it, maybe by a reset
					if serverRefused.Match(answers) {
						t.Errorf("%s: %s refuses what goproxy sent for %q:\n%s", what, name, payload, answers)
					}
				})
			}
			all.Wait()
			eventually(t, 10*time.Second, "as many requests are logged as were sent", func() bool { return len(read()) >= sent(p) })
			p.Close() // and nothing more comes
			eventually(t, 5*time.Second, "the drain is over", func() bool { return p.clients.draining.Load() })
			lines := sentLines(t, p)
			if len(lines) != sent(p) || len(lines) == 0 {
				t.Errorf("%d requests are in goproxy's access log, %d were sent", len(lines), sent(p))
			}
			if diff := difference(lines, read()); diff != "" {
				t.Errorf("%s read otherwise than goproxy sent (+ more often, - less often):\n%s", name, diff)
			}
			t.Logf("%d cases, %d requests sent and read", len(payloads), len(lines))
		})
	}
}
