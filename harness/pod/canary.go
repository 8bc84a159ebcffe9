package pod

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"github.com/proxychaos/proxychaos/harness/control"
	"github.com/proxychaos/proxychaos/harness/fault"
)

// CanaryRequest names the node that a canary connects to.
type CanaryRequest struct {
	Addr netip.AddrPort `json:"addr"`
}

// Canary is a connection to a node that is kept open, to see later what an
// established connection sees. Nodes close idle ones after their idle timeout.
type Canary struct {
	ID     string         `json:"id"`
	Addr   netip.AddrPort `json:"addr"`
	Local  netip.AddrPort `json:"local"`
	Opened time.Time      `json:"opened"`
	// Ended is how the connection ended, "" while it is open: reset, closed,
	// or garbled.
	Ended fault.Result `json:"ended,omitempty"`
}

// Answer is what came back on a connection that sent a request.
type Answer struct {
	Result fault.Result `json:"result"` // answered, reset, closed, silence, unreachable, garbled
	Status int          `json:"status,omitempty"`
	Server string       `json:"server,omitempty"` // the Server header
	Length int64        `json:"length,omitempty"` // of the body, in bytes
	At     time.Time    `json:"at"`               // when the request was sent
	Took   Duration     `json:"took"`
}

// canary is an open connection with a reader of its own, which sees the end of
// the connection when it comes and not only when the canary is asked.
type canary struct {
	Canary
	conn    *net.TCPConn
	answers chan Answer   // complete answers, in the order of the requests
	ended   chan struct{} // closed once the connection is over
	how     fault.Result  // valid once ended is closed

	ask  sync.Mutex // one question at a time
	owed int        // answers still due to earlier questions, guarded by ask
}

// maxOwed is how many questions may be unanswered on one canary.
const maxOwed = 64

func openCanary(ctx context.Context, d *dialer, id string, addr netip.AddrPort) (*canary, fault.Result, error) {
	conn, err := d.dial(ctx, addr)
	result, err := connectResult(err)
	if conn == nil {
		return nil, result, err
	}
	c := &canary{
		Canary:  Canary{ID: id, Addr: addr, Opened: time.Now()},
		conn:    conn,
		answers: make(chan Answer, maxOwed),
		ended:   make(chan struct{}),
	}
	if local, ok := conn.LocalAddr().(*net.TCPAddr); ok {
		c.Local = netip.AddrPortFrom(local.AddrPort().Addr().Unmap(), local.AddrPort().Port())
	}
	go c.read()
	return c, fault.Connected, nil
}

func (c *canary) read() {
	defer close(c.ended)
	r := bufio.NewReader(c.conn)
	for {
		answer, err := readAnswer(r)
		if err != nil {
			c.how = readResult(err)
			return
		}
		c.answers <- answer
	}
}

func readAnswer(r *bufio.Reader) (Answer, error) {
	if _, err := r.Peek(1); err != nil {
		return Answer{}, err
	}
	resp, err := http.ReadResponse(r, nil)
	if err != nil {
		return Answer{}, cutShort(err)
	}
	length, err := io.Copy(io.Discard, resp.Body)
	if err = errors.Join(err, resp.Body.Close()); err != nil {
		return Answer{}, cutShort(err)
	}
	return Answer{Result: fault.Answered, Status: resp.StatusCode, Server: resp.Header.Get("Server"), Length: length}, nil
}

// cutShort makes the end of the connection inside an answer differ from its
// end before one.
func cutShort(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("answer cut short: %s", err) //nolint:errorlint // must not match io.EOF any more
	}
	return err
}

// question sends a GET and waits for its answer.
func (c *canary) question(path, host string, timeout time.Duration) (Answer, error) {
	c.ask.Lock()
	defer c.ask.Unlock()
	if c.owed == maxOwed {
		return Answer{}, invalid("id", "canary %q has %d unanswered questions, which is all it may have: open another", c.ID, maxOwed)
	}
	began := time.Now()
	end := func(a Answer) (Answer, error) {
		a.At, a.Took = began, Duration(time.Since(began))
		return a, nil
	}
	deadline := time.NewTimer(timeout)
	defer deadline.Stop()
	if err := c.conn.SetWriteDeadline(began.Add(timeout)); err != nil && !errors.Is(err, net.ErrClosed) {
		return Answer{}, err
	}
	// A failed write is not the result: the reader knows what came before it.
	_, writeErr := fmt.Fprintf(c.conn, "GET %s HTTP/1.1\r\nHost: %s\r\nUser-Agent: proxychaos-probe\r\n\r\n", path, host)
	if writeErr == nil {
		c.owed++
	}
	for {
		select {
		case answer := <-c.answers:
			if c.owed--; c.owed == 0 {
				return end(answer)
			}
		case <-c.ended:
			if len(c.answers) > 0 {
				continue // the last answer came with the end behind it
			}
			return end(Answer{Result: c.how})
		case <-deadline.C:
			return end(Answer{Result: fault.Silent})
		}
	}
}

// state is the canary as the API shows it.
func (c *canary) state() Canary {
	s := c.Canary
	select {
	case <-c.ended:
		s.Ended = c.how
	default:
	}
	return s
}

// drop closes the connection with a RST.
func (c *canary) drop() error {
	err := c.conn.Close()
	<-c.ended
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}

// canaries are the open ones, by id.
type canaries struct {
	mu   sync.Mutex
	byID map[string]*canary
}

// put opens a canary, and keeps the one there is if it is open and to the same
// node.
func (cs *canaries) put(ctx context.Context, d *dialer, id string, req CanaryRequest) (Canary, error) {
	if err := checkTarget(req.Addr); err != nil {
		return Canary{}, err
	}
	if old, err := cs.get(id); err == nil {
		if s := old.state(); s.Addr == req.Addr && s.Ended == "" {
			return s, nil
		}
	}
	ctx, cancel := context.WithTimeout(ctx, DefaultTimeout)
	defer cancel()
	c, result, err := openCanary(ctx, d, id, req.Addr)
	if err != nil {
		return Canary{}, err
	}
	if c == nil {
		return Canary{}, control.Errorf(http.StatusBadGateway, CodeNotOpened, "addr", "connecting to %s for canary %q: %s", req.Addr, id, result)
	}
	return c.state(), cs.replace(id, c)
}

// replace takes the canary in, and drops the one there was.
func (cs *canaries) replace(id string, c *canary) error {
	cs.mu.Lock()
	old := cs.byID[id]
	cs.byID[id] = c
	cs.mu.Unlock()
	if old == nil {
		return nil
	}
	return old.drop()
}

func (cs *canaries) get(id string) (*canary, error) {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	if c := cs.byID[id]; c != nil {
		return c, nil
	}
	return nil, control.NotFound("id", "no canary %q", id)
}

func (cs *canaries) removeAll() error {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	var errs []error
	for id, c := range cs.byID {
		errs = append(errs, c.drop())
		delete(cs.byID, id)
	}
	return errors.Join(errs...)
}
