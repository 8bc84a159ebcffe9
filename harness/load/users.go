package load

import (
	"context"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptrace"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// users is the http.RoundTripper that vegeta sends through: a queue of users,
// each of whom sends one request at a time over one connection.
type users struct {
	ctx     context.Context // of the attack
	spec    Spec
	timeout time.Duration

	mu   sync.Mutex
	free []*user // the one that has waited longest first
	// failures keeps the error of each request that had no whole answer, by
	// its sequence number: vegeta's Result has its text only.
	failures map[uint64]error
	resent   map[uint64]bool // sequence numbers
	// sessions are those of requests, by sequence number; begun is how many users came.
	sessions map[uint64]uint64
	begun    uint64
}

// user has one connection: its transport keeps one idle, and it is given one
// request at a time.
type user struct {
	transport *http.Transport
	left      int // requests still to be sent on the connection; 0: there is none
	next      int // requests that the next connection is opened for
	session   uint64
	cookies   http.CookieJar // nil if they are not kept
}

// vegetaSeqHeader is how vegeta hands over its sequence number, from 0. There
// is no other way for a RoundTripper to learn it.
const vegetaSeqHeader = "X-Vegeta-Seq"

func newUsers(ctx context.Context, spec Spec) *users {
	u := &users{
		ctx:      ctx,
		spec:     spec,
		timeout:  spec.Timeout.Duration(),
		failures: map[uint64]error{},
		resent:   map[uint64]bool{},
		sessions: map[uint64]uint64{},
	}
	for i := range spec.Clients {
		first := spec.RequestsPerConnection - i*spec.RequestsPerConnection/spec.Clients
		u.free = append(u.free, u.user(first))
	}
	return u
}

func (u *users) user(first int) *user {
	one := &user{next: first, transport: transport(u.spec.Way)}
	one.transport.MaxIdleConnsPerHost = 1
	if u.spec.Sessions {
		u.begun++
		one.session = u.begun
		one.cookies, _ = cookiejar.New(nil) // without options it never fails
	}
	return one
}

// RoundTrip sends the request as the next user in the queue.
func (u *users) RoundTrip(given *http.Request) (*http.Response, error) {
	index, err := strconv.ParseUint(given.Header.Get(vegetaSeqHeader), 10, 64)
	if err != nil {
		return nil, err
	}
	seq := index + 1
	one := u.take()
	ctx, cancel := context.WithTimeout(u.ctx, u.timeout)
	last, trace := one.plan(u.spec.RequestsPerConnection)
	// net/http sends a GET again if a kept connection was closed.
	var written atomic.Int32
	trace.WroteRequest = func(info httptrace.WroteRequestInfo) {
		if info.Err == nil && written.Add(1) > 1 {
			u.sentAgain(seq)
		}
	}
	request, err := get(httptrace.WithClientTrace(ctx, trace), u.spec.Way, u.spec.Path(seq), seq)
	if err != nil {
		cancel()
		u.give(one)
		return nil, err
	}
	request.Header.Set(SeqHeader, strconv.FormatUint(seq, 10))
	if one.cookies != nil {
		u.belongs(seq, one.session)
		for _, c := range one.cookies.Cookies(request.URL) {
			request.AddCookie(c)
		}
	}
	if request.Method = u.spec.method(seq); request.Method == http.MethodPost {
		content := "seq=" + strconv.FormatUint(seq, 10)
		request.Body, request.ContentLength = io.NopCloser(strings.NewReader(content)), int64(len(content))
	}
	request.Close = last
	response, err := one.transport.RoundTrip(request)
	if err != nil {
		cancel()
		u.fail(seq, err)
		u.give(one)
		return nil, err
	}
	if one.cookies != nil {
		one.cookies.SetCookies(request.URL, response.Cookies())
	}
	response.Body = &body{
		ReadCloser: response.Body,
		failed:     func(err error) { u.fail(seq, err) },
		closed:     sync.OnceFunc(func() { cancel(); u.give(one) }),
	}
	return response, nil
}

// plan counts one request and says whether it is the last of its connection.
// The trace corrects the count if the proxy had closed the connection, so
// that another had to be opened early.
func (one *user) plan(perConn int) (last bool, trace *httptrace.ClientTrace) {
	if perConn == 0 {
		return false, &httptrace.ClientTrace{}
	}
	opens := one.left == 0
	if opens {
		one.left, one.next = one.next, perConn
	}
	one.left--
	last = one.left == 0
	return last, &httptrace.ClientTrace{GotConn: func(info httptrace.GotConnInfo) {
		if !info.Reused && !opens && !last {
			one.left = perConn - 1
		}
	}}
}

func (u *users) take() *user {
	u.mu.Lock()
	defer u.mu.Unlock()
	if len(u.free) == 0 {
		return u.user(u.spec.RequestsPerConnection)
	}
	one := u.free[0]
	u.free = u.free[1:]
	return one
}

func (u *users) give(one *user) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if len(u.free) >= u.spec.Clients {
		one.transport.CloseIdleConnections()
		return
	}
	u.free = append(u.free, one)
}

func (u *users) fail(seq uint64, err error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.failures[seq] = err
}

func (u *users) sentAgain(seq uint64) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.resent[seq] = true
}

func (u *users) belongs(seq, session uint64) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.sessions[seq] = session
}

// session takes out whose request it was; 0 if nobody keeps cookies.
func (u *users) session(seq uint64) uint64 {
	u.mu.Lock()
	defer u.mu.Unlock()
	one := u.sessions[seq]
	delete(u.sessions, seq)
	return one
}

// wasResent takes out whether a request was sent again.
func (u *users) wasResent(seq uint64) bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	was := u.resent[seq]
	delete(u.resent, seq)
	return was
}

// failure takes out the error of a request, or returns nil.
func (u *users) failure(seq uint64) error {
	u.mu.Lock()
	defer u.mu.Unlock()
	err := u.failures[seq]
	delete(u.failures, seq)
	return err
}

// close closes the connections of all users. No request may be under way.
func (u *users) close() {
	u.mu.Lock()
	defer u.mu.Unlock()
	for _, one := range u.free {
		one.transport.CloseIdleConnections()
	}
}

// body gives the user back once the answer was read: only then its connection
// is free.
type body struct {
	io.ReadCloser
	failed func(error)
	closed func()
}

func (b *body) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err != nil && err != io.EOF {
		b.failed(err)
	}
	return n, err
}

func (b *body) Close() error {
	err := b.ReadCloser.Close()
	b.closed()
	return err
}
