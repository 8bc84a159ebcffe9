package load

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"strconv"
	"sync"
	"time"

	"github.com/coder/websocket"

	"github.com/proxychaos/proxychaos/harness/recording"
)

// Sockets are WebSockets that clients hold beside a load. Each client has one at a time. It
// sends a message, which has to come back, and the next one when that is due. Once its
// WebSocket has gone, it asks for another.
type Sockets struct {
	recording.Way

	Clients  int               `json:"clients"`          // 1 to 1,000
	Every    recording.Seconds `json:"every_seconds"`    // between two messages of one client, more than 0
	Timeout  recording.Seconds `json:"timeout_seconds"`  // of opening one, and of a message until it is back; more than 0, at most 300
	Duration recording.Seconds `json:"duration_seconds"` // more than 0, at most 3,600
	// StartAt is when the first client asks for its WebSocket, at most 10 minutes from now. The
	// others follow within Every. The zero time is now.
	StartAt time.Time `json:"start_at,omitzero"`
}

// askAgain is how long after its WebSocket has gone a client asks for another.
const askAgain = 250 * time.Millisecond

// SocketRow is what became of one WebSocket, or of the request for it. It is a
// recording.Socket with its times still absolute.
type SocketRow struct {
	Client   uint64     `json:"client"`
	Asked    time.Time  `json:"asked"`
	Opened   time.Time  `json:"opened,omitzero"`
	Last     time.Time  `json:"last,omitzero"`
	Ended    time.Time  `json:"ended,omitzero"`
	Node     netip.Addr `json:"node,omitzero"`
	Code     int        `json:"code,omitempty"`
	Messages int        `json:"messages,omitempty"`
	Outcome  string     `json:"outcome"`
	Error    string     `json:"error,omitempty"`
}

// Socket gives the row with its times counted from t0.
func (r SocketRow) Socket(t0 time.Time) recording.Socket {
	since := func(t time.Time) recording.Seconds {
		if t.IsZero() {
			return 0
		}
		return recording.Of(t.Sub(t0))
	}
	return recording.Socket{
		Client: r.Client, Asked: since(r.Asked), Opened: since(r.Opened), Last: since(r.Last), Ended: since(r.Ended),
		Node: r.Node, Code: r.Code, Messages: r.Messages, Outcome: r.Outcome, Error: r.Error,
	}
}

func (s Sockets) validate(now time.Time) error {
	if err := validateWay(s.Way); err != nil {
		return err
	}
	if s.Clients < 1 || s.Clients > maxConcurrency {
		return invalid("clients", "got %d, want 1 to %d", s.Clients, maxConcurrency)
	}
	if s.Every <= 0 {
		return invalid("every_seconds", "got %g, want more than 0", s.Every)
	}
	if err := validateTimeout(s.Timeout); err != nil {
		return err
	}
	if s.Duration <= 0 || s.Duration > MaxDuration {
		return invalid("duration_seconds", "got %g, want more than 0 and at most %g", s.Duration, MaxDuration)
	}
	return validateStart(s.StartAt, now)
}

// Hold holds WebSockets and calls each for every one of them, once it has gone or the time is
// over, from one goroutine at a time. What is being asked for when the time is over is not
// reported. The error is a *Error for wrong Sockets, or that of ctx.
func Hold(ctx context.Context, s Sockets, each func(SocketRow)) error {
	now := time.Now()
	if err := s.validate(now); err != nil {
		return err
	}
	start := now
	if !s.StartAt.IsZero() {
		start = now.Add(s.StartAt.Sub(now))
	}
	all, cancel := context.WithDeadline(ctx, start.Add(s.Duration.Duration()))
	defer cancel()
	var mu sync.Mutex
	report := func(row SocketRow) {
		mu.Lock()
		defer mu.Unlock()
		each(row)
	}
	var clients sync.WaitGroup
	for n := range s.Clients {
		clients.Go(func() {
			first := start.Add(s.Every.Duration() * time.Duration(n) / time.Duration(s.Clients))
			if sleep(all, time.Until(first)) == nil {
				s.hold(all, uint64(n+1), report)
			}
		})
	}
	clients.Wait()
	return ctx.Err()
}

// hold is one client.
func (s Sockets) hold(ctx context.Context, client uint64, report func(SocketRow)) {
	for ctx.Err() == nil {
		row := SocketRow{Client: client, Asked: time.Now()}
		conn, err := s.open(ctx, &row)
		if err == nil {
			err = s.exchange(ctx, conn, &row)
			_ = conn.CloseNow() // it has gone, or nobody needs it any more
		}
		switch {
		case ctx.Err() != nil && row.Opened.IsZero():
			return
		case ctx.Err() != nil:
			row.Outcome = recording.OK
		default:
			row.Ended = time.Now()
			row.failed(err, s.Timeout.Duration())
		}
		report(row)
		_ = sleep(ctx, askAgain) // the loop looks at ctx
	}
}

// open asks for a WebSocket.
func (s Sockets) open(ctx context.Context, row *SocketRow) (*websocket.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, s.Timeout.Duration())
	defer cancel()
	number, _ := unnumbered()
	request, err := get(ctx, s.Way, recording.Numbered(s.Paths[0], number), row.Client)
	if err != nil {
		return nil, err
	}
	transport := transport(s.Way)
	transport.DisableKeepAlives = true // what answers with no WebSocket is asked on a new connection
	conn, response, err := websocket.Dial(ctx, request.URL.String(), &websocket.DialOptions{
		HTTPClient: &http.Client{Transport: transport, CheckRedirect: followNone},
		HTTPHeader: request.Header, Host: s.Host,
	})
	if response != nil {
		row.Code = response.StatusCode
		row.Node, _ = netip.ParseAddr(response.Header.Get(NodeHeader))
	}
	if err == nil {
		row.Opened = time.Now()
	}
	return conn, err
}

// exchange sends messages until one does not come back.
func (s Sockets) exchange(ctx context.Context, conn *websocket.Conn, row *SocketRow) error {
	for due := row.Opened; ; due = due.Add(s.Every.Duration()) {
		if err := sleep(ctx, time.Until(due)); err != nil {
			return err
		}
		if err := s.echo(ctx, conn, fmt.Sprintf("client=%d message=%d", row.Client, row.Messages+1)); err != nil {
			return err
		}
		row.Messages++
		row.Last = time.Now()
	}
}

func (s Sockets) echo(ctx context.Context, conn *websocket.Conn, message string) error {
	ctx, cancel := context.WithTimeout(ctx, s.Timeout.Duration())
	defer cancel()
	if err := conn.Write(ctx, websocket.MessageText, []byte(message)); err != nil {
		return err
	}
	_, back, err := conn.Read(ctx)
	if err != nil {
		return err
	}
	if string(back) != message {
		return errOtherMessage{message, string(back)}
	}
	return nil
}

// errOtherMessage is a message that came back as another one.
type errOtherMessage struct{ want, got string }

func (e errOtherMessage) Error() string {
	return fmt.Sprintf("want the message %q back, got %.80q", e.want, e.got)
}

// failed fills in why a WebSocket was not opened, or why it has gone.
func (r *SocketRow) failed(err error, timeout time.Duration) {
	r.Error = err.Error()
	var other errOtherMessage
	switch {
	case r.Opened.IsZero() && r.Code != 0:
		r.Outcome = strconv.Itoa(r.Code)
	case errors.As(err, &other):
		r.Outcome = recording.WrongBody
	case isTimeout(err):
		r.Outcome, r.Error = recording.Timeout, fmt.Sprintf("not opened, or no message back, within %s", timeout)
	default:
		r.Outcome = recording.Connection
	}
}
