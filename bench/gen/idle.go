package gen

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
)

// sources spreads the client ends of idle connections over loopback addresses,
// as many clients would be.
const sources = 8

// Idle is a number of client connections that were used once and are kept.
type Idle []net.Conn

// OpenIdle opens n connections to addr, sends one GET over each, reads its
// answer, and leaves it open. Close what it returns, whatever the error.
func OpenIdle(ctx context.Context, addr netip.AddrPort, n int) (Idle, error) {
	var open Idle
	for i := range n {
		local := &net.TCPAddr{IP: net.IPv4(127, 0, 0, byte(2+i%sources))}
		conn, err := (&net.Dialer{LocalAddr: local}).DialContext(ctx, "tcp", addr.String())
		if err != nil {
			return open, fmt.Errorf("connection %d: %w", i+1, err)
		}
		open = append(open, conn)
		if err := once(conn, addr); err != nil {
			return open, fmt.Errorf("connection %d: %w", i+1, err)
		}
	}
	return open, nil
}

// Close closes all of them.
func (open Idle) Close() {
	for _, c := range open {
		_ = c.Close()
	}
}

func once(conn net.Conn, addr netip.AddrPort) error {
	if _, err := fmt.Fprintf(conn, "GET / HTTP/1.1\r\nHost: %s\r\n\r\n", addr); err != nil {
		return err
	}
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if _, err := io.Copy(io.Discard, response.Body); err != nil {
		return err
	}
	switch {
	case response.StatusCode != http.StatusOK:
		return fmt.Errorf("got status %d, want 200", response.StatusCode)
	case response.Close:
		return errors.New("the server closes the connection, want it kept")
	}
	return nil
}
