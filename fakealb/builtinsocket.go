package fakealb

import (
	"bufio"
	"context"
	"net"
	"net/http"
	"strings"

	"github.com/coder/websocket"
)

// wantsSocket reports whether a request asks for WebSocket.
func wantsSocket(req *http.Request) bool {
	return wantsUpgrade(req) && strings.EqualFold(req.Header.Get("Upgrade"), "websocket")
}

// builtInSocket agrees to WebSocket for a built-in target, which sends every message
// back. It returns false if the request is none of WebSocket's.
func (s *Server) builtInSocket(x *exchange) (response, bool) {
	near, far := net.Pipe()
	w := hijacked{header: http.Header{}, conn: far}
	c, err := websocket.Accept(w, x.req, &websocket.AcceptOptions{InsecureSkipVerify: true}) // whoever asks
	if err != nil {
		_ = near.Close()
		return response{}, false
	}
	s.serving.Go(func() {
		defer func() { _ = c.CloseNow() }()
		for {
			kind, message, err := c.Read(context.Background())
			if err != nil || c.Write(context.Background(), kind, message) != nil {
				return // the tunnel ends with the client's connection, and this with it
			}
		}
	})
	return response{
		status: http.StatusSwitchingProtocols, reason: http.StatusText(http.StatusSwitchingProtocols), close: true, upgrade: near,
		trail: []field{
			{"Upgrade", "websocket"},
			{"Sec-WebSocket-Accept", w.header.Get("Sec-WebSocket-Accept")},
			{"Server", "fakealb-target"},
			{HeaderNode, x.c.node.name},
			{HeaderLoadBalancer, x.v.lb.Name},
		},
	}, true
}

// hijacked takes what a library has to say about a request, and gives it a connection.
type hijacked struct {
	header http.Header
	conn   net.Conn
}

// Header implements http.ResponseWriter.
func (w hijacked) Header() http.Header { return w.header }

// WriteHeader implements http.ResponseWriter.
func (w hijacked) WriteHeader(int) {}

// Write implements http.ResponseWriter.
func (w hijacked) Write(b []byte) (int, error) { return len(b), nil }

// Hijack implements http.Hijacker.
func (w hijacked) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	return w.conn, bufio.NewReadWriter(bufio.NewReader(w.conn), bufio.NewWriter(w.conn)), nil
}
