package targets

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"time"
)

// BuiltIn is a target without a server. Its times are its own and not scaled.
type BuiltIn struct {
	// Name is t1, t2 and so on by its place in the group if empty. A target that is
	// to keep its health while others come and go needs one of its own.
	Name string `json:"name,omitempty"`
	// Kind is what it answers:
	//
	//	echo    the request's body with its Content-Type, or without a body the
	//	        request's head as text; over HTTP/2 as it comes, and a gRPC call
	//	        message by message
	//	delay   200 after Delay
	//	size    200 with a body of Size bytes
	//	status  an empty response of Status
	//	stream  200 with Chunks pieces of Size bytes, Delay between them
	//	flaky   Status for the part Share of the requests, evenly spread, else 200
	Kind   string   `json:"kind"`
	Delay  Duration `json:"delay,omitempty"`  // of delay (1s), stream (100ms): 0 for that default, at most 1h
	Size   int      `json:"size,omitempty"`   // of size and stream: 0 means 1024; at most 1 GiB
	Status int      `json:"status,omitempty"` // of status (204) and flaky (500): 200 to 599
	Chunks int      `json:"chunks,omitempty"` // of stream: 0 means 10; at most 10000
	Share  float64  `json:"share,omitempty"`  // of flaky: 0 means 0.5; at most 1
	// Unhealthy fails the health checks; other requests are answered all the same.
	Unhealthy bool `json:"unhealthy,omitempty"`
}

// The kinds of built-in targets.
const (
	KindEcho   = "echo"
	KindDelay  = "delay"
	KindSize   = "size"
	KindStatus = "status"
	KindStream = "stream"
	KindFlaky  = "flaky"
)

const (
	maxDelay  = Duration(time.Hour)
	maxSize   = 1 << 30
	maxChunks = 10000
	maxEcho   = 16 << 20 // bytes of an HTTP/1 body that echo holds
)

// check returns the built-in target number i with its defaults filled in, or the
// field that is wrong, and why.
func (b BuiltIn) check(i int, version string) (BuiltIn, string, error) {
	if b.Name == "" {
		b.Name = fmt.Sprintf("t%d", i+1)
	}
	uses := map[string][]string{
		KindEcho: nil, KindDelay: {"delay"}, KindSize: {"size"}, KindStatus: {"status"},
		KindStream: {"delay", "size", "chunks"}, KindFlaky: {"status", "share"},
	}
	used, known := uses[b.Kind]
	switch {
	case !groupName.MatchString(b.Name):
		return b, "name", fmt.Errorf("got %q, want 1 to 32 letters, digits and inner hyphens", b.Name)
	case !known:
		return b, "kind", fmt.Errorf("got %q, want %s, %s, %s, %s, %s or %s", b.Kind, KindEcho, KindDelay, KindSize, KindStatus, KindStream, KindFlaky)
	case version == VersionGRPC && b.Kind != KindEcho:
		return b, "kind", fmt.Errorf("got %q in a group of version %s, want %s, which speaks gRPC", b.Kind, VersionGRPC, KindEcho)
	}
	for _, p := range []struct {
		name    string
		set, ok bool
		want    string
	}{
		{"delay", b.Delay != 0, b.Delay >= 0 && b.Delay <= maxDelay, "0s to 1h"},
		{"size", b.Size != 0, b.Size >= 0 && b.Size <= maxSize, "0 to 1073741824"},
		{"status", b.Status != 0, b.Status == 0 || b.Status >= 200 && b.Status <= 599, "200 to 599"},
		{"chunks", b.Chunks != 0, b.Chunks >= 0 && b.Chunks <= maxChunks, "0 to 10000"},
		{"share", b.Share != 0, b.Share >= 0 && b.Share <= 1, "0 to 1"},
	} {
		if p.set && !slices.Contains(used, p.name) {
			return b, p.name, fmt.Errorf("got it with the kind %s, which has none", b.Kind)
		}
		if !p.ok {
			return b, p.name, fmt.Errorf("got a %s out of range, want %s", p.name, p.want)
		}
	}
	return b.fillIn(), "", nil
}

func (b BuiltIn) fillIn() BuiltIn {
	orElse := func(v *int, def int) {
		if *v == 0 {
			*v = def
		}
	}
	switch b.Kind {
	case KindDelay:
		if b.Delay == 0 {
			b.Delay = Duration(time.Second)
		}
	case KindSize:
		orElse(&b.Size, 1024)
	case KindStatus:
		orElse(&b.Status, http.StatusNoContent)
	case KindStream:
		if b.Delay == 0 {
			b.Delay = Duration(100 * time.Millisecond)
		}
		orElse(&b.Size, 1024)
		orElse(&b.Chunks, 10)
	case KindFlaky:
		orElse(&b.Status, http.StatusInternalServerError)
		if b.Share == 0 {
			b.Share = 0.5
		}
	}
	return b
}

// builtIn answers for one built-in target of a pool.
type builtIn struct {
	is       atomic.Pointer[BuiltIn]
	requests atomic.Uint64
}

// respond answers a request. Idle is how long the load balancer waits.
func (b *builtIn) respond(req *http.Request, idle time.Duration) (*http.Response, error) {
	is := b.is.Load()
	body := req.Body
	if body == nil {
		body = http.NoBody
	}
	if is.Kind == KindEcho {
		return echo(req, body)
	}
	_, err := io.Copy(io.Discard, body)
	_ = body.Close()
	if err != nil {
		return nil, err
	}
	switch is.Kind {
	case KindDelay:
		if err := sleep(req.Context(), min(time.Duration(is.Delay), idle)); err != nil {
			return nil, err
		}
		if time.Duration(is.Delay) > idle {
			return nil, errStalled
		}
		return answer(req, http.StatusOK, is.Name+"\n"), nil
	case KindSize:
		return answerStream(req, &filler{left: is.Size}, int64(is.Size)), nil
	case KindStatus:
		return answer(req, is.Status, ""), nil
	case KindStream:
		return answerStream(req, &chunks{ctx: req.Context(), is: is}, -1), nil
	}
	if n := b.requests.Add(1); uint64(float64(n)*is.Share) != uint64(float64(n-1)*is.Share) {
		return answer(req, is.Status, ""), nil
	}
	return answer(req, http.StatusOK, is.Name+"\n"), nil
}

// answer is a whole response.
func answer(req *http.Request, status int, body string) *http.Response {
	resp := answerStream(req, strings.NewReader(body), int64(len(body)))
	resp.StatusCode = status
	resp.Status = fmt.Sprintf("%d %s", status, http.StatusText(status))
	return resp
}

// answerStream is a 200 whose body comes from r; length is -1 if unknown.
func answerStream(req *http.Request, r io.Reader, length int64) *http.Response {
	return &http.Response{
		Status: "200 OK", StatusCode: http.StatusOK, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: http.Header{
			"Content-Type": {"text/plain; charset=utf-8"},
			"Date":         {time.Now().UTC().Format(http.TimeFormat)},
			"Server":       {"fakealb-target"},
		},
		Body: io.NopCloser(r), ContentLength: length, Request: req,
	}
}

// echo sends the request's body back. Over HTTP/1 it takes all of it first, as a
// client need not read while it writes.
func echo(req *http.Request, body io.ReadCloser) (*http.Response, error) {
	if req.ProtoMajor == 2 {
		resp := answerStream(req, body, -1)
		resp.Body = body
		resp.Header.Set("Content-Type", req.Header.Get("Content-Type"))
		if strings.HasPrefix(req.Header.Get("Content-Type"), grpcType) {
			resp.Trailer = http.Header{"Grpc-Status": {"0"}}
		}
		return resp, nil
	}
	b, err := io.ReadAll(io.LimitReader(body, maxEcho+1))
	_ = body.Close()
	switch {
	case err != nil:
		return nil, err
	case len(b) > maxEcho:
		return answer(req, http.StatusRequestEntityTooLarge, ""), nil
	case len(b) == 0:
		return answer(req, http.StatusOK, head(req)), nil
	}
	resp := answerStream(req, bytes.NewReader(b), int64(len(b)))
	resp.Header.Set("Content-Type", req.Header.Get("Content-Type"))
	return resp, nil
}

// head is the head of a request as the target got it.
func head(req *http.Request) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s HTTP/1.1\r\nHost: %s\r\n", req.Method, req.URL.RequestURI(), req.Host)
	_ = req.Header.Write(&b) // a strings.Builder does not fail
	return b.String()
}

// sleep waits for d, or returns the cause of the end of ctx.
func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// filler is a body of so many letters.
type filler struct{ left int }

func (f *filler) Read(p []byte) (int, error) {
	if f.left == 0 {
		return 0, io.EOF
	}
	n := min(len(p), f.left)
	for i := range p[:n] {
		p[i] = 'x'
	}
	f.left -= n
	return n, nil
}

// chunks is the body of a stream.
type chunks struct {
	ctx  context.Context
	is   *BuiltIn
	sent int // whole pieces
	now  filler
}

func (c *chunks) Read(p []byte) (int, error) {
	if c.now.left == 0 {
		if c.sent == c.is.Chunks {
			return 0, io.EOF
		}
		if c.sent > 0 {
			if err := sleep(c.ctx, time.Duration(c.is.Delay)); err != nil {
				return 0, err
			}
		}
		c.sent++
		c.now.left = c.is.Size
	}
	return c.now.Read(p)
}
