package goproxy

import (
	"bufio"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// fleet is clients that send a number of requests between them, each the next
// one as soon as it has its response: a slow machine makes that take longer and
// nothing else. None of them ever sends a request twice, so that each one that
// the proxy loses is one that failed.
type fleet struct {
	t     *testing.T
	begun atomic.Int64
	ended atomic.Int64
	over  chan struct{}

	mu     sync.Mutex
	failed map[string]int
}

const fleetClients = 32

// startFleet sends requests with the numbers 1 to n; every tenth is a POST.
// send is called for each, by many goroutines.
func startFleet(t *testing.T, n int64, send func(c *fleetClient, number int64) error) *fleet {
	t.Helper()
	f := &fleet{t: t, over: make(chan struct{}), failed: map[string]int{}}
	var all sync.WaitGroup
	for range fleetClients {
		all.Go(func() {
			c := &fleetClient{}
			defer c.hangUp()
			for number := f.begun.Add(1); number <= n; number = f.begun.Add(1) {
				if err := send(c, number); err != nil {
					f.mu.Lock()
					f.failed[err.Error()]++
					f.mu.Unlock()
					c.hangUp()
				}
				f.ended.Add(1)
			}
		})
	}
	go func() {
		all.Wait()
		close(f.over)
	}()
	return f
}

// running reports whether requests are still to come, after so many more of
// them: what is changed next then has an effect on some.
func (f *fleet) running(more int64) bool {
	for until := f.ended.Load() + more; f.ended.Load() < until; {
		select {
		case <-f.over:
			return false
		case <-time.After(time.Millisecond):
		}
	}
	return true
}

// requireNoFailure waits for the end and fails where one of n requests did.
func (f *fleet) requireNoFailure(n int64) {
	f.t.Helper()
	<-f.over
	if ended := f.ended.Load(); ended != n {
		f.t.Errorf("%d requests were sent, want %d", ended, n)
	}
	for what, times := range f.failed {
		f.t.Errorf("%d requests failed: %s", times, what)
	}
}

// fleetSize is how many requests a fleet sends: issue 4 says 100,000.
func fleetSize() int64 {
	if testing.Short() {
		return 20_000 // make test-long: 100,000 requests in place of 20,000 while goproxy reloads, drains, changes members and certificates
	}
	return 100_000
}

// fleetClient is one client with a connection that it keeps for as long as the
// server does.
type fleetClient struct {
	conn net.Conn
	r    *bufio.Reader
}

// errNotTaken says that the server took no connection, and so no request.
var errNotTaken = errors.New("the connection was not taken")

// dial connects where that is needed; config is nil for plain HTTP.
func (c *fleetClient) dial(addr string, config *tls.Config) error {
	if c.conn != nil {
		return nil
	}
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		return fmt.Errorf("%w: %w", errNotTaken, err)
	}
	if config != nil {
		secure := tls.Client(conn, config)
		if err := secure.Handshake(); err != nil {
			conn.Close()
			return err
		}
		conn = secure
	}
	c.conn, c.r = conn, bufio.NewReader(conn)
	return nil
}

// serial is that of the server's certificate.
func (c *fleetClient) serial() int64 {
	return c.conn.(*tls.Conn).ConnectionState().PeerCertificates[0].SerialNumber.Int64()
}

func (c *fleetClient) hangUp() {
	if c.conn != nil {
		c.conn.Close()
		c.conn = nil
	}
}

// fleetResponse is a whole response.
type fleetResponse struct {
	header http.Header
	body   string
}

// roundTrip sends a request on the connection. Any other status than 200 is an error.
func (c *fleetClient) roundTrip(number int64, path string, header ...string) (fleetResponse, error) {
	method, sent := http.MethodGet, ""
	if number%10 == 0 {
		method, sent = http.MethodPost, fmt.Sprintf("a body of number %d", number)
		header = append(slices.Clone(header), fmt.Sprint("Content-Length: ", len(sent)))
	}
	fields := ""
	if len(header) > 0 {
		fields = strings.Join(header, "\r\n") + "\r\n"
	}
	if _, err := fmt.Fprintf(c.conn, "%s %s HTTP/1.1\r\nHost: www.example.test\r\n%s\r\n%s", method, path, fields, sent); err != nil {
		return fleetResponse{}, fmt.Errorf("send a %s: %w", method, withoutPorts(err))
	}
	resp, err := http.ReadResponse(c.r, nil)
	if err != nil {
		return fleetResponse{}, fmt.Errorf("read the response to a %s: %w", method, withoutPorts(err))
	}
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return fleetResponse{}, fmt.Errorf("read a body: %w", withoutPorts(err))
	}
	if resp.StatusCode != http.StatusOK {
		return fleetResponse{}, fmt.Errorf("%s: status %d %s", method, resp.StatusCode, strings.TrimSpace(string(body)))
	}
	if resp.Close {
		c.hangUp()
	}
	return fleetResponse{resp.Header, string(body)}, nil
}

// withoutPorts makes errors of several connections the same.
func withoutPorts(err error) error {
	if op, ok := errors.AsType[*net.OpError](err); ok {
		return fmt.Errorf("%s: %w", op.Op, op.Err)
	}
	return err
}

// requireFirstTries fails where the proxy had to send a request again to get
// its response: nothing that is tested here may break a connection.
func requireFirstTries(t *testing.T, p *testProxy) {
	t.Helper()
	for name, up := range p.table.Load().upstreams {
		for r := retry; r < reasons; r++ {
			if n := up.attempts[r].Load(); n > 0 {
				t.Errorf("upstream %s: %d requests were sent again as a %s, want none", name, n, r)
			}
		}
	}
}

// patient makes an upstream wait where it would send a request again: in tests
// in which nothing fails, only a machine that stands still could make it.
const patient = "retries: {hedge_after: off}, timeouts: {connect: 60s}"
