package fakealb

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/proxychaos/proxychaos/fakealb/cloud"
	"github.com/proxychaos/proxychaos/fakealb/read"
)

// The seeds cover what an ALB refuses; the fuzzer looks for a crash, a hang, or an
// answer that depends on how the bytes were split into reads.
func FuzzRequestHead(f *testing.F) {
	for _, s := range []string{
		"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
		"GET / HTTP/1.1\nHost: x\n\n",
		"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabcGET /2 HTTP/1.1\r\nHost: x\r\n\r\n",
		"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
		"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
		"TRACE / HTTP/1.1\r\nHost: x\r\n\r\n",
		"GET / HTTP/9.9\r\nHost: x\r\n\r\n",
		"\r\n\r\n", "", "GET", "\x00\r\n\r\n",
		"GET /" + strings.Repeat("a", read.MaxRequestLine) + " HTTP/1.1\r\n\r\n",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, sent []byte) {
		req, status, err := read.NewReader(bytes.NewReader(sent)).Next()
		if req == nil && status == 0 && err == nil || err != nil && !errors.Is(err, read.ErrLost) {
			t.Errorf("got request %v, status %d, %v: want one of them, or read.ErrLost", req, status, err)
		}
		if status != 0 && !cloud.IsOwn(status) {
			t.Errorf("got status %d, for which there is no response", status)
		}
		again, statusAgain, errAgain := read.NewReader(iotest.OneByteReader(bytes.NewReader(sent))).Next()
		if status != statusAgain || (err == nil) != (errAgain == nil) || (req == nil) != (again == nil) {
			t.Errorf("byte by byte: got status %d, %v; at once: %d, %v", statusAgain, errAgain, status, err)
		}
		if req != nil && again != nil && (req.Method != again.Method || req.RequestURI != again.RequestURI || req.Host != again.Host) {
			t.Errorf("byte by byte: got %+v, at once %+v", again, req)
		}
	})
}

func TestExtendTrace(t *testing.T) {
	const fresh = "1-00000001-000000000000000000000001"
	for present, want := range map[string]string{
		"":                       "Root=" + fresh,
		"Root=1-a":               "Self=" + fresh + ";Root=1-a",
		"Self=1-b;Root=1-a":      "Self=" + fresh + ";Root=1-a",
		" Root=1-a ; Sender=4 ;": "Self=" + fresh + ";Root=1-a;Sender=4",
	} {
		if got := extendTrace(present, fresh); got != want {
			t.Errorf("%q: got %q, want %q", present, got, want)
		}
	}
}

func TestHitsAreEvenlySpread(t *testing.T) {
	for _, share := range []float64{0.01, 0.1, 0.25, 0.5, 0.75, 0.99, 1} {
		f := FaultSetting{Share: share}
		hit := 0
		for n := uint64(1); n <= 1000; n++ {
			if f.hits(n) {
				hit++
			}
			if want := share * float64(n); float64(hit) < want-1.01 || float64(hit) > want+0.01 {
				t.Fatalf("share %g: %d of the first %d were hit", share, hit, n)
			}
		}
	}
}
