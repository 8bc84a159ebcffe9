// Package read reads the requests of HTTP/1 connections as an ALB does: with its limits,
// and with what it makes of requests that are not compliant.
//
// Facts about the real thing are numbered as in the project's aws-facts list (2.6 is the
// requests that are not compliant), and marked D documented, O observed or G guessed.
package read

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"

	"golang.org/x/net/http/httpguts"

	"github.com/proxychaos/proxychaos/fakealb/desync"
)

// Limits of a request's head (2.1.3 D).
const (
	MaxRequestLine  = 16 << 10
	MaxHeaderLine   = 16 << 10 // a line of 16,384 bytes is refused already (2.1.6 O1)
	MaxHead         = 64 << 10
	MaxForwardedFor = 30 // addresses (2.4.1 D)
)

// StatusTooManyForwarded is for X-Forwarded-For with more than MaxForwardedFor addresses.
const StatusTooManyForwarded = 463

// The read buffer is small until a head needs more. The larger one holds a head
// of MaxHead and so much over it that its being too long is seen.
const (
	smallBuffer = 4 << 10
	largeBuffer = MaxHead + smallBuffer
)

// ErrLost is what Next returns for the end of the connection before a request, or in its head.
var ErrLost = errors.New("connection lost")

// Reader reads the requests of one HTTP/1 connection, each in the place of
// the one before: a request, its header, its URL and the exported fields are valid
// until Next is called again.
type Reader struct {
	// Length is that of the head that was read last, in bytes.
	Length int
	// Verdict is on that head; Compliant without a whole one.
	Verdict desync.Verdict
	// Names are the kinds of names that its fields have.
	Names NameKinds
	// Hosts are its fields Host.
	Hosts []string

	in     *bufio.Reader
	req    http.Request
	url    url.URL
	header http.Header
	values []string // of the fields, one a line
}

// NewReader makes the reader of a connection.
func NewReader(conn io.Reader) *Reader {
	return &Reader{in: bufio.NewReaderSize(conn, smallBuffer)}
}

// Buffered is what Next reads from: behind a head, with the body and all that the
// client sends after it. It is another one after a Next that needed more room.
func (r *Reader) Buffered() *bufio.Reader { return r.in }

// Next reads a request's head. If the load balancer itself must answer, status
// says with what; then the request may be nil.
func (r *Reader) Next() (req *http.Request, status int, err error) {
	r.Verdict = desync.Verdict{}
	length, status, err := r.fill()
	if status != 0 || err != nil {
		return nil, status, err
	}
	r.Length = length
	head, _ := r.in.Peek(length)
	r.Verdict = desync.Classify(head)
	status = r.parse(string(head))
	_, _ = r.in.Discard(length)
	if status != 0 {
		return nil, status, nil
	}
	return &r.req, refusal(&r.req), nil
}

// fill reads until the whole head is in the buffer, checking its limits. It
// returns the length of the head.
func (r *Reader) fill() (length, status int, err error) {
	for {
		head, _ := r.in.Peek(r.in.Buffered())
		length, status := checkHead(head)
		if length > 0 || status != 0 {
			return length, status, nil
		}
		if len(head) == r.in.Size() {
			r.in = bufio.NewReaderSize(r.in, largeBuffer)
		}
		if _, err := r.in.Peek(len(head) + 1); err != nil {
			if len(head) > 0 && errors.Is(err, os.ErrDeadlineExceeded) {
				return 0, http.StatusRequestTimeout, nil
			}
			return 0, 0, ErrLost
		}
	}
}

// checkHead looks at the beginning of a request. It returns the length of the head,
// 0 if b does not hold the whole of it, and with what status a head beyond the
// limits is answered.
//
// HTTP/0.9 has no fields: a request without a version ends with its first line.
func checkHead(b []byte) (total, status int) {
	limit, tooLong := MaxRequestLine, http.StatusRequestURITooLong
	for {
		end := bytes.IndexByte(b, '\n')
		length := end + 1
		if end < 0 {
			length = len(b)
		}
		total += length
		switch {
		case length >= limit:
			return 0, tooLong
		case total > MaxHead:
			return 0, http.StatusBadRequest
		case end < 0:
			return 0, 0
		case end == 0 || string(b[:end]) == "\r":
			return total, 0
		case total == length && isSimpleRequest(b[:end]):
			return total, 0
		}
		b = b[length:]
		limit, tooLong = MaxHeaderLine, http.StatusBadRequest
	}
}

// isSimpleRequest reports whether a request line is one of HTTP/0.9.
func isSimpleRequest(line []byte) bool {
	_, target, _ := bytes.Cut(bytes.TrimSuffix(line, []byte("\r")), []byte(" "))
	target = bytes.TrimRight(target, " \t")
	return len(target) > 0 && bytes.IndexByte(target, ' ') < 0
}

// refusal is the status with which an ALB refuses a well-formed request, or 0
// (2.4.1 D, except where marked).
func refusal(req *http.Request) int {
	switch {
	case req.Method == "PRI": // HTTP/2 without TLS: 2.2.5 O1
		return http.StatusBadRequest
	case req.ProtoMajor != 1 && req.Proto != "HTTP/0.9":
		return http.StatusHTTPVersionNotSupported
	case req.ProtoAtLeast(1, 1) && req.Host == "", !httpguts.ValidHostHeader(req.Host):
		return http.StatusBadRequest
	case req.Method == http.MethodTrace, req.Method == http.MethodConnect: // of CONNECT it is a guess (G)
		return http.StatusMethodNotAllowed
	case ForwardedFor(req) > MaxForwardedFor:
		return StatusTooManyForwarded
	}
	return 0
}

// ForwardedFor counts the addresses in X-Forwarded-For.
func ForwardedFor(req *http.Request) int {
	n := 0
	for _, line := range req.Header.Values("X-Forwarded-For") {
		n += strings.Count(line, ",") + 1
	}
	return n
}
