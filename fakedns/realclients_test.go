package fakedns_test

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/miekg/dns"
	. "github.com/onsi/gomega"

	"github.com/proxychaos/proxychaos/fakedns"
)

// Programs that people run, each asking fakedns in its own way.

// run runs a program to its end and returns what it printed.
func run(t *testing.T, name string, args ...string) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), program(t, name), args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
	return string(out)
}

func program(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Fatalf("%s is missing: .ci/packages installs it", name)
	}
	return path
}

// daemon runs a program until the test ends.
func daemon(t *testing.T, name string, args ...string) {
	t.Helper()
	var out strings.Builder
	cmd := exec.CommandContext(t.Context(), program(t, name), args...)
	cmd.Stdout, cmd.Stderr = &out, &out
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = patience
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { // after t.Context has ended
		_ = cmd.Wait()
		if t.Failed() {
			t.Logf("%s printed:\n%s", name, out.String())
		}
	})
}

// backends are HTTP servers on these addresses with one port; each answers its address.
func backends(t *testing.T, addrs ...string) (port string) {
	t.Helper()
	for _, a := range addrs {
		l, err := net.Listen("tcp", net.JoinHostPort(a, port))
		if err != nil {
			t.Fatal(err)
		}
		port = portOf(netip.MustParseAddrPort(l.Addr().String()))
		s := &httptest.Server{Listener: l, Config: &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, a)
		})}}
		s.Start()
		t.Cleanup(s.Close)
	}
	return port
}

// freePort is a port that nothing listens on.
func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return portOf(netip.MustParseAddrPort(l.Addr().String()))
}

// get returns the body of a 200, otherwise the status; "" if nothing answers.
func get(front string) string {
	client := &http.Client{Timeout: patience, Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Get("http://127.0.0.1:" + front)
	if err != nil {
		return ""
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		return resp.Status
	}
	body, _ := io.ReadAll(resp.Body)
	return string(body)
}

func writeConfig(t *testing.T, text string) (dir, file string) {
	t.Helper()
	dir = t.TempDir()
	file = filepath.Join(dir, "conf")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return dir, file
}

const oldBackend, newBackend = "127.0.53.101", "127.0.53.102"

func at(addr string) fakedns.Name {
	return fakedns.Name{Name: "app.example", TTL: time.Second, A: addrs(addr)}
}

func TestNginxFollowsTheName(t *testing.T) {
	g := expect(t)
	port, front := backends(t, oldBackend, newBackend), freePort(t)
	srv := start(t, fakedns.Config{Names: []fakedns.Name{at(oldBackend)}})
	dir, conf := writeConfig(t, fmt.Sprintf(`
daemon off; master_process off; pid nginx.pid; error_log stderr info;
events {}
http {
  access_log off;
  client_body_temp_path b; proxy_temp_path p; fastcgi_temp_path f; uwsgi_temp_path u; scgi_temp_path s;
  resolver 127.0.0.1:%[1]s; resolver_timeout 5s;
  server {
    listen 127.0.0.1:%[2]s;
    location / { set $name app.example; proxy_pass http://$name:%[3]s; }
    location /many { set $name many.example; proxy_pass http://$name:%[3]s; }
  }
}`, portOf(srv.Addrs()[0]), front, port))
	daemon(t, "nginx", "-e", "stderr", "-p", dir, "-c", conf)
	g.Eventually(get, patience, 20*time.Millisecond).WithArguments(front).Should(Equal(oldBackend))
	asked := queries(t, srv, fakedns.Filter{Name: "app.example"})
	g.Expect(asked).To(ContainElement(HaveField("Type", "A")))
	g.Expect(asked).To(ContainElement(HaveField("Type", "AAAA")), "it asks for both, and takes NODATA for one of them")

	moved := put(t, srv, at(newBackend))
	g.Eventually(get, patience, 20*time.Millisecond).WithArguments(front).Should(Equal(newBackend))
	g.Expect(queries(t, srv, fakedns.Filter{Name: "app.example", Type: "A", Since: moved})).NotTo(BeEmpty(), "because it asked again")

	t.Attr("aws-fact", "5.6")
	many := fakedns.Name{Name: "many.example", TTL: time.Minute, MaxAnswers: 60}
	for i := range many.MaxAnswers {
		many.A = append(many.A, netip.AddrFrom4([4]byte{127, 9, 0, byte(i + 1)}))
	}
	put(t, srv, many)
	g.Expect(get(front+"/many")).To(HavePrefix("502"), "resolved, and nothing listens there")
	asked = queries(t, srv, fakedns.Filter{Name: "many.example", Type: "A"})
	g.Expect(asked).To(HaveLen(2))
	g.Expect(asked[0].Transport).To(Equal(fakedns.UDP))
	g.Expect(asked[0].Truncated).To(BeTrue(), "it does not fit into 512 bytes")
	g.Expect(asked[1].Transport).To(Equal(fakedns.TCP))
	g.Expect(asked[1].Answers).To(HaveLen(60))

	putFault(t, srv, fakedns.Fault{ID: "f", Kind: fakedns.KindServFail})
	g.Eventually(get, patience, 20*time.Millisecond).WithArguments(front).Should(HavePrefix("502"), "it forgets the name with its TTL")
}

func TestHAProxyFollowsTheName(t *testing.T) {
	g := expect(t)
	port, front := backends(t, oldBackend, newBackend), freePort(t)
	srv := start(t, fakedns.Config{Names: []fakedns.Name{at(oldBackend)}})
	_, conf := writeConfig(t, fmt.Sprintf(`
resolvers fake
  nameserver one 127.0.0.1:%s
  accepted_payload_size 1232
  timeout resolve 100ms
  timeout retry 100ms
  hold nx 100ms
defaults
  mode http
  timeout connect 5s
  timeout client 5s
  timeout server 5s
frontend in
  bind 127.0.0.1:%s
  default_backend app
backend app
  server one app.example:%s resolvers fake init-addr none resolve-prefer ipv4
`, portOf(srv.Addrs()[0]), front, port))
	daemon(t, "haproxy", "-db", "-f", conf)
	g.Eventually(get, patience, 20*time.Millisecond).WithArguments(front).Should(Equal(oldBackend))

	moved := put(t, srv, at(newBackend))
	g.Eventually(get, patience, 20*time.Millisecond).WithArguments(front).Should(Equal(newBackend))
	g.Expect(queries(t, srv, fakedns.Filter{Name: "app.example", Since: moved})).NotTo(BeEmpty(), "because it asked again")

	_, err := srv.DeleteName("app.example", 0)
	g.Expect(err).NotTo(HaveOccurred())
	g.Eventually(get, patience, 20*time.Millisecond).WithArguments(front).Should(HavePrefix("503"), "NXDOMAIN takes the server down")
}

// HAProxy takes servers, ports and weights from SRV records, and addresses from what
// comes beside them.
func TestHAProxyFollowsAService(t *testing.T) {
	g := expect(t)
	oldPort, newPort, front := backends(t, oldBackend), backends(t, newBackend), freePort(t)
	service := func(target, port string) fakedns.Name {
		n, err := strconv.ParseUint(port, 10, 16)
		g.Expect(err).NotTo(HaveOccurred())
		return fakedns.Name{Name: "_http._tcp.app.example", TTL: time.Second, SRV: []fakedns.SRV{{Weight: 10, Port: uint16(n), Target: target}}}
	}
	srv := start(t, fakedns.Config{Names: []fakedns.Name{
		service("old.example", oldPort),
		{Name: "old.example", TTL: time.Second, A: addrs(oldBackend)},
		{Name: "new.example", TTL: time.Second, A: addrs(newBackend)},
	}})
	_, conf := writeConfig(t, fmt.Sprintf(`
resolvers fake
  nameserver one 127.0.0.1:%s
  accepted_payload_size 1232
  timeout resolve 100ms
  timeout retry 100ms
  hold nx 100ms
  hold obsolete 100ms
defaults
  mode http
  timeout connect 5s
  timeout client 5s
  timeout server 5s
frontend in
  bind 127.0.0.1:%s
  default_backend app
backend app
  server-template s 3 _http._tcp.app.example resolvers fake init-addr none resolve-prefer ipv4
`, portOf(srv.Addrs()[0]), front))
	daemon(t, "haproxy", "-db", "-f", conf)
	g.Eventually(get, patience, 20*time.Millisecond).WithArguments(front).Should(Equal(oldBackend))
	g.Expect(queries(t, srv, fakedns.Filter{Name: "old.example"})).To(BeEmpty(), "the address came beside the SRV record")

	moved := put(t, srv, service("new.example", newPort))
	g.Eventually(get, patience, 20*time.Millisecond).WithArguments(front).Should(Equal(newBackend))
	g.Expect(queries(t, srv, fakedns.Filter{Name: "_http._tcp.app.example", Type: "SRV", Since: moved})).NotTo(BeEmpty(), "because it asked again")

	_, err := srv.DeleteName("_http._tcp.app.example", 0)
	g.Expect(err).NotTo(HaveOccurred())
	g.Eventually(get, patience, 20*time.Millisecond).WithArguments(front).Should(HavePrefix("503"), "NXDOMAIN takes the servers down")
}

func TestKdigOverTCP(t *testing.T) {
	g := expect(t)
	srv := start(t, fakedns.Config{Names: []fakedns.Name{elb("app.example", old), {Name: "www.example", TTL: time.Second, CNAME: "app.example"}}})
	to := []string{"@127.0.0.1", "-p", portOf(srv.Addrs()[0])}
	out := run(t, "kdig", append(to, "+tcp", "+keepopen", "app.example", "A", "www.example", "A")...)
	for _, a := range old {
		g.Expect(strings.Count(out, a.String())).To(Equal(2), out)
	}
	g.Expect(out).To(ContainSubstring("CNAME\tapp.example."))
	both := queries(t, srv, fakedns.Filter{})
	g.Expect(both).To(HaveLen(2))
	g.Expect(both[0].Transport).To(Equal(fakedns.TCP))
	g.Expect(both[1].Client).To(Equal(both[0].Client), "two queries on one connection")

	out = run(t, "kdig", append(to, "+bufsize=1232", "+nsid", "+padding=64", "app.example", "A")...)
	g.Expect(out).To(ContainSubstring("status: NOERROR"))
	g.Expect(out).To(ContainSubstring("EDNS PSEUDOSECTION"), "options that it does not know do no harm")

	t.Attr("aws-fact", "5.3")
	out = run(t, "kdig", append(to, "+subnet=192.0.2.0/24", "app.example", "A")...)
	g.Expect(out).To(And(ContainSubstring("status: NOERROR"), Not(ContainSubstring("SUBNET"))), "no ECS")
}

// glibc asks port 53 of what /etc/resolv.conf says, which a mount namespace replaces.
func TestGlibcResolves(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Fatal("this test makes a mount namespace: run it as root")
	}
	g := expect(t)
	n := elb("app.example", old)
	n.AAAA = addrs("2001:db8::1")
	n.Order = fakedns.OrderFixed
	// Port 53 of addresses that no other run of this test has at the same time.
	pid := os.Getpid()
	first, second := netip.AddrFrom4([4]byte{127, 54, byte(pid >> 8), byte(pid)}), netip.AddrFrom4([4]byte{127, 55, byte(pid >> 8), byte(pid)})
	srv := start(t, fakedns.Config{Listen: []netip.AddrPort{netip.AddrPortFrom(first, 53), netip.AddrPortFrom(second, 53)}, Names: []fakedns.Name{n, {Name: "www.example", Alias: "app.example"}}})
	_, conf := writeConfig(t, fmt.Sprintf("nameserver %s\nnameserver %s\noptions timeout:1 attempts:2\n", first, second))
	getent := func(args ...string) string {
		script := "mount --bind " + conf + " /etc/resolv.conf && exec getent " + strings.Join(args, " ")
		return run(t, "unshare", "--mount", "sh", "-ec", script)
	}
	g.Expect(getent("ahostsv4", "app.example")).To(And(
		ContainSubstring(old[0].String()), ContainSubstring(old[1].String()), ContainSubstring(old[2].String())))
	g.Expect(getent("ahosts", "www.example")).To(ContainSubstring("2001:db8::1"))
	types := map[string]bool{}
	for _, q := range queries(t, srv, fakedns.Filter{Name: "www.example"}) {
		types[q.Type] = true
	}
	g.Expect(types).To(And(HaveKey("A"), HaveKey("AAAA")))

	putFault(t, srv, fakedns.Fault{ID: "first-dead", Kind: fakedns.KindSilence, Scope: fakedns.Scope{Resolvers: []netip.Addr{first}}})
	from := srv.LastSeq()
	g.Expect(getent("ahostsv4", "app.example")).To(ContainSubstring(old[0].String()), "the second resolver answers")
	after := queries(t, srv, fakedns.Filter{After: from})
	g.Expect(after[0].Resolver.Addr()).To(Equal(first), "the first was asked first")
	g.Expect(after[0].RCode).To(BeEmpty())
	g.Expect(after[len(after)-1].RCode).To(Equal(dns.RcodeToString[dns.RcodeSuccess]))
}
