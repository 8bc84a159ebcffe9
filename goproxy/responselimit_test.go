package goproxy

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// A small body that comes slowly has its own limit, as a large one has: the response has
// begun.
func TestSmallBodyHasTheLimitOfBodies(t *testing.T) {
	const limit = 300 * time.Millisecond
	for _, protocol := range []string{protocolHTTP1, protocolH2C} {
		for _, test := range []struct {
			path   string
			body   Duration // its limit
			status int
		}{
			{"/slow", Duration(10 * time.Second), http.StatusOK},
			{"/slow", Off, http.StatusOK},
			{"/fast", Duration(limit), http.StatusOK},
			{"/slow", Duration(limit), http.StatusGatewayTimeout},
		} {
			t.Run(fmt.Sprintf("%s, %s, %v", protocol, test.path, time.Duration(test.body)), func(t *testing.T) {
				t.Parallel()
				url := startHandler(t, func(w http.ResponseWriter, r *http.Request) {
					w.Header().Set("Content-Length", "4")
					for range 4 {
						w.(http.Flusher).Flush()
						if r.URL.Path == "/slow" {
							time.Sleep(2 * limit)
						}
						io.WriteString(w, "x")
					}
				})
				p := startProxy(t, Config{
					DrainTimeout: Duration(2 * time.Second), Routes: []Route{{Upstream: "app"}},
					Upstreams: map[string]Upstream{"app": {
						URL: url, Protocol: protocol,
						Timeouts: Timeouts{Response: Duration(limit), Body: test.body}, Retries: Retries{HedgeAfter: Off},
					}},
				}, nil)
				c := dialPatient(t, p)
				c.send("GET /fast HTTP/1.1\r\nHost: h\r\n\r\n") // the second request has a connection
				c.head()
				c.expect("xxxx")
				c.send("GET %s HTTP/1.1\r\nHost: h\r\n\r\n", test.path)
				if head, want := c.head(), fmt.Sprintf("HTTP/1.1 %d ", test.status); !strings.HasPrefix(head, want) {
					t.Errorf("got %q, want %s", head, want)
				} else if test.status == http.StatusOK {
					c.expect("xxxx")
				}
			})
		}
	}
}

// startHandler serves HTTP/1 and HTTP/2 without TLS, and returns the url.
func startHandler(t *testing.T, h http.HandlerFunc) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &http.Server{Handler: h, Protocols: &http.Protocols{}}
	s.Protocols.SetHTTP1(true)
	s.Protocols.SetUnencryptedHTTP2(true)
	go s.Serve(l)
	t.Cleanup(func() { s.Close() })
	return "http://" + l.Addr().String()
}
