package nlb

import (
	"errors"
	"io"
	"net"
	"sync"
	"syscall"
	"time"

	"github.com/proxychaos/proxychaos/fakealb/netfault"
)

// Conn is one of the two TCP connections of a flow. What netfault accepts is one.
type Conn interface {
	net.Conn
	syscall.Conn
	// CloseWrite sends FIN and leaves the other direction open.
	CloseWrite() error
	// Reset closes the connection with RST.
	Reset()
}

// Stream is what goes over a Conn: the Conn itself, or TLS on it.
type Stream interface {
	io.ReadWriter
	// CloseWrite says that nothing more will be written.
	CloseWrite() error
}

// Party is who ended a flow.
type Party string

// Who ends flows.
const (
	ByClient   Party = "client"
	ByTarget   Party = "target"
	ByBalancer Party = "balancer"
	ByFault    Party = "fault"
)

// End is how a flow ended.
type End struct {
	By  Party
	How How
}

// How says by what a flow ended.
type How string

// What ends flows.
const (
	FIN How = "fin"
	RST How = "rst"
	// Idle is the idle timeout, after which the flow is forgotten (4.2 D).
	Idle How = "idle-timeout"
	// Unhealthy is a target that failed its health checks (4.5 D).
	Unhealthy How = "target-unhealthy"
	// Deregistered is the end of a target's deregistration delay (4.9 D).
	Deregistered How = "target-deregistered"
)

// side is one end of a flow.
type side struct {
	party    Party
	conn     Conn
	stream   Stream
	segments uint32        // that the kernel has received, when last looked at
	gone     chan struct{} // closed when the connection is about to end
	closed   chan struct{} // closed when it has: until then nobody else may close it
	once     sync.Once
}

func newSide(p Party, c Conn, s Stream) *side {
	return &side{party: p, conn: c, stream: s, segments: segmentsReceived(c), gone: make(chan struct{}), closed: make(chan struct{})}
}

// reset ends the side with RST and reports whether it was still there.
func (s *side) reset() bool {
	first := false
	s.once.Do(func() {
		first = true
		close(s.gone) // before the reads and writes under way find out
		s.conn.Reset()
		close(s.closed)
	})
	return first
}

// shut ends the side with FIN.
func (s *side) shut() {
	s.once.Do(func() {
		close(s.gone)
		_ = s.conn.Close()
		close(s.closed)
	})
}

// flow passes bytes between a client and its target until it ends or is forgotten.
type flow struct {
	client, target *side
	idle           time.Duration
	resetIdle      bool        // see Settings
	resets         func(Party) // is told of each RST that a side sent or got

	mu        sync.Mutex
	last      time.Time // of a packet of either side
	forgotten bool
	end       End
	ended     chan struct{} // closed when end is known
	over      chan struct{} // closed when nothing of the flow is left
}

func newFlow(client, target *side, idle time.Duration, resets func(Party)) *flow {
	return &flow{
		client: client, target: target, idle: idle, resets: resets, last: time.Now(),
		ended: make(chan struct{}), over: make(chan struct{}),
	}
}

// run passes bytes on and returns when nothing of the flow is left: for a
// forgotten one that is when both sides have sent a packet and got their RST.
func (f *flow) run() {
	var pumps sync.WaitGroup
	pumps.Go(func() { f.pump(f.client, f.target) })
	pumps.Go(func() { f.pump(f.target, f.client) })
	go f.watch()
	pumps.Wait()
	f.finish(End{ByBalancer, FIN})
	f.client.shut()
	f.target.shut()
	close(f.over)
}

// copyBytes is how much one read of a pump takes.
const copyBytes = 32 << 10

// pump passes on what from sends.
func (f *flow) pump(from, to *side) {
	buf := make([]byte, copyBytes)
	for {
		n, err := from.stream.Read(buf)
		if !f.touch() {
			f.refuse(from)
			return
		}
		if n > 0 {
			if _, err := to.stream.Write(buf[:n]); err != nil {
				f.broken(to, err)
				return
			}
		}
		switch {
		case err == nil:
		case isEnd(err) && !wasReset(from.conn):
			f.finish(End{from.party, FIN})
			_ = to.stream.CloseWrite()
			return
		default:
			f.broken(from, err)
			return
		}
	}
}

// maxAwaitSent bounds how long a side that does not read puts off its RST.
const maxAwaitSent = 5 * time.Second

// isEnd reports an orderly end. TLS without close_notify is one: it is what a
// peer that only sends FIN looks like.
func isEnd(err error) bool { return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) }

// broken ends the flow because a side was reset: the other gets the RST too.
func (f *flow) broken(s *side, err error) {
	select {
	case <-s.gone: // it was this flow that reset it
		return
	default:
	}
	by := s.party
	if errors.Is(err, netfault.ErrReset) {
		by = ByFault
	}
	f.finish(End{by, RST})
	f.resets(by)
	for _, other := range []*side{f.client, f.target} {
		if other != s && by != ByFault {
			// An RST would overtake what the side sent before its own.
			netfault.AwaitSent(other.conn, maxAwaitSent)
		}
	}
	f.client.reset()
	f.target.reset()
}

// cut ends the flow for a reason of the load balancer's own, with RST to both.
func (f *flow) cut(how How) {
	f.finish(End{ByBalancer, how})
	if f.client.reset() {
		f.resets(ByBalancer)
	}
	f.target.reset()
}

// refuse answers a packet of a flow that is no more.
func (f *flow) refuse(s *side) {
	if s.reset() {
		f.resets(ByBalancer)
	}
}

// finish keeps the first cause.
func (f *flow) finish(e End) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.end == (End{}) {
		f.end = e
		close(f.ended)
	}
}

// result is how the flow ended.
func (f *flow) result() End {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.end
}

// touch notes a packet, and reports false if the flow was forgotten before.
func (f *flow) touch() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.last = time.Now()
	return !f.forgotten
}

// looks is how often in an idle timeout the kernel is asked for packets without
// data, which no read shows. So a flow is forgotten at most 1/20 late.
const looks = 20

// watch forgets the flow when both sides were silent for the idle timeout. TCP
// keepalives count as packets (4.2 D).
func (f *flow) watch() {
	tick := time.NewTicker(max(f.idle/looks, time.Millisecond))
	defer tick.Stop()
	for {
		select {
		case <-f.over:
			return
		case <-tick.C:
		}
		heard := map[*side]bool{}
		for _, s := range []*side{f.client, f.target} {
			if n := segmentsReceived(s.conn); n != s.segments {
				s.segments, heard[s] = n, true
			}
		}
		f.mu.Lock()
		forgotten := f.forgotten
		switch {
		case forgotten:
		case len(heard) > 0:
			f.last = time.Now()
		case time.Since(f.last) >= f.idle:
			f.forgotten = true
		}
		news := f.forgotten && !forgotten
		f.mu.Unlock()
		if news && f.resetIdle {
			f.cut(Idle)
		} else if news {
			f.finish(End{ByBalancer, Idle})
		}
		if forgotten {
			for s := range heard {
				f.refuse(s)
			}
		}
	}
}
