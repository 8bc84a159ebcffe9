package load

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"time"

	"github.com/proxychaos/proxychaos/harness/recording"
)

// Row is what became of one request. It is a recording.Request with its times
// still absolute: the agent does not know when t=0 of the recording is.
type Row struct {
	Seq     uint64            `json:"seq"`
	Method  string            `json:"method"` // GET or POST
	Due     time.Time         `json:"due"`
	Sent    time.Time         `json:"sent"`
	Latency recording.Seconds `json:"latency_seconds"` // to the end of the body
	Code    int               `json:"code"`
	Outcome string            `json:"outcome"` // see the outcomes of package recording
	Error   string            `json:"error,omitempty"`
	Names   uint64            `json:"names,omitempty"` // see recording.Request
	Node    netip.Addr        `json:"node,omitzero"`
	Server  string            `json:"server,omitempty"`
	Resent  bool              `json:"resent,omitempty"` // see recording.Request
	Session uint64            `json:"session,omitempty"`
}

// Request gives the row with its times counted from t0.
func (r Row) Request(t0 time.Time) recording.Request {
	method := r.Method
	if method == http.MethodGet {
		method = "" // most are: rows without it are shorter
	}
	return recording.Request{
		Seq:     r.Seq,
		Method:  method,
		Due:     recording.Of(r.Due.Sub(t0)),
		Sent:    recording.Of(r.Sent.Sub(t0)),
		Latency: r.Latency,
		Code:    r.Code,
		Outcome: r.Outcome,
		Error:   r.Error,
		Names:   r.Names,
		Node:    r.Node,
		Server:  r.Server,
		Resent:  r.Resent,
		Session: r.Session,
	}
}

// answered fills in an answer that was read to its end. A redirect is the answer, and
// is not followed. With check, an answer below 400 is ok only if it shows that a node
// gave it: by the number of the request in the body of a 200, by the node's name on
// others.
func (r *Row) answered(code int, header http.Header, body []byte, check bool) {
	r.Code = code
	r.Server = header.Get("Server")
	// Answers of the proxy itself carry no node, which leaves it zero.
	r.Node, _ = netip.ParseAddr(header.Get(NodeHeader))
	r.Outcome = recording.OK
	switch {
	case code >= 400:
		r.Outcome = strconv.Itoa(code)
	case !check:
	case code != http.StatusOK:
		if !r.Node.IsValid() {
			r.Outcome = recording.ByProxy(code)
			r.Error = fmt.Sprintf("no node named itself in the answer, which leads to %q", header.Get("Location"))
		}
	default:
		if r.Names = namedSeq(body, r.Seq); r.Names == r.Seq {
			r.Names = 0
			return
		}
		if r.Outcome = recording.WrongBody; !r.Node.IsValid() {
			r.Outcome = recording.ByProxy(code)
		}
		r.Error = fmt.Sprintf("want seq=%d in the body, got %.80q", r.Seq, body)
	}
}

// failed fills in that no answer was had, or none to its end.
func (r *Row) failed(err error, timeout time.Duration) {
	if isTimeout(err) {
		r.Outcome = recording.Timeout
		r.Error = fmt.Sprintf("no whole answer within %s", timeout)
		return
	}
	r.Outcome = recording.Connection
	r.Error = err.Error()
}

func isTimeout(err error) bool {
	var timeout net.Error // context.DeadlineExceeded is one, too
	return errors.Is(err, context.DeadlineExceeded) || errors.As(err, &timeout) && timeout.Timeout()
}

// namedSeq is the number that "seq=<number>" in the body names: want if it stands there,
// else the first; 0 if there is none.
func namedSeq(body []byte, want uint64) uint64 {
	named := uint64(0)
	for {
		_, rest, found := bytes.Cut(body, []byte("seq="))
		if !found {
			return named
		}
		digits := 0
		for digits < len(rest) && rest[digits] >= '0' && rest[digits] <= '9' {
			digits++
		}
		n, err := strconv.ParseUint(string(rest[:digits]), 10, 64)
		switch {
		case err != nil:
		case n == want:
			return want
		case named == 0:
			named = n
		}
		body = rest
	}
}
