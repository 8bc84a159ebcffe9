package read

import (
	"net/http"
	"strings"
	"testing"
)

// A request has one length, or it is refused, whatever the desync mode lets pass.
func TestLengthOfARequest(t *testing.T) {
	const chunked = -1
	for fields, want := range map[string]struct {
		status int
		length int64
	}{
		"":                   {0, 0},
		"Content-Length: 5":  {0, 5},
		"Content-Length: 05": {0, 5},
		"Content-Length: 5\r\nContent-Length: 05":               {0, 5},
		"Content-Length: 5\r\nContent-Length: 6":                {400, 0},
		"Content-Length: 5, 5":                                  {400, 0},
		"Content-Length: +5":                                    {400, 0},
		"Content-Length:":                                       {400, 0},
		"Content-Length: 9223372036854775808":                   {400, 0},
		"Content-Length: 5\x0b":                                 {400, 0},
		"Content-Length: 5\r\n 6":                               {400, 0},
		"Transfer-Encoding: CHUNKED":                            {0, chunked},
		"Transfer-Encoding: chunked\r\nContent-Length: 5":       {0, chunked},
		"Transfer-Encoding: chunked\r\nContent-Length: x":       {400, 0},
		"Transfer-Encoding: identity\r\nContent-Length: 5":      {0, 5},
		"Transfer-Encoding: identity, chunked":                  {0, chunked},
		"Transfer-Encoding: chunked, identity":                  {501, 0},
		"Transfer-Encoding: chunked, chunked":                   {501, 0},
		"Transfer-Encoding: gzip, chunked":                      {501, 0},
		"Transfer-Encoding: chunked;q=1":                        {501, 0},
		"Transfer-Encoding:\x0bchunked":                         {400, 0},
		"Transfer-Encoding: chunked\r\n , identity":             {400, 0},
		"Transfer-Encoding:\r\n chunked":                        {400, 0},
		"Transfer-Encoding : chunked\r\nContent-Length: 5":      {0, 5}, // no field of that name
		" Transfer-Encoding: chunked\r\nContent-Length: 5":      {0, 5},
		"Transfer_Encoding: chunked\r\nContent-Length: 5":       {0, 5},
		"A: b\r\n Content-Length: 6\r\nContent-Length: 5":       {0, 5},
		"A: b\r\n\tTransfer-Encoding: chunked\r\nB: c":          {0, 0},
		"Content-Length\r\nContent-Length: 5":                   {400, 0}, // a colon is put behind the first
		"Trailer: Content-Length\r\nTransfer-Encoding: chunked": {0, chunked},
	} {
		r := NewReader(strings.NewReader("POST / HTTP/1.1\r\nHost: x\r\n" + fields + "\r\n\r\n"))
		if fields == "" {
			r = NewReader(strings.NewReader("POST / HTTP/1.1\r\nHost: x\r\n\r\n"))
		}
		req, status, err := r.Next()
		if err != nil || status != want.status {
			t.Errorf("%q: got %d, %v, want %d", fields, status, err, want.status)
		}
		if status != 0 || req == nil {
			continue
		}
		if req.ContentLength != want.length || (len(req.TransferEncoding) > 0) != (want.length == chunked) {
			t.Errorf("%q: got length %d, coding %q, want %d", fields, req.ContentLength, req.TransferEncoding, want.length)
		}
		if want.length == chunked && req.Header["Content-Length"] != nil || req.Header["Transfer-Encoding"] != nil {
			t.Errorf("%q: got the fields %v, want none that the framing has settled", fields, req.Header)
		}
	}
}

// HTTP/1.0 has no transfer codings.
func TestLengthOfARequestOfHTTP10(t *testing.T) {
	r := NewReader(strings.NewReader("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\nabc"))
	if req, status, err := r.Next(); err != nil || status != 0 || req.ContentLength != 3 || len(req.TransferEncoding) > 0 {
		t.Errorf("got %+v, %d, %v, want 3 bytes", req, status, err)
	}
	r = NewReader(strings.NewReader("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n"))
	if req, status, err := r.Next(); err != nil || status != 0 || req.Body != http.NoBody {
		t.Errorf("got %+v, %d, %v, want no body", req, status, err)
	}
}
