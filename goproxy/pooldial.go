package goproxy

import (
	"context"
	"slices"
)

// dialed is the result of making a connection.
type dialed struct {
	conn *upstreamConn
	err  error
}

// dialOrTake makes a connection for req, for which reserve gave the right, and
// takes another one where that is free before. What was begun goes on without
// the request, and is for those that come next. Handshakes that end with the
// request that wanted them are made again by the client's next attempt: where
// they are slow because there are many, that would keep them many.
func (p *pool) dialOrTake(ctx context.Context, req *request) (*upstreamConn, error) {
	if p.single {
		return p.dial(ctx, req) // it tells the upstream of this client
	}
	turn := make(chan dialed, 1)
	p.mu.Lock()
	p.takers = append(p.takers, turn)
	p.mu.Unlock()
	go p.dialForAnyone() //nolint:contextcheck // it outlives the request
	select {
	case got := <-turn:
		return got.conn, got.err
	case <-ctx.Done():
	}
	p.mu.Lock()
	i := slices.Index(p.takers, turn)
	if i >= 0 {
		p.takers = slices.Delete(p.takers, i, i+1)
	}
	p.mu.Unlock()
	if i >= 0 {
		return nil, ctx.Err()
	}
	if got := <-turn; got.err == nil { // it came at the same moment
		p.put(got.conn)
	}
	return nil, ctx.Err()
}

// dialForAnyone makes a connection, within its timeouts and as long as the
// address is there, for who has waited longest. Nobody waits in vain:
// one is made for each, and what fails is told to one.
func (p *pool) dialForAnyone() {
	conn, err := p.dial(p.endpoint.gone, nil)
	p.mu.Lock()
	taken := p.take(dialed{conn, err})
	p.mu.Unlock()
	if !taken && err == nil {
		p.put(conn)
	}
}

// take hands over to who has waited longest, if anybody waits. The caller holds
// mu.
func (p *pool) take(d dialed) bool {
	if len(p.takers) == 0 {
		return false
	}
	turn := p.takers[0]
	p.takers = p.takers[1:]
	turn <- d
	return true
}
