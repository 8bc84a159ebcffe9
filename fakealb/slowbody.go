package fakealb

import (
	"context"
	"io"
	"time"
)

// bodyPieces is in how many pieces a slow body comes, if it has as many bytes.
const bodyPieces = 10

// slowDown has the body of a response come in pieces, the first of them at once and the last
// after the delay of the fault.
func (s *Server) slowDown(x *exchange, r *response) {
	if r.upgrade != nil || !r.hasBody(x.req.Method) {
		return
	}
	r.buffer()
	if len(r.body) == 0 {
		return
	}
	r.length = int64(len(r.body))
	r.stream = &slowBody{
		server: s, ctx: x.context(), left: r.body, began: time.Now(),
		piece: max(1, len(r.body)/bodyPieces), pause: time.Duration(x.v.fault.Delay) / (bodyPieces - 1),
	}
	r.body = nil
}

// slowBody is a body that comes in pieces of so many bytes; the last one has what is left over.
type slowBody struct {
	server *Server
	ctx    context.Context // of the request: nobody waits for the rest once it has ended
	left   []byte
	piece  int
	began  time.Time
	given  int           // pieces
	pause  time.Duration // between two of them, by when they are due: what comes late makes no other late
}

// Read implements io.Reader.
func (b *slowBody) Read(p []byte) (int, error) {
	if len(b.left) == 0 {
		return 0, io.EOF
	}
	if due := b.began.Add(b.pause * time.Duration(b.given)); !b.server.wait(b.ctx, time.Until(due)) {
		return 0, context.Cause(b.ctx)
	}
	b.given++
	n := b.piece
	if b.given >= bodyPieces {
		n = len(b.left)
	}
	n = copy(p, b.left[:min(n, len(b.left))])
	b.left = b.left[n:]
	return n, nil
}

// Close implements io.Closer.
func (b *slowBody) Close() error { return nil }
