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
	Node    netip.Addr        `json:"node,omitzero"`
	Server  string            `json:"server,omitempty"`
	Resent  bool              `json:"resent,omitempty"` // see recording.Request
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
		Node:    r.Node,
		Server:  r.Server,
		Resent:  r.Resent,
	}
}

// answered fills in an answer that was read to its end. Statuses below 400
// are ok, redirects too: they are the answer, and are not followed.
func (r *Row) answered(code int, header http.Header, body []byte, checkBody bool) {
	r.Code = code
	r.Server = header.Get("Server")
	// Answers of the proxy itself carry no node, which leaves it zero.
	r.Node, _ = netip.ParseAddr(header.Get(NodeHeader))
	switch {
	case code >= 400:
		r.Outcome = strconv.Itoa(code)
	case code == http.StatusOK && checkBody && !namesSeq(body, r.Seq):
		r.Outcome = recording.WrongBody
		r.Error = fmt.Sprintf("want seq=%d in the body, got %.80q", r.Seq, body)
	default:
		r.Outcome = recording.OK
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

// namesSeq says whether "seq=<seq>" stands in the body, and not as the
// beginning of a longer number.
func namesSeq(body []byte, seq uint64) bool {
	want := strconv.AppendUint([]byte("seq="), seq, 10)
	for {
		_, rest, found := bytes.Cut(body, want)
		if !found {
			return false
		}
		if len(rest) == 0 || rest[0] < '0' || rest[0] > '9' {
			return true
		}
		body = rest
	}
}
