package fakealb

import (
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"github.com/proxychaos/proxychaos/fakealb/record"
)

// wantsUpgrade reports whether an HTTP/1.1 request asks for another protocol,
// such as WebSocket (2.2.3 D).
func wantsUpgrade(req *http.Request) bool {
	if req.ProtoMajor != 1 || req.Header.Get("Upgrade") == "" {
		return false
	}
	for _, line := range req.Header.Values("Connection") {
		for token := range strings.SplitSeq(line, ",") {
			if strings.EqualFold(strings.TrimSpace(token), "upgrade") {
				return true
			}
		}
	}
	return false
}

// tunnel passes bytes both ways between the client and a target that has agreed
// to another protocol, until either ends it or both are silent for the idle
// timeout. It returns the bytes sent to the client.
func (h *http1) tunnel(x *exchange, r *response) (int64, error) {
	defer r.upgrade.Close()
	out := r.head(nil, x.req.Method, false)
	x.sentHead = int64(len(out))
	if _, err := h.conn.Write(out); err != nil {
		return 0, err
	}
	idle := h.server.scaled(x.v.lb.Attributes.idleTimeout())
	_ = h.conn.SetReadDeadline(time.Time{})
	// The first side to end closes the target's side and interrupts the client's.
	var timedOut atomic.Bool
	end := func() {
		_ = r.upgrade.Close()
		h.c.readingAhead.Store(true)
		_ = h.conn.SetReadDeadline(time.Unix(1, 0))
	}
	timer := time.AfterFunc(idle, func() {
		timedOut.Store(true)
		_ = h.conn.SetWriteDeadline(time.Unix(1, 0)) // the client may have stopped to read
		end()
	})
	defer timer.Stop()
	received := make(chan int64, 1)
	go func() {
		n, _ := copyFlushing(r.upgrade, h.in.Buffered(), func() error { timer.Reset(idle); return nil })
		end()
		received <- n
	}()
	sent, _ := copyFlushing(h.conn, r.upgrade, func() error { timer.Reset(idle); return nil })
	end()
	x.received += <-received
	how := howFIN
	if timedOut.Load() {
		how = howIdleTimeout
	}
	h.c.endedBy(record.ClosedByNode, how)
	return sent, nil
}

// upgraded is the response of a target that agreed to another protocol.
func upgraded(resp *http.Response) (response, bool) {
	both, ok := resp.Body.(io.ReadWriteCloser)
	if resp.StatusCode != http.StatusSwitchingProtocols || !ok {
		return response{}, false
	}
	r := passedOn(resp)
	r.stream, r.upgrade, r.close = nil, both, true
	r.trail = append(r.trail, field{"Upgrade", resp.Header.Get("Upgrade")})
	return r, true
}
