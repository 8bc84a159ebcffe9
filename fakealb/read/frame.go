package read

import (
	"io"
	"net/http"
	"strconv"
	"strings"
)

// chunkedOnly is the only transfer coding that is understood.
var chunkedOnly = []string{"chunked"}

// frame finds out where the request's body ends. A transfer coding goes before
// Content-Length, which is then not passed on (RFC 9112, 6.3). HTTP/1.0 has no
// transfer codings.
func (r *Reader) frame() (status int) {
	req := &r.req
	coding, length := req.Header["Transfer-Encoding"], req.Header["Content-Length"]
	if coding == nil && length == nil {
		return 0
	}
	n, ok := contentLength(length)
	if !ok {
		return http.StatusBadRequest
	}
	chunked, ok := isChunked(coding)
	delete(req.Header, "Transfer-Encoding")
	switch {
	case !req.ProtoAtLeast(1, 1):
		chunked = false
	case !ok:
		return http.StatusNotImplemented // 2.4.1 D
	}
	switch {
	case chunked:
		delete(req.Header, "Content-Length")
		req.TransferEncoding, req.ContentLength = chunkedOnly, -1
		req.Body = io.NopCloser(newChunkedBody(r.in))
	case n > 0:
		req.ContentLength = n
		req.Body = io.NopCloser(&sizedBody{in: r.in, left: n})
	}
	if len(length) > 1 && !chunked {
		req.Header["Content-Length"] = length[:1]
	}
	return 0
}

// isChunked reads Transfer-Encoding. All that is understood is chunked and, before
// it, identity (2.4.1 D).
func isChunked(values []string) (chunked, ok bool) {
	for _, line := range values {
		for coding := range strings.SplitSeq(line, ",") {
			switch coding = trimSpace(coding); {
			case chunked:
				return false, false
			case strings.EqualFold(coding, "chunked"):
				chunked = true
			case !strings.EqualFold(coding, "identity"):
				return false, false
			}
		}
	}
	return chunked, true
}

// contentLength reads the fields Content-Length; several must be equal.
func contentLength(values []string) (n int64, ok bool) {
	for i, v := range values {
		parsed, err := strconv.ParseUint(v, 10, 63)
		if err != nil || i > 0 && int64(parsed) != n {
			return 0, false
		}
		n = int64(parsed)
	}
	return n, true
}
