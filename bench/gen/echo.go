package gen

import (
	"bufio"
	"context"
	"crypto/sha1" //nolint:gosec // RFC 6455 wants it, and not as a secret
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
)

// Frames of RFC 6455, 5.2, as far as they are used here: a whole text of at most 125 bytes.
const (
	finalText = 0x81
	masked    = 0x80
	maxShort  = 125
)

// acceptFor is the value that shows that a server has read the key (RFC 6455, 4.2.2).
func acceptFor(key string) string {
	sum := sha1.Sum([]byte(key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11")) //nolint:gosec // as above
	return base64.StdEncoding.EncodeToString(sum[:])
}

// Echo starts a server in this process that sends WebSocket messages back, until ctx ends.
// It takes short text messages only, which is what [Messages] sends.
func Echo(ctx context.Context) (netip.AddrPort, error) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp4", "127.0.0.1:0")
	if err != nil {
		return netip.AddrPort{}, err
	}
	context.AfterFunc(ctx, func() { _ = l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return // closed
			}
			go func() {
				defer conn.Close()
				defer context.AfterFunc(ctx, func() { _ = conn.Close() })()
				_ = echo(conn) // the client has gone, or says what it got
			}()
		}
	}()
	return netip.ParseAddrPort(l.Addr().String())
}

// echo serves one connection until it ends or brings something else.
func echo(conn net.Conn) error {
	r := bufio.NewReader(conn)
	request, err := http.ReadRequest(r)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: %s\r\n\r\n",
		acceptFor(request.Header.Get("Sec-WebSocket-Key")))
	if err != nil {
		return err
	}
	const head = 2 + 4 // with the mask
	frame := make([]byte, head+maxShort)
	for {
		if _, err := io.ReadFull(r, frame[:head]); err != nil {
			return err
		}
		size := int(frame[1] &^ masked)
		if frame[0] != finalText || frame[1]&masked == 0 || size > maxShort {
			return fmt.Errorf("got a frame that begins %x, want a short text with a mask", frame[:2])
		}
		payload := frame[head : head+size]
		if _, err := io.ReadFull(r, payload); err != nil {
			return err
		}
		for i := range payload {
			payload[i] ^= frame[2+i%4]
		}
		// The answer has no mask: it begins 4 bytes later.
		out := frame[4 : head+size]
		out[0], out[1] = finalText, byte(size)
		if _, err := conn.Write(out); err != nil {
			return err
		}
	}
}
