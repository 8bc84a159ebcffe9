package fakealb

import (
	"bufio"
	"io"
	"net/http"
	"net/http/httputil"
	"strconv"
	"sync"
	"time"
)

// response is what a node sends, with the order of its header fields. The writer
// puts Date, Content-Type, Content-Length and Connection between lead and trail.
type response struct {
	status      int
	reason      string
	lead        []field
	date        string // the present if empty
	contentType string
	trail       []field
	body        []byte
	// stream, if set, is the body in place of body. It has length bytes, or, with
	// -1, as many as come.
	stream io.ReadCloser
	length int64
	// trailer, if set, returns what follows the stream on HTTP/2.
	trailer func() http.Header
	// upgrade, if set, is the target's side of another protocol that follows.
	upgrade io.ReadWriteCloser
	close   bool // the connection ends after it
	foreign bool // of somebody else's load balancer
	cut     *cut // by a fault; nil for a whole response
}

type field struct{ name, value string }

// bodyLength is the length of the body, -1 if that is not known.
func (r *response) bodyLength() int64 {
	if r.stream != nil {
		return r.length
	}
	return int64(len(r.body))
}

// hasBody reports whether a response to a request of this method has one.
func (r *response) hasBody(method string) bool {
	return method != http.MethodHead && r.status >= 200 && r.status != http.StatusNoContent && r.status != http.StatusNotModified
}

// maxCutBody bounds how much of a streamed body a fault looks at to cut it.
const maxCutBody = 64 << 10

// buffer turns a streamed body, or its beginning, into a plain one.
func (r *response) buffer() {
	if r.stream == nil {
		return
	}
	r.body, _ = io.ReadAll(io.LimitReader(r.stream, maxCutBody))
	_ = r.stream.Close()
	r.stream = nil
}

// discard lets go of a response that will not be sent.
func (r *response) discard() {
	if r.stream != nil {
		_ = r.stream.Close()
	}
	if r.upgrade != nil {
		_ = r.upgrade.Close()
	}
}

// head appends the status line and header fields of HTTP/1.1 to b. Chunked says
// that the body has no length.
func (r *response) head(b []byte, method string, chunked bool) []byte {
	b = append(b, "HTTP/1.1 "...)
	b = strconv.AppendInt(b, int64(r.status), 10)
	b = append(b, ' ')
	b = append(b, r.reason...)
	b = append(b, "\r\n"...)
	for _, f := range r.lead {
		b = f.append(b)
	}
	if r.date != "" {
		b = field{"Date", r.date}.append(b)
	} else {
		b = append(b, "Date: "...)
		b = time.Now().UTC().AppendFormat(b, http.TimeFormat)
		b = append(b, "\r\n"...)
	}
	if r.contentType != "" {
		b = field{"Content-Type", r.contentType}.append(b)
	}
	if n := r.bodyLength(); n >= 0 && (r.hasBody(method) || method == http.MethodHead) {
		b = append(b, "Content-Length: "...)
		b = strconv.AppendInt(b, n, 10)
		b = append(b, "\r\n"...)
	}
	if chunked {
		b = append(b, "Transfer-Encoding: chunked\r\n"...)
	}
	switch {
	case r.upgrade != nil:
		b = append(b, "Connection: upgrade\r\n"...)
	case r.close:
		b = append(b, "Connection: close\r\n"...)
	default:
		b = append(b, "Connection: keep-alive\r\n"...)
	}
	for _, f := range r.trail {
		b = f.append(b)
	}
	return append(b, "\r\n"...)
}

func (f field) append(b []byte) []byte {
	b = append(b, f.name...)
	b = append(b, ": "...)
	b = append(b, f.value...)
	return append(b, "\r\n"...)
}

// maxKeptOut bounds how large a response may be whose room the next one uses.
const maxKeptOut = 64 << 10

// send sends the response to x over HTTP/1 and returns the bytes of its body. It
// closes the stream. A body without length goes in chunks, or, to a client of
// HTTP/1.0, to the end of the connection.
func (h *http1) send(x *exchange, r *response) (int64, error) {
	req := x.req
	withBody := r.hasBody(req.Method)
	unknown := withBody && r.bodyLength() < 0
	chunked := unknown && req.ProtoAtLeast(1, 1)
	r.close = r.close || unknown && !chunked
	if r.date == "" {
		r.date = h.server.dates.at(time.Now())
	}
	out := r.head(h.out[:0], req.Method, chunked)
	if !req.ProtoAtLeast(1, 0) {
		out = out[:0] // HTTP/0.9 knows no head
	}
	x.sentHead = int64(len(out))
	if r.stream == nil {
		sent := 0
		if withBody {
			out, sent = append(out, r.body...), len(r.body)
		}
		if cap(out) <= maxKeptOut {
			h.out = out
		}
		_, err := h.conn.Write(out)
		return int64(sent), err
	}
	defer r.stream.Close()
	if h.buffered == nil {
		h.buffered = bufio.NewWriter(h.conn)
	}
	buffered := h.buffered
	_, _ = buffered.Write(out)
	if !withBody {
		return 0, buffered.Flush()
	}
	var to io.Writer = buffered
	if chunked {
		to = httputil.NewChunkedWriter(buffered)
	}
	n, err := copyFlushing(to, r.stream, buffered.Flush)
	if err == nil && chunked {
		_, err = buffered.WriteString("0\r\n\r\n")
	}
	if flushErr := buffered.Flush(); err == nil {
		err = flushErr
	}
	return n, err
}

// pieces are buffers of copyFlushing.
var pieces = sync.Pool{New: func() any { b := make([]byte, 32<<10); return &b }}

// copyFlushing passes on each piece as it comes.
func copyFlushing(to io.Writer, from io.Reader, flush func() error) (n int64, err error) {
	piece := pieces.Get().(*[]byte)
	defer pieces.Put(piece)
	buf := *piece
	for {
		got, readErr := from.Read(buf)
		if got > 0 {
			if _, err := to.Write(buf[:got]); err != nil {
				return n, err
			}
			n += int64(got)
			if err := flush(); err != nil {
				return n, err
			}
		}
		if readErr == io.EOF {
			return n, nil
		}
		if readErr != nil {
			return n, readErr
		}
	}
}
