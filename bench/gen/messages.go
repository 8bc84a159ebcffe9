package gen

import (
	"bufio"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"
)

// messageSize is the payload of a WebSocket message, in bytes: that of a short text.
const messageSize = 64

// websocketRequest asks for a WebSocket. The key is the example of RFC 6455, 1.3: nobody
// here is to be kept from guessing it.
const (
	websocketKey     = "dGhlIHNhbXBsZSBub25jZQ=="
	websocketRequest = "GET /echo HTTP/1.1\r\nHost: %s\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: " + websocketKey + "\r\n\r\n"
)

// Messages sends messages over [Connections] WebSockets at addr for d, each when the one
// before it has come back, and counts those that came back. What echoes them may be in
// this process: then its work is in the cores too.
func Messages(ctx context.Context, addr netip.AddrPort, d time.Duration) (Result, error) {
	var sockets []*socket
	defer func() {
		for _, s := range sockets {
			_ = s.Close()
		}
	}()
	for range Connections {
		s, err := openSocket(ctx, addr)
		if err != nil {
			return Result{}, err
		}
		sockets = append(sockets, s)
	}
	var count atomic.Int64
	began := time.Now()
	for _, s := range sockets {
		if err := s.SetDeadline(began.Add(d + answerIn)); err != nil {
			return Result{}, err
		}
	}
	cores, err := ownCores(func() error {
		var all sync.WaitGroup
		errs := make([]error, len(sockets))
		for i, s := range sockets {
			all.Go(func() {
				for time.Since(began) < d && ctx.Err() == nil && errs[i] == nil {
					if errs[i] = s.echoed(); errs[i] == nil {
						count.Add(1)
					}
				}
			})
		}
		all.Wait()
		return errors.Join(append(errs, ctx.Err())...)
	})
	if err != nil {
		return Result{}, err
	}
	return Result{float64(count.Load()) / time.Since(began).Seconds(), cores}, nil
}

// socket is the client's end of a WebSocket, with the one message that it sends.
type socket struct {
	net.Conn
	r       *bufio.Reader
	message []byte // as a frame
	want    []byte // the frame that comes back
	got     []byte
}

// answerIn is how long a client waits for an answer.
const answerIn = 10 * time.Second

func openSocket(ctx context.Context, addr netip.AddrPort) (*socket, error) {
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", addr.String())
	if err != nil {
		return nil, err
	}
	s := &socket{Conn: conn, r: bufio.NewReader(conn), got: make([]byte, 2+messageSize)}
	if err := s.upgrade(addr); err != nil {
		_ = conn.Close() // the first error says more
		return nil, fmt.Errorf("open a WebSocket at %s: %w", addr, err)
	}
	payload := make([]byte, messageSize)
	for i := range payload {
		payload[i] = 'a' + byte(i%26)
	}
	var mask [4]byte
	_, _ = rand.Read(mask[:]) // never fails
	s.want = append([]byte{finalText, messageSize}, payload...)
	s.message = append([]byte{finalText, masked | messageSize}, mask[:]...)
	for i, c := range payload {
		s.message = append(s.message, c^mask[i%4])
	}
	return s, nil
}

func (s *socket) upgrade(addr netip.AddrPort) error {
	if err := s.SetDeadline(time.Now().Add(answerIn)); err != nil {
		return err
	}
	if _, err := fmt.Fprintf(s.Conn, websocketRequest, addr); err != nil {
		return err
	}
	response, err := http.ReadResponse(s.r, nil)
	if err != nil {
		return err
	}
	_ = response.Body.Close() // a 101 has none
	if got := response.Header.Get("Sec-WebSocket-Accept"); response.StatusCode != http.StatusSwitchingProtocols || got != acceptFor(websocketKey) {
		return fmt.Errorf("got %s with Sec-WebSocket-Accept %q, want 101 with %q", response.Status, got, acceptFor(websocketKey))
	}
	return s.SetDeadline(time.Time{})
}

// echoed sends the message and reads what comes back.
func (s *socket) echoed() error {
	if _, err := s.Write(s.message); err != nil {
		return fmt.Errorf("send a message: %w", err)
	}
	if _, err := io.ReadFull(s.r, s.got); err != nil {
		return fmt.Errorf("read a message: %w", err)
	}
	if string(s.got) != string(s.want) {
		return fmt.Errorf("got the message %q, want %q", s.got, s.want)
	}
	return nil
}
