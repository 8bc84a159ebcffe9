package goproxy

import (
	"net"
	"net/http"
	"sync"
	"time"
)

// unusedGrace is how long a drain waits for the first request on a connection
// that was accepted before it.
const unusedGrace = 250 * time.Millisecond

// unusedConns are the client connections that have not sent a byte yet.
// http.Server's Shutdown waits 5 s for each of them; browsers and HTTP clients
// open such spare connections all the time.
type unusedConns struct {
	mu    sync.Mutex
	conns map[net.Conn]struct{}
}

// note is the server's ConnState hook.
func (u *unusedConns) note(c net.Conn, state http.ConnState) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if state != http.StateNew {
		delete(u.conns, c)
		return
	}
	if u.conns == nil {
		u.conns = map[net.Conn]struct{}{}
	}
	u.conns[c] = struct{}{}
}

func (u *unusedConns) closeAll() {
	u.mu.Lock()
	defer u.mu.Unlock()
	for c := range u.conns {
		_ = c.Close() // the client may have been faster
	}
}
