package fakealb_test

import (
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/proxychaos/proxychaos/fakealb"
)

// The methods of the guide reach targets, TRACE does not.
func TestMethods(t *testing.T) {
	t.Attr("aws-fact", "2.2.2")
	f, up := rawForwarding(t, "127.0.82.30", fakealb.Attributes{}, func(r rawRequest) string {
		if r.Method == http.MethodHead {
			return "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n"
		}
		return "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
	})
	for _, method := range []string{"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE"} {
		for _, base := range []string{"http://", "https://"} {
			req, err := http.NewRequest(method, base+f.at(0)+"/", nil)
			if err != nil {
				t.Fatal(err)
			}
			resp, err := (&http.Client{Transport: tlsTransport(t, f)}).Do(req)
			if err != nil {
				t.Fatal(err)
			}
			resp.Body.Close()
			got := up.got()
			if method == "TRACE" {
				if resp.StatusCode != http.StatusMethodNotAllowed || len(got) > 0 {
					t.Errorf("%s %s: got %d, the target %d requests", base, method, resp.StatusCode, len(got))
				}
				continue
			}
			if resp.StatusCode != http.StatusOK || len(got) != 1 || got[0].Method != method {
				t.Errorf("%s %s: got %d, the target %+v", base, method, resp.StatusCode, got)
			}
		}
	}
}

// There is no limit to a body. Expect is answered by the node, without a look at
// the length, and does not go on to the target.
func TestLargeBodyAfterExpect(t *testing.T) {
	t.Attr("aws-fact", "2.1.7")
	t.Attr("aws-fact", "2.1.8")
	const size = 64 << 20
	seen := make(chan http.Header, 1)
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var got int64
	up := &http.Server{ReadHeaderTimeout: time.Minute, Handler: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			got, _ = io.Copy(io.Discard, r.Body)
			seen <- r.Header
		}
	})}
	go func() { _ = up.Serve(l) }()
	defer up.Close()
	f := forwarding(t, "127.0.82.31", nil, l.Addr().(*net.TCPAddr).AddrPort())
	c, err := net.Dial("tcp4", f.at(0))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_, _ = io.WriteString(c, "POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-Continue\r\nContent-Length: 67108864\r\n\r\n")
	if answer, err := readWithin(c, 10*time.Second); err != nil || answer != "HTTP/1.1 100 Continue\r\n\r\n" {
		t.Fatalf("got %q, %v", answer, err)
	}
	if _, err := io.Copy(c, io.LimitReader(zeros{}, size)); err != nil {
		t.Fatal(err)
	}
	header := <-seen
	if _, ok := header["Expect"]; ok || got != size || strings.Contains(header.Get("Connection"), "close") {
		t.Errorf("the target got %d bytes, want %d, with %v", got, size, header)
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}
