package fakealb

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
	maxRequestLine  = 16 << 10
	maxHeaderLine   = 16 << 10 // a line of 16,384 bytes is refused already (2.1.6 O1)
	maxHead         = 64 << 10
	maxForwardedFor = 30 // addresses (2.4.1 D)
)

// The read buffer is small until a head needs more. The larger one holds a head
// of maxHead and so much over it that its being too long is seen.
const (
	smallBuffer = 4 << 10
	largeBuffer = maxHead + smallBuffer
)

// errLost is the end of the connection before a request, or in its head.
var errLost = errors.New("connection lost")

// requestReader reads the requests of one HTTP/1 connection, each in the place of
// the one before: a request, its header and its URL are valid until next is called
// again.
type requestReader struct {
	in     *bufio.Reader
	req    http.Request
	url    url.URL
	header http.Header
	values []string // of the fields, one a line
	length int      // of the head that was read last
	// verdict is on the head that was read last; Compliant without a whole head.
	verdict desync.Verdict
	names   nameKinds // of its fields
	hosts   []string  // its fields Host
}

func newRequestReader(conn io.Reader) *requestReader {
	return &requestReader{in: bufio.NewReaderSize(conn, smallBuffer)}
}

// next reads a request's head. If the load balancer itself must answer, status
// says with what; then the request may be nil.
func (r *requestReader) next() (req *http.Request, status int, err error) {
	r.verdict = desync.Verdict{}
	length, status, err := r.fill()
	if status != 0 || err != nil {
		return nil, status, err
	}
	r.length = length
	head, _ := r.in.Peek(length)
	r.verdict = desync.Classify(head)
	status = r.parse(string(head))
	_, _ = r.in.Discard(length)
	if status != 0 {
		return nil, status, nil
	}
	return &r.req, refusal(&r.req), nil
}

// fill reads until the whole head is in the buffer, checking its limits. It
// returns the length of the head.
func (r *requestReader) fill() (length, status int, err error) {
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
			return 0, 0, errLost
		}
	}
}

// checkHead looks at the beginning of a request. It returns the length of the head,
// 0 if b does not hold the whole of it, and with what status a head beyond the
// limits is answered.
//
// HTTP/0.9 has no fields: a request without a version ends with its first line.
func checkHead(b []byte) (total, status int) {
	limit, tooLong := maxRequestLine, http.StatusRequestURITooLong
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
		case total > maxHead:
			return 0, http.StatusBadRequest
		case end < 0:
			return 0, 0
		case end == 0 || string(b[:end]) == "\r":
			return total, 0
		case total == length && isSimpleRequest(b[:end]):
			return total, 0
		}
		b = b[length:]
		limit, tooLong = maxHeaderLine, http.StatusBadRequest
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
	case forwardedFor(req) > maxForwardedFor:
		return statusTooManyForwarded
	}
	return 0
}

// forwardedFor counts the addresses in X-Forwarded-For.
func forwardedFor(req *http.Request) int {
	n := 0
	for _, line := range req.Header.Values("X-Forwarded-For") {
		n += strings.Count(line, ",") + 1
	}
	return n
}
