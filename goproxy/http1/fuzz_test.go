package http1

import (
	"bufio"
	"bytes"
	"io"
	"net/http"
	"net/textproto"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
)

// The fuzzers compare with net/http: what is taken here must be taken there,
// and be read as the same.

// sameHeader compares the fields of got with those that net/http read, which
// has more: what describes the connection.
func sameHeader(t *testing.T, got Header, want http.Header) {
	t.Helper()
	mine := http.Header{}
	for _, f := range got {
		mine.Add(f.Name, f.Value)
	}
	delete(mine, "Trailer") // net/http moves it
	for name, values := range mine {
		if !slices.Equal(values, want[textproto.CanonicalMIMEHeaderKey(name)]) {
			t.Errorf("%s: got %q, net/http has %q", name, values, want[name])
		}
	}
}

// sameHead reads and parses a head in all ways and reports whether it was taken.
func sameHead(t *testing.T, ours, slow *Reader, parse func(string) error) (string, bool) {
	t.Helper()
	read := func(r *Reader) (string, error) {
		text, err := r.Head(1 << 16)
		if err == nil {
			err = parse(text)
		}
		return text, err
	}
	slowText, slowErr := read(slow)
	text, err := read(ours)
	if (err == nil) != (slowErr == nil) || (err == nil && text != slowText) {
		t.Fatalf("whole: %q, %v; byte by byte: %q, %v", text, err, slowText, slowErr)
	}
	return text, err == nil
}

// FuzzRequests feeds the bytes of a whole connection, heads and bodies.
func FuzzRequests(f *testing.F) {
	for _, s := range []string{
		"GET / HTTP/1.1\r\nHost: h\r\n\r\nGET /2 HTTP/1.1\r\nHost: h\r\n\r\n",
		"POST http://h/x?y HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabcGET / HTTP/1.0\r\n\r\n",
		"PUT / HTTP/1.1\r\nHost: [::1]:80\r\nTransfer-Encoding: chunked\r\n\r\n3;a=\"b\"\r\nabc\r\n0\r\nA: b\r\n\r\nHEAD / HTTP/1.1\r\nHost: h\r\n\r\n",
		"OPTIONS * HTTP/1.1\r\nHost: h\r\nConnection: close, x\r\nX: y\r\n\r\n",
		"CONNECT h:443 HTTP/1.1\r\nHost: h:443\r\n\r\n",
		"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n0_2e\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: h\r\n A: b\r\n\r\n", "GET / HTTP/1.1\nHost: h\n\n",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		theirs := bufio.NewReader(bytes.NewReader(data))
		ours, slow := NewReader(bytes.NewReader(data)), NewReader(iotest.OneByteReader(bytes.NewReader(data)))
		for {
			var r Request
			text, ok := sameHead(t, ours, slow, r.Parse)
			if !ok {
				return
			}
			want, err := http.ReadRequest(theirs)
			if err != nil {
				t.Fatalf("taken, but net/http says %v: %q", err, text)
			}
			target := want.RequestURI
			if want.URL.Host != "" && r.Method != http.MethodConnect {
				target = strings.TrimPrefix(target[strings.Index(target, "//")+2:], want.URL.Host)
				if !strings.HasPrefix(target, "/") {
					target = "/" + target
				}
			}
			if r.Method != want.Method || r.Target != target || !EqualFold(r.Host, want.Host) || r.Length != want.ContentLength || r.Minor != want.ProtoMinor {
				t.Fatalf("got %+v\nnet/http %+v", r, want)
			}
			if r.Close != want.Close && !want.Close { // net/http keeps no HTTP/1.0 connection that has a body
				t.Errorf("close %v, net/http %v: %q", r.Close, want.Close, text)
			}
			sameHeader(t, r.Header, want.Header)
			if !sameBody(t, ours, slow, r.Length, want.Body, want) {
				return
			}
		}
	})
}

// sameBody reads a body in all ways and reports whether it was whole.
func sameBody(t *testing.T, ours, slow *Reader, length int64, theirs io.Reader, req *http.Request) bool {
	t.Helper()
	var a, b Body
	a.Reset(ours, length)
	b.Reset(slow, length)
	got, err := io.ReadAll(&a)
	gotSlow, slowErr := io.ReadAll(&b)
	if (err == nil) != (slowErr == nil) || (err == nil && !bytes.Equal(got, gotSlow)) {
		t.Fatalf("whole: %q, %v; byte by byte: %q, %v", got, err, gotSlow, slowErr)
	}
	if err != nil {
		return false
	}
	want, err := io.ReadAll(theirs)
	if err != nil || !bytes.Equal(got, want) {
		t.Fatalf("body %q, net/http has %q, %v", got, want, err)
	}
	if req != nil {
		sameHeader(t, a.Trailer(), req.Trailer)
	}
	return true
}

// FuzzResponse feeds a response and what comes after it.
func FuzzResponse(f *testing.F) {
	for _, s := range []string{
		"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc", "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n\r\nabc",
		"HTTP/1.1 200 \r\nTransfer-Encoding: chunked\r\nTrailer: A\r\n\r\n3\r\nabc\r\n0\r\nA: b\r\n\r\n", "HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n",
		"HTTP/1.1 204 No Content\r\n\r\n", "HTTP/1.1 101 S\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n", "HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n",
		"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
	} {
		f.Add([]byte(s), false)
		f.Add([]byte(s), true)
	}
	f.Fuzz(func(t *testing.T, data []byte, isHead bool) {
		method := http.MethodGet
		if isHead {
			method = http.MethodHead
		}
		ours, slow := NewReader(bytes.NewReader(data)), NewReader(iotest.OneByteReader(bytes.NewReader(data)))
		var r Response
		text, ok := sameHead(t, ours, slow, func(text string) error { return r.Parse(text, method) })
		if !ok {
			return
		}
		want, err := http.ReadResponse(bufio.NewReader(bytes.NewReader(data)), &http.Request{Method: method})
		if err != nil {
			t.Fatalf("taken, but net/http says %v: %q", err, text)
		}
		if r.Status != want.StatusCode || r.Minor != want.ProtoMinor {
			t.Errorf("got %+v\nnet/http %+v", r, want)
		}
		sameHeader(t, r.Header, want.Header)
		if r.Status == http.StatusSwitchingProtocols {
			return // what follows is no body
		}
		if sameBody(t, ours, slow, r.Length, want.Body, nil) && r.Length == Chunked && want.ContentLength != -1 {
			t.Errorf("chunked, net/http has a length of %d", want.ContentLength)
		}
	})
}

// FuzzChunks feeds the bytes of a chunked body.
func FuzzChunks(f *testing.F) {
	for _, s := range []string{
		"3\r\nabc\r\n0\r\n\r\n", "3;a\r\nabc\r\n00\r\nA: b\r\n\r\nrest", "f;a=\"b;c\"\r\n0123456789abcde\r\n0\r\n\r\n",
		"0\r\n\r\n", "3\nabc\n0\n\n", "3 \r\nabc\r\n0\r\n\r\n", "-3\r\nabc", "3\r\nabcd\r\n0\r\n\r\n", "ffffffffffffffff\r\n",
	} {
		f.Add([]byte(s))
	}
	const head = "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
	f.Fuzz(func(t *testing.T, data []byte) {
		theirs := bufio.NewReader(io.MultiReader(strings.NewReader(head), bytes.NewReader(data)))
		req, err := http.ReadRequest(theirs)
		if err != nil {
			t.Fatal(err)
		}
		ours, slow := NewReader(bytes.NewReader(data)), NewReader(iotest.OneByteReader(bytes.NewReader(data)))
		if !sameBody(t, ours, slow, Chunked, req.Body, req) {
			return
		}
		rest, err := io.ReadAll(ours)
		if err != nil {
			t.Fatal(err)
		}
		if want, err := io.ReadAll(theirs); err != nil || !bytes.Equal(rest, want) {
			t.Errorf("after the body %q, net/http has %q, %v", rest, want, err)
		}
	})
}
