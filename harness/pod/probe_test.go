package pod

import (
	"encoding/pem"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/proxychaos/proxychaos/harness/fault"
)

func connect(t *testing.T, c *Client, addr string, timeout time.Duration) ConnectProbe {
	t.Helper()
	probe, err := c.ProbeConnect(timely(t), ConnectRequest{Addr: netip.MustParseAddrPort(addr), Timeout: Duration(timeout)})
	if err != nil {
		t.Fatal(err)
	}
	return probe
}

func TestProbeConnectResults(t *testing.T) {
	if !inNamespace(t) {
		return
	}
	addInterface(t, "198.19.5.2/24")
	c := startAgent(t)
	peers := make(chan net.Addr, 1)
	ends := make(chan error, 1)
	open := listen(t, "127.0.7.1:0", func(conn net.Conn) {
		peers <- conn.RemoteAddr()
		_, err := conn.Read(make([]byte, 1))
		ends <- errors.Join(err, conn.Close())
	})
	if got := connect(t, c, open.String(), 0); got.Result != fault.Connected || got.Took <= 0 || time.Since(got.At) > time.Minute {
		t.Errorf("open port: got %+v, want connected", got)
	}
	if port := (<-peers).(*net.TCPAddr).Port; port < FirstProbePort || port > LastProbePort {
		t.Errorf("source port: got %d, want %d to %d", port, FirstProbePort, LastProbePort)
	}
	if err := <-ends; !errors.Is(err, unix.ECONNRESET) {
		t.Errorf("the end the peer saw: got %v, want a reset", err)
	}
	if got := connect(t, c, "127.0.7.1:1", 0); got.Result != fault.Refused {
		t.Errorf("closed port: got %+v, want refused", got)
	}
	if got := connect(t, c, "192.0.2.1:80", 0); got.Result != fault.Unreachable {
		t.Errorf("no route: got %+v, want unreachable", got)
	}
	// A neighbour that is known but not there: its SYNs are lost without a word.
	far, err := netlink.LinkByName("eth0")
	if err != nil {
		t.Fatal(err)
	}
	if err := netlink.NeighAdd(&netlink.Neigh{
		LinkIndex: far.Attrs().Index, State: netlink.NUD_PERMANENT,
		IP: net.IPv4(198, 19, 5, 9), HardwareAddr: net.HardwareAddr{2, 0, 0, 0, 0, 9},
	}); err != nil {
		t.Fatal(err)
	}
	peer, err := netlink.LinkByName("far0")
	if err != nil {
		t.Fatal(err)
	}
	if err := netlink.LinkSetUp(peer); err != nil {
		t.Fatal(err)
	}
	got := connect(t, c, "198.19.5.9:80", 150*time.Millisecond)
	if took := time.Duration(got.Took); got.Result != fault.TimedOut || took < 150*time.Millisecond || took > 5*time.Second {
		t.Errorf("silence: got %+v, want timeout after 150ms", got)
	}
}

func TestProbePortsComeAroundAndRunOut(t *testing.T) {
	if !inNamespace(t) {
		return
	}
	node := listen(t, "127.0.7.1:0", func(conn net.Conn) {
		_, _ = io.Copy(io.Discard, conn)
		conn.Close()
	})
	var d dialer
	var open []*net.TCPConn
	ports := map[int]bool{}
	for range LastProbePort - FirstProbePort + 1 {
		conn, err := d.dial(timely(t), node)
		if err != nil {
			t.Fatal(err)
		}
		open = append(open, conn)
		ports[conn.LocalAddr().(*net.TCPAddr).Port] = true
	}
	if len(ports) != 100 || !ports[FirstProbePort] || !ports[LastProbePort] {
		t.Errorf("got %d ports, want all from %d to %d", len(ports), FirstProbePort, LastProbePort)
	}
	if _, err := d.dial(timely(t), node); !errors.Is(err, errPortsBusy) {
		t.Errorf("the 101st: got %v, want %v", err, errPortsBusy)
	}
	for _, conn := range open {
		if err := conn.Close(); err != nil {
			t.Fatal(err)
		}
	}
	conn, err := d.dial(timely(t), node)
	if err != nil {
		t.Fatalf("after a RST the port is free at once: %v", err)
	}
	conn.Close()
}

// node is an HTTP server at an address of its own.
func node(t *testing.T, handler http.HandlerFunc) netip.AddrPort {
	t.Helper()
	l, err := net.Listen("tcp4", "127.0.7.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: handler, ReadHeaderTimeout: time.Second}
	done := make(chan error, 1)
	go func() { done <- server.Serve(l) }()
	t.Cleanup(func() {
		server.Close()
		<-done
	})
	return netip.MustParseAddrPort(l.Addr().String())
}

func TestProbeHTTP(t *testing.T) {
	if !inNamespace(t) {
		return
	}
	c := startAgent(t)
	addr := node(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Server", "awselb/2.0")
		w.WriteHeader(http.StatusServiceUnavailable)
		_, _ = io.WriteString(w, r.Host+r.URL.String())
	})
	got, err := c.ProbeHTTP(timely(t), HTTPRequest{Addr: addr, Path: "/a?b=c", Host: "backend.test"})
	if err != nil {
		t.Fatal(err)
	}
	if want := int64(len("backend.test/a?b=c")); got.Result != fault.Answered || got.Status != 503 || got.Server != "awselb/2.0" || got.Length != want {
		t.Errorf("got %+v, want 503 from awselb/2.0 with %d bytes", got, want)
	}
	got, err = c.ProbeHTTP(timely(t), HTTPRequest{Addr: netip.MustParseAddrPort("127.0.7.1:1")})
	if err != nil || got.Result != fault.Refused {
		t.Errorf("closed port: got %+v, %v, want refused", got, err)
	}
}

func TestProbeTLS(t *testing.T) {
	if !inNamespace(t) {
		return
	}
	c := startAgent(t)
	server := httptest.NewTLSServer(http.NotFoundHandler()) // its certificate is for example.com
	t.Cleanup(server.Close)
	ca := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}))
	addr := netip.MustParseAddrPort(server.Listener.Addr().String())
	for name, test := range map[string]struct {
		req  TLSRequest
		want TLSProbe
	}{
		"done":         {TLSRequest{Addr: addr, ServerName: "example.com", CA: ca}, TLSProbe{Result: fault.Connected, Handshake: fault.HandshakeDone}},
		"another name": {TLSRequest{Addr: addr, ServerName: "www.example.org", CA: ca}, TLSProbe{Result: fault.Connected, Handshake: fault.HandshakeWrongName}},
		"nobody there": {TLSRequest{Addr: netip.MustParseAddrPort("127.0.7.1:1"), ServerName: "example.com", CA: ca}, TLSProbe{Result: fault.Refused}},
	} {
		got, err := c.ProbeTLS(timely(t), test.req)
		if err != nil || got.Result != test.want.Result || got.Handshake != test.want.Handshake {
			t.Errorf("%s: got %+v, %v, want %+v", name, got, err, test.want)
		}
	}
	var refused *Error
	if _, err := c.ProbeTLS(timely(t), TLSRequest{Addr: addr, CA: ca}); !errors.As(err, &refused) || refused.Field != "server_name" {
		t.Errorf("without a name: got %v, want an error of the field server_name", err)
	}
	if _, err := c.ProbeTLS(timely(t), TLSRequest{Addr: addr, ServerName: "example.com"}); err == nil {
		t.Error("without an authority: got no error")
	}
}

func TestCanaryAnsweredAndKept(t *testing.T) {
	if !inNamespace(t) {
		return
	}
	c := startAgent(t)
	peers := make(chan string, 2)
	addr := node(t, func(w http.ResponseWriter, r *http.Request) {
		peers <- r.RemoteAddr
		w.Header().Set("Server", "node")
	})
	opened, err := c.OpenCanary(timely(t), "old-1", CanaryRequest{Addr: addr})
	if err != nil {
		t.Fatal(err)
	}
	if again, err := c.OpenCanary(timely(t), "old-1", CanaryRequest{Addr: addr}); err != nil || again != opened {
		t.Errorf("a second PUT: got %+v, %v, want the same connection %+v", again, err, opened)
	}
	for range 2 {
		got, err := c.AskCanary(timely(t), "old-1", AskRequest{})
		if err != nil || got.Result != fault.Answered || got.Status != 200 || got.Server != "node" {
			t.Errorf("got %+v, %v, want 200 from node", got, err)
		}
		if peer := <-peers; peer != opened.Local.String() {
			t.Errorf("asked over %s, want %s", peer, opened.Local)
		}
	}
	var refused *Error
	if _, err := c.OpenCanary(timely(t), "x", CanaryRequest{Addr: netip.MustParseAddrPort("127.0.7.1:1")}); !errors.As(err, &refused) || refused.Code != CodeNotOpened {
		t.Errorf("closed port: got %v, want not_opened", err)
	}
}

// How each way for a connection to end is reported, with the answer in time,
// too late, and never.
func TestCanaryEnds(t *testing.T) {
	if !inNamespace(t) {
		return
	}
	const answer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
	for name, test := range map[string]struct {
		serve func(conn *net.TCPConn)
		want  fault.Result
		ended fault.Result
	}{
		"reset": {func(conn *net.TCPConn) { _ = conn.SetLinger(0) }, fault.Reset, fault.Reset},
		"fin":   {func(*net.TCPConn) {}, fault.Closed, fault.Closed},
		"answer, then fin": {func(conn *net.TCPConn) {
			_, _ = io.WriteString(conn, answer)
		}, fault.Answered, fault.Closed},
		"cut short": {func(conn *net.TCPConn) {
			_, _ = io.WriteString(conn, answer[:len(answer)-1])
		}, fault.Garbled, fault.Garbled},
		"not HTTP": {func(conn *net.TCPConn) {
			_, _ = io.WriteString(conn, "220 mail.test ESMTP\r\n")
		}, fault.Garbled, fault.Garbled},
	} {
		t.Run(name, func(t *testing.T) {
			addr := listen(t, "127.0.7.1:0", func(conn net.Conn) {
				_, _ = conn.Read(make([]byte, 4096))
				test.serve(conn.(*net.TCPConn))
				conn.Close()
			})
			c, _, err := openCanary(timely(t), new(dialer), "c", addr)
			if err != nil {
				t.Fatal(err)
			}
			got, err := c.question("/", "x", 5*time.Second)
			if err != nil || got.Result != test.want {
				t.Errorf("got %+v, %v, want %s", got, err, test.want)
			}
			<-c.ended
			if s := c.state(); s.Ended != test.ended {
				t.Errorf("ended: got %q, want %q", s.Ended, test.ended)
			}
			if again, err := c.question("/", "x", time.Second); err != nil || again.Result != test.ended {
				t.Errorf("asked again: got %+v, %v, want %s", again, err, test.ended)
			}
			if err := c.drop(); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestCanaryLateAnswerIsNotTakenForTheNext(t *testing.T) {
	if !inNamespace(t) {
		return
	}
	release := make(chan struct{})
	first := true
	addr := node(t, func(w http.ResponseWriter, _ *http.Request) {
		if first {
			first = false
			<-release
			w.WriteHeader(http.StatusBadGateway)
		}
	})
	c, _, err := openCanary(timely(t), new(dialer), "c", addr)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := c.question("/", "x", 50*time.Millisecond); err != nil || got.Result != fault.Silent {
		t.Errorf("got %+v, %v, want silence", got, err)
	}
	close(release)
	if got, err := c.question("/", "x", 5*time.Second); err != nil || got.Status != 200 {
		t.Errorf("got %+v, %v, want the answer to the second question, 200", got, err)
	}
	if err := c.drop(); err != nil {
		t.Error(err)
	}
}
