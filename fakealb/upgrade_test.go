package fakealb_test

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/proxychaos/proxychaos/fakealb"
	"github.com/proxychaos/proxychaos/fakealb/targets"
)

// socketTarget echoes WebSocket messages.
func socketTarget(t *testing.T) netip.AddrPort {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Upgrade") == "" {
			return // a health check
		}
		c, err := websocket.Accept(w, r, nil)
		if err != nil {
			return
		}
		defer c.CloseNow()
		for {
			kind, message, err := c.Read(context.Background())
			if err != nil || c.Write(context.Background(), kind, message) != nil {
				return
			}
		}
	}))
	t.Cleanup(s.Close)
	return s.Listener.Addr().(*net.TCPAddr).AddrPort()
}

func TestWebSocketThroughANode(t *testing.T) { // 2.2.3 D
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

func TestIdleWebSocketIsClosed(t *testing.T) {
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
