package read

import (
	"bufio"
	"bytes"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/proxychaos/proxychaos/fakealb/desync"
)

// Of a request that is not ambiguous there is one reading: what both our parser and
// net/http accept, they read alike, and see the same end of its body.
func FuzzParseAgreesWithNetHTTP(f *testing.F) {
	for _, s := range []string{
		"GET / HTTP/1.1\r\nHost: x\r\n\r\nGET /2 HTTP/1.1\r\n",
		"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabcd",
		"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\nabcd",
		"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
		"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: +3\r\n\r\nabcd",
		"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\nb",
		"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1;e=1\r\na\r\n0\r\nTrailer: 1\r\n\r\nb",
		"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n",
		"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding:\x0bchunked\r\n\r\n0\r\n\r\n",
		"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
		"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: x\r\nA: b\r\n c\r\n\td\r\n\r\n",
		"GET / HTTP/1.1\r\n Host: x\r\n\r\n",
		"GET / HTTP/1.1\nHost: x\nConnection: keep-alive, close\n\n",
		"GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n",
		"GET http://h/p?q HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n",
		"CONNECT h:1 HTTP/1.1\r\nHost: x\r\n\r\n",
		"GET //h/%2f?a=%zz#f HTTP/1.1\r\nHost: x\r\n\r\n",
		"GET / HTTP/1.1\r\r\nHost: x\r\n\r\n",
		"GET  / HTTP/1.1\r\nHost: x\r\n\r\n",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, sent []byte) {
		r := NewReader(bytes.NewReader(sent))
		got, _, err := r.Next()
		if got == nil || err != nil {
			return // refused, whatever net/http says
		}
		if r.Verdict.Class > desync.Acceptable {
			return // FuzzForwarded looks at what becomes of these
		}
		in := bufio.NewReader(bytes.NewReader(sent))
		want, err := http.ReadRequest(in)
		if err != nil {
			return // fields and targets that an ALB lets pass
		}
		if got.Method != want.Method || got.RequestURI != want.RequestURI || got.Proto != want.Proto || got.Host != want.Host ||
			got.URL.String() != want.URL.String() || got.ContentLength != want.ContentLength || got.Close != want.Close {
			t.Errorf("got  %+v\nwant %+v", got, want)
		}
		if want.Header["Pragma"] == nil { // of which net/http makes Cache-Control
			delete(want.Header, "Trailer")
			delete(got.Header, "Trailer")
			for name := range want.Header {
				if !new(NameKinds).Note(name) {
					delete(want.Header, name)
				}
			}
			if !maps.EqualFunc(got.Header, want.Header, func(a, b []string) bool {
				return slices.EqualFunc(a, b, func(a, b string) bool { return a == strings.TrimSpace(b) })
			}) {
				t.Errorf("header: got %q, want %q", got.Header, want.Header)
			}
		}
		body, err := io.ReadAll(got.Body)
		if err != nil {
			return // the connection ends with it
		}
		wantBody, err := io.ReadAll(want.Body)
		if err != nil || !bytes.Equal(body, wantBody) {
			t.Errorf("body: got %q, want %q, %v", body, wantBody, err)
		}
		rest, _ := io.ReadAll(r.in)
		if wantRest, _ := io.ReadAll(in); !bytes.Equal(rest, wantRest) {
			t.Errorf("the next request: got %q, want %q", rest, wantRest)
		}
	})
}

// The request that a browser behind a proxy sends.
const typicalHead = "GET /api/v1/items/41?page=2 HTTP/1.1\r\n" +
	"Host: www.example.test\r\n" +
	"User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0\r\n" +
	"Accept: text/html,application/xhtml+xml\r\nAccept-Language: en\r\nAccept-Encoding: gzip, br\r\n" +
	"X-Forwarded-For: 198.18.0.9\r\nConnection: keep-alive\r\n\r\n"

func BenchmarkParse(b *testing.B) {
	for name, head := range map[string]string{
		"shortest": "GET / HTTP/1.1\r\nHost: x\r\n\r\n",
		"typical":  typicalHead,
	} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(head)))
			b.ReportAllocs()
			again := strings.NewReader(head)
			r := NewReader(again)
			for b.Loop() {
				again.Reset(head)
				if req, status, err := r.Next(); req == nil || status != 0 || err != nil {
					b.Fatalf("got status %d, %v", status, err)
				}
			}
		})
	}
}
