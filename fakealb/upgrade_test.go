package fakealb_test

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/proxychaos/proxychaos/fakealb"
	"github.com/proxychaos/proxychaos/fakealb/targets"
)

// socketTarget echoes WebSocket messages.
func socketTarget(t *testing.T) netip.AddrPort {
	t.Helper()
	return socketServer(t, "", new(atomic.Int64))
}

// socketServer answers every WebSocket message with its name, or, without one, with
// the message. It counts the requests that were no WebSocket.
func socketServer(t *testing.T, name string, others *atomic.Int64) netip.AddrPort {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Upgrade") == "" {
			others.Add(1)
			return
		}
		c, err := websocket.Accept(w, r, nil)
		if err != nil {
			return
		}
		defer c.CloseNow()
		for {
			kind, message, err := c.Read(context.Background())
			if name != "" {
				message = []byte(name)
			}
			if err != nil || c.Write(context.Background(), kind, message) != nil {
				return
			}
		}
	}))
	t.Cleanup(s.Close)
	return s.Listener.Addr().(*net.TCPAddr).AddrPort()
}

func TestWebSocketThroughANode(t *testing.T) {
	t.Attr("aws-fact", "2.2.3")
	l := &logBuffer{}
	f := start(t, func(c *fakealb.Config) {
		c.AccessLog = l
		c.LoadBalancers = []fakealb.LoadBalancer{{Name: "blue", TargetGroup: &targets.Group{Targets: targets.At(socketTarget(t))}}}
	}, "127.0.77.20")
	hc := &http.Client{Transport: tlsTransport(t, f)}
	hc.Transport.(*http.Transport).ForceAttemptHTTP2 = false
	for n, scheme := range []string{"ws", "wss"} {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		c, _, err := websocket.Dial(ctx, scheme+"://"+f.at(0)+"/socket", &websocket.DialOptions{HTTPClient: hc})
		if err != nil {
			t.Fatalf("%s: %v", scheme, err)
		}
		for _, message := range []string{"one", strings.Repeat("two", 10_000)} {
			c.SetReadLimit(1 << 20)
			if err := c.Write(ctx, websocket.MessageText, []byte(message)); err != nil {
				t.Fatal(err)
			}
			if _, got, err := c.Read(ctx); err != nil || string(got) != message {
				t.Errorf("%s: got %.40q, %v", scheme, got, err)
			}
		}
		if err := c.Close(websocket.StatusNormalClosure, ""); err != nil {
			t.Errorf("%s: close: %v", scheme, err)
		}
		cancel()
		matchFields(t, l.line(t, n), map[int]string{1: scheme, 9: "101", 10: "101", 11: `3\d{4}`, 12: `3\d{4}`})
	}
}

// The targets of the short form send messages back, and their connection ends as others do.
func TestWebSocketOfABuiltInTarget(t *testing.T) {
	f := start(t, nil, "127.0.77.24")
	c, resp, err := websocket.Dial(t.Context(), "ws://"+f.at(0)+"/", nil)
	if err != nil {
		t.Fatal(err)
	}
	if got := resp.Header.Get(fakealb.HeaderNode); got != f.nodes[0].String() {
		t.Errorf("got node %q in the answer, want %s", got, f.nodes[0])
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	for _, message := range []string{"one", strings.Repeat("x", 20_000)} {
		if err := c.Write(ctx, websocket.MessageText, []byte(message)); err != nil {
			t.Fatal(err)
		}
		if _, got, err := c.Read(ctx); err != nil || string(got) != message {
			t.Fatalf("got %d bytes, %v, want %q back", len(got), err, message[:3])
		}
	}
	if err := c.Close(websocket.StatusNormalClosure, ""); err != nil {
		t.Errorf("the end: %v", err)
	}
	eventually(t, "the request with status 101", func() bool {
		rows, err := f.Attempts(f.ctx)
		return err == nil && len(rows) == 1 && rows[0].Status == 101 && rows[0].TargetStatus == 101 && !rows[0].End.IsZero()
	})
	// A request that is none of WebSocket's is answered as others are.
	if got := tell(t, f.at(0), "GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade, close\r\nUpgrade: websocket\r\n\r\n", false); !strings.HasPrefix(got, "HTTP/1.1 200 ") {
		t.Errorf("without a key: got %q, want 200", got)
	}
}

func TestIdleWebSocketIsClosed(t *testing.T) {
	t.Attr("aws-fact", "2.2.3")
	t.Attr("aws-fact", "2.1.1")
	f := start(t, func(c *fakealb.Config) {
		c.TimeScale = 300 // idle timeout 200 ms
		c.LoadBalancers = []fakealb.LoadBalancer{{Name: "blue", TargetGroup: &targets.Group{Targets: targets.At(socketTarget(t))}}}
	}, "127.0.77.21")
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	c, _, err := websocket.Dial(ctx, "ws://"+f.at(0)+"/", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer c.CloseNow()
	begin := time.Now()
	if _, _, err := c.Read(ctx); err == nil || ctx.Err() != nil {
		t.Errorf("got %v, want the node to close", err)
	}
	if took := time.Since(begin); took < 150*time.Millisecond || took > 3*time.Second {
		t.Errorf("closed after %s, want about 200 ms", took)
	}
	eventually(t, "the row of the connection", func() bool {
		rows, err := f.Connections(f.ctx)
		return err == nil && rows[0].How == "idle-timeout" && rows[0].ClosedBy == "node"
	})
}

// After 101 the connection keeps its target, whatever becomes of the rules, the
// group and the faults; its line in the access log comes at the end. Health checks
// are plain requests.
func TestWebSocketStaysWithItsTarget(t *testing.T) {
	t.Attr("aws-fact", "2.2.3")
	l := &logBuffer{}
	var checks atomic.Int64
	first, second := socketServer(t, "first", &checks), socketServer(t, "second", &checks)
	f, ports := listening(t, "127.0.77.30", func(ports []uint16) fakealb.LoadBalancer {
		return socketBalancer(ports, first)
	}, func(c *fakealb.Config) { c.AccessLog = l })
	for n, scheme := range []string{"ws", "wss"} {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		if _, err := f.PutLoadBalancer(ctx, socketBalancer(ports, first)); err != nil {
			t.Fatal(err)
		}
		url := scheme + "://" + onPort(f.nodes[0], ports[n]) + "/"
		hc := &http.Client{Transport: tlsTransport(t, f)}
		hc.Transport.(*http.Transport).ForceAttemptHTTP2 = false
		dial := func() *websocket.Conn {
			c, _, err := websocket.Dial(ctx, url, &websocket.DialOptions{HTTPClient: hc})
			if err != nil {
				t.Fatal(err)
			}
			return c
		}
		asked := func(c *websocket.Conn) string {
			if err := c.Write(ctx, websocket.MessageText, []byte("who")); err != nil {
				return err.Error()
			}
			_, b, err := c.Read(ctx)
			if err != nil {
				return err.Error()
			}
			return string(b)
		}
		old := dial()
		if got := asked(old); got != "first" {
			t.Fatalf("%s: got %s", scheme, got)
		}
		if _, err := f.PutLoadBalancer(ctx, socketBalancer(ports, second)); err != nil {
			t.Fatal(err)
		}
		other := dial()
		if got := asked(other); got != "second" {
			t.Errorf("%s: a connection made after the change: got %s, want the second target", scheme, got)
		}
		f.set(t, fakealb.FaultLinger, f.nodes[0])
		for range 3 {
			if got := asked(old); got != "first" {
				t.Errorf("%s: after the change: got %s, want the target it has", scheme, got)
			}
		}
		if got := strings.Count(l.String(), "\n"); got != 2*n {
			t.Errorf("%s: %d lines in the access log before the connections end, want %d", scheme, got, 2*n)
		}
		f.set(t, fakealb.FaultNone, f.nodes[0])
		before := time.Now().UTC()
		_ = old.Close(websocket.StatusNormalClosure, "")
		line := l.line(t, 2*n)
		matchFields(t, line, map[int]string{1: scheme, 5: first.String(), 9: "101", 10: "101"})
		if at, err := time.Parse(time.RFC3339, line[1]); err != nil || at.Before(before.Truncate(time.Microsecond)) {
			t.Errorf("%s: the line's time is %s, want that of the end, after %s", scheme, line[1], before)
		}
		_ = other.Close(websocket.StatusNormalClosure, "")
		l.line(t, 2*n+1)
	}
	if checks.Load() == 0 {
		t.Error("no target saw a health check without an upgrade")
	}
}

// socketBalancer has a plain and a secure listener over one target.
func socketBalancer(ports []uint16, target netip.AddrPort) fakealb.LoadBalancer {
	return fakealb.LoadBalancer{
		Name: "blue", TargetGroup: &targets.Group{Targets: targets.At(target)},
		Listeners: []fakealb.Listener{{Port: ports[0], Protocol: fakealb.ProtocolHTTP}, {Port: ports[1], Protocol: fakealb.ProtocolHTTPS}},
	}
}

func TestWebSocketThroughNginx(t *testing.T) {
	t.Attr("aws-fact", "2.2.3")
	f := start(t, func(c *fakealb.Config) {
		c.LoadBalancers = []fakealb.LoadBalancer{{Name: "blue", TargetGroup: &targets.Group{Targets: targets.At(socketTarget(t))}}}
	}, "127.0.77.31")
	n := startNginx(t, "127.0.77.32", `
server {
	listen LISTEN;
	location / { proxy_pass https://`+f.at(0)+`; proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection upgrade; }
}`)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	c, _, err := websocket.Dial(ctx, "ws://"+n.at+"/", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer c.CloseNow()
	for _, message := range []string{"one", "two"} {
		if err := c.Write(ctx, websocket.MessageText, []byte(message)); err != nil {
			t.Fatal(err)
		}
		if _, got, err := c.Read(ctx); err != nil || string(got) != message {
			t.Errorf("got %q, %v", got, err)
		}
	}
}

// A client that stops to read does not keep its connection for ever.
func TestWebSocketOfAClientThatDoesNotReadIsClosed(t *testing.T) {
	t.Attr("aws-fact", "2.1.1")
	flood, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer flood.Close()
	go func() { // a target that sends without end after 101
		for {
			c, err := flood.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				b := make([]byte, 64<<10)
				n, _ := c.Read(b)
				if !strings.Contains(string(b[:n]), "Upgrade: websocket") {
					return // a health check
				}
				_, _ = c.Write([]byte("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"))
				for err == nil {
					_, err = c.Write(b)
				}
			}()
		}
	}()
	f := start(t, func(c *fakealb.Config) {
		c.TimeScale = 120 // 500 ms
		c.LoadBalancers = []fakealb.LoadBalancer{{Name: "blue", TargetGroup: &targets.Group{Targets: targets.At(flood.Addr().(*net.TCPAddr).AddrPort())}}}
	}, "127.0.77.33")
	c, err := net.Dial("tcp4", f.at(0))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_, _ = c.Write([]byte("GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"))
	eventually(t, "the row of the stuck connection", func() bool {
		rows, err := f.Connections(f.ctx)
		return err == nil && len(rows) == 1 && rows[0].How == "idle-timeout" && rows[0].ClosedBy == "node"
	})
}
