package load_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/proxychaos/proxychaos/harness/load"
	"github.com/proxychaos/proxychaos/harness/recording"
)

// echoSockets agrees to WebSocket as a node does, and gives each to handle.
func echoSockets(t *testing.T, handle func(ctx context.Context, c *websocket.Conn)) *target {
	return serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set(load.NodeHeader, "198.18.1.21")
		c, err := websocket.Accept(w, r, nil)
		if err != nil {
			return
		}
		defer c.CloseNow()
		handle(r.Context(), c)
	})
}

// sendBack sends so many messages back; 0 is all.
func sendBack(ctx context.Context, c *websocket.Conn, messages int) {
	for n := 0; messages == 0 || n < messages; n++ {
		kind, text, err := c.Read(ctx)
		if err != nil || c.Write(ctx, kind, text) != nil {
			return
		}
	}
}

func sockets(s *target, clients int, duration recording.Seconds) load.Sockets {
	return load.Sockets{Way: way(s), Clients: clients, Every: 0.02, Timeout: 5, Duration: duration}
}

func hold(t *testing.T, s load.Sockets) []load.SocketRow {
	t.Helper()
	var rows []load.SocketRow
	agent := httptest.NewServer(load.Handler())
	defer agent.Close()
	if err := load.NewClient(agent.URL).Hold(t.Context(), s, func(row load.SocketRow) { rows = append(rows, row) }); err != nil {
		t.Fatal(err)
	}
	return rows
}

func TestSocketsAreHeldToTheEnd(t *testing.T) {
	server := echoSockets(t, func(ctx context.Context, c *websocket.Conn) { sendBack(ctx, c, 0) })
	rows := hold(t, sockets(server, 3, 0.5))
	seen := map[uint64]bool{}
	for _, row := range rows {
		seen[row.Client] = true
		if row.Outcome != recording.OK || row.Code != 101 || row.Node != netip.MustParseAddr("198.18.1.21") || row.Opened.Before(row.Asked) || !row.Ended.IsZero() {
			t.Errorf("got %+v, want a WebSocket of 198.18.1.21 that was open to the end", row)
		}
		if row.Messages < 2 || row.Messages > 26 || row.Last.Before(row.Opened) {
			t.Errorf("got %d messages, the last at %v, want one every 20 ms of at most 0.5 s", row.Messages, row.Last)
		}
	}
	if len(rows) != 3 || len(seen) != 3 {
		t.Errorf("got %d WebSockets of %d clients, want 3 of 3", len(rows), len(seen))
	}
}

// A client whose WebSocket goes notes it, and asks for another.
func TestSocketsThatGoAreAskedForAgain(t *testing.T) {
	var asked atomic.Int32
	server := echoSockets(t, func(ctx context.Context, c *websocket.Conn) {
		if asked.Add(1) == 1 {
			sendBack(ctx, c, 2) // and then it is closed
			return
		}
		sendBack(ctx, c, 0)
	})
	rows := hold(t, sockets(server, 1, 1))
	if len(rows) != 2 {
		t.Fatalf("got %+v, want the one that went and the next", rows)
	}
	first, next := rows[0], rows[1]
	if first.Outcome != recording.Connection || first.Messages != 2 || first.Ended.Before(first.Last) {
		t.Errorf("got %+v, want one that went after 2 messages", first)
	}
	if wait := next.Asked.Sub(first.Ended); next.Outcome != recording.OK || wait < 250*time.Millisecond {
		t.Errorf("got %+v asked for after %v, want one that was held to the end, 0.25 s later", next, wait)
	}
}

func TestSocketsThatAreNotAgreedTo(t *testing.T) {
	rows := hold(t, sockets(serve(t, echo), 1, 0.4))
	if len(rows) == 0 {
		t.Fatal("got no row, want one for each time that a client asked")
	}
	for _, row := range rows {
		if row.Outcome != "200" || !row.Opened.IsZero() || row.Code != 200 || row.Node != netip.MustParseAddr("198.18.1.21") {
			t.Errorf("got %+v, want a 200 of the node and no WebSocket", row)
		}
	}
}

// Whose messages do not come back has to find out by itself.
func TestSocketsThatFallSilent(t *testing.T) {
	server := echoSockets(t, func(ctx context.Context, c *websocket.Conn) {
		sendBack(ctx, c, 1)
		_, _, _ = c.Read(ctx)
		<-ctx.Done()
	})
	s := sockets(server, 1, 0.8)
	s.Timeout = 0.3
	rows := hold(t, s)
	if len(rows) == 0 {
		t.Fatal("got no row, want one for the WebSocket that fell silent")
	}
	if row := rows[0]; row.Outcome != recording.Timeout || row.Messages != 1 || row.Ended.Sub(row.Last) < 300*time.Millisecond {
		t.Errorf("got %+v, want one given up 0.3 s after the last message", row)
	}
}

func TestSocketsThatSendBackSomethingElse(t *testing.T) {
	server := echoSockets(t, func(ctx context.Context, c *websocket.Conn) {
		if _, _, err := c.Read(ctx); err == nil {
			_ = c.Write(ctx, websocket.MessageText, []byte("another"))
		}
		sendBack(ctx, c, 0)
	})
	rows := hold(t, sockets(server, 1, 0.2))
	if len(rows) == 0 || rows[0].Outcome != recording.WrongBody || rows[0].Messages != 0 {
		t.Errorf("got %+v, want a WebSocket that is given up for its message", rows)
	}
}

func TestWrongSocketsAreRefused(t *testing.T) {
	server := serve(t, echo)
	for field, spoil := range map[string]func(*load.Sockets){
		"target":           func(s *load.Sockets) { s.Target = "ws://example.com" },
		"clients":          func(s *load.Sockets) { s.Clients = 0 },
		"every_seconds":    func(s *load.Sockets) { s.Every = 0 },
		"timeout_seconds":  func(s *load.Sockets) { s.Timeout = 0 },
		"duration_seconds": func(s *load.Sockets) { s.Duration = 3601 },
		"start_at":         func(s *load.Sockets) { s.StartAt = time.Now().Add(time.Hour) },
	} {
		s := sockets(server, 1, 1)
		spoil(&s)
		err := load.Hold(t.Context(), s, func(load.SocketRow) { t.Errorf("%s: want no row", field) })
		var wrong *load.Error
		if !errors.As(err, &wrong) || wrong.Field != field {
			t.Errorf("%s: got %v, want an error about that field", field, err)
		}
	}
}
