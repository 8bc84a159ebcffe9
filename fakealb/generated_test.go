package fakealb_test

import (
	"bytes"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/proxychaos/proxychaos/fakealb"
)

// Fact 2.4: the lengths now and before about 2020. Those of 400, 403, 464, 502,
// 503 and 504 are observed (O), the others are this project's guess (G).
func TestGeneratedResponses(t *testing.T) {
	t.Attr("aws-fact", "2.4")
	f := start(t, nil, "127.0.75.1")
	for status, want := range map[int]struct {
		now, old int
		reason   string
	}{
		400: {122, 138, "Bad Request"},
		401: {144, 160, "Authorization Required"},
		403: {118, 134, "Forbidden"},
		405: {122, 138, "Not Allowed"},
		408: {132, 148, "Request Time-out"},
		413: {148, 164, "Request Entity Too Large"},
		414: {142, 158, "Request-URI Too Large"},
		463: {0, 0, ""},
		464: {0, 0, ""},
		500: {142, 158, "Internal Server Error"},
		501: {130, 146, "Not Implemented"},
		502: {122, 138, "Bad Gateway"},
		503: {162, 178, "Service Temporarily Unavailable"},
		504: {132, 148, "Gateway Time-out"},
		505: {152, 168, "HTTP Version Not Supported"},
		507: {140, 156, "Insufficient Storage"},
		561: {0, 0, ""},
		562: {0, 0, ""},
	} {
		for style, length := range map[fakealb.ErrorBody]int{fakealb.ErrorBodyCurrent: want.now, fakealb.ErrorBodyPre2020: want.old} {
			if _, err := f.PutLoadBalancer(f.ctx, fakealb.LoadBalancer{Name: "blue", Targets: 1, ErrorBody: style}); err != nil {
				t.Fatal(err)
			}
			_, err := f.PutFaults(f.ctx, fakealb.FaultRequest{
				Nodes: f.nodes, FaultSetting: fakealb.FaultSetting{Kind: fakealb.FaultError, Status: status},
			})
			if err != nil {
				t.Fatal(err)
			}
			got := curl(t, "-i", "http://"+f.at(0)+"/")
			head, body, _ := strings.Cut(got, "\r\n\r\n")
			text := fmt.Sprintf("%d %s", status, want.reason)
			if !strings.HasPrefix(head, "HTTP/1.1 "+text+"\r\nServer: awselb/2.0\r\nDate: ") || len(body) != length {
				t.Errorf("%s %s: got %q", text, style, got)
			}
			if length > 0 && (!strings.Contains(body, "<center><h1>"+text+"</h1></center>\r\n") || !strings.Contains(head, "\r\nContent-Type: text/html\r\nContent-Length: ")) {
				t.Errorf("%s %s: got %q", text, style, got)
			}
			if length == 0 && strings.Contains(head, "Content-Type") {
				t.Errorf("%s: got a content type: %q", text, head)
			}
		}
	}
}

// Over HTTP/2 the names are in lower case, and there is no Connection.
func TestGeneratedResponsesOverHTTP2(t *testing.T) {
	t.Attr("aws-fact", "2.4")
	f := start(t, nil, "127.0.75.9")
	for _, status := range []int{400, 502, 503, 504} { // 400 closes over HTTP/1
		if _, err := f.PutFaults(f.ctx, fakealb.FaultRequest{
			Nodes: f.nodes, FaultSetting: fakealb.FaultSetting{Kind: fakealb.FaultError, Status: status},
		}); err != nil {
			t.Fatal(err)
		}
		head, body, _ := strings.Cut(curl(t, "-k", "--http2", "-i", "https://"+f.at(0)+"/"), "\r\n\r\n")
		if !strings.HasPrefix(head, fmt.Sprintf("HTTP/2 %d", status)) || strings.Contains(strings.ToLower(head), "\nconnection:") {
			t.Errorf("%d: got %q", status, head)
		}
		for _, field := range []string{"server: awselb/2.0", "date: ", "content-type: text/html", fmt.Sprintf("content-length: %d", len(body))} {
			if !strings.Contains(head, "\n"+field) {
				t.Errorf("%d: no %s in %q", status, field, head)
			}
		}
	}
}

// When an ALB refuses a request itself (2.1.3, 2.1.6, 2.4.1).
func TestRefusedRequests(t *testing.T) {
	t.Attr("aws-fact", "2.1.3")
	t.Attr("aws-fact", "2.1.6")
	t.Attr("aws-fact", "2.2.2")
	t.Attr("aws-fact", "2.4.1")
	f := start(t, nil, "127.0.75.2")
	for name, c := range map[string]struct {
		request string
		want    int
	}{
		"no Host":                         {"GET / HTTP/1.1\r\n\r\n", 400},
		"no request line":                 {"nonsense\r\n\r\n", 400},
		"request line of 16 K":            {"GET /" + strings.Repeat("a", 16<<10) + " HTTP/1.1\r\nHost: x\r\n\r\n", 414},
		"request line just under 16 K":    {"GET /" + strings.Repeat("a", 16<<10-17) + " HTTP/1.1\r\nHost: x\r\n\r\n", 200},
		"header line of 16 K":             {"GET / HTTP/1.1\r\nHost: x\r\nA: " + strings.Repeat("a", 16<<10-5) + "\r\n\r\n", 400},
		"header line just under 16 K":     {"GET / HTTP/1.1\r\nHost: x\r\nA: " + strings.Repeat("a", 16<<10-6) + "\r\n\r\n", 200},
		"headers over 64 K":               {"GET / HTTP/1.1\r\nHost: x\r\n" + strings.Repeat("A: "+strings.Repeat("a", 8<<10)+"\r\n", 8) + "\r\n", 400},
		"headers just under 64 K":         {"GET / HTTP/1.1\r\nHost: x\r\n" + strings.Repeat("A: "+strings.Repeat("a", 8<<10-16)+"\r\n", 7) + "\r\n", 200},
		"TRACE":                           {"TRACE / HTTP/1.1\r\nHost: x\r\n\r\n", 405},
		"HTTP/2 preface without TLS":      {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400},
		"HTTP/3.0":                        {"GET / HTTP/3.0\r\nHost: x\r\n\r\n", 505},
		"unknown transfer encoding":       {"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\n", 501},
		"31 addresses in X-Forwarded-For": {"GET / HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: 10.0.0.1" + strings.Repeat(", 10.0.0.1", 20) + "\r\nX-Forwarded-For: 10.0.0.2" + strings.Repeat(", 10.0.0.1", 9) + "\r\n\r\n", 463},
		"30 addresses in X-Forwarded-For": {"GET / HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: 10.0.0.1" + strings.Repeat(", 10.0.0.1", 29) + "\r\n\r\n", 200},
		"HTTP/1.0 without Host":           {"GET / HTTP/1.0\r\n\r\n", 200},
		"a Host that is none":             {"GET / HTTP/1.1\r\nHost: a b\r\n\r\n", 400},
		"CONNECT":                         {"CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n", 405},
		"POST of HTTP/0.9":                {"POST /\r\n", 400},
		"identity":                        {"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: identity\r\n\r\n", 200},
		"identity, then chunked":          {"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: identity, chunked\r\n\r\n0\r\n\r\n", 200},
		"a target that is no path":        {"GET a:b HTTP/1.1\r\nHost: x\r\n\r\n", 400},
	} {
		t.Run(name, func(t *testing.T) {
			conn, err := net.Dial("tcp4", f.at(0))
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			if _, err := io.WriteString(conn, c.request); err != nil {
				t.Fatal(err)
			}
			got, err := readWithin(conn, 5*time.Second)
			if err != nil || !strings.HasPrefix(got, fmt.Sprintf("HTTP/1.1 %d ", c.want)) {
				t.Errorf("got %.80q, %v, want status %d", got, err, c.want)
			}
		})
	}
}

func TestHalfARequestTimesOutWith408(t *testing.T) {
	t.Attr("aws-fact", "2.4.1")
	f := start(t, func(c *fakealb.Config) { c.TimeScale = 120 }, "127.0.75.3") // idle timeout 500 ms
	c, err := net.Dial("tcp4", f.at(0))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_, _ = io.WriteString(c, "GET / HTTP/1.1\r\nHost: x\r\n")
	if got, err := readWithin(c, 5*time.Second); err != nil || !strings.HasPrefix(got, "HTTP/1.1 408 Request Time-out\r\n") {
		t.Errorf("got %q, %v", got, err)
	}
}

// Only silence counts for the idle timeout, not the length of an upload.
func TestSlowUploadIsNotIdle(t *testing.T) {
	t.Attr("aws-fact", "2.1.1")
	f := start(t, func(c *fakealb.Config) { c.TimeScale = 60 }, "127.0.75.8") // idle timeout 1 s
	c, err := net.Dial("tcp4", f.at(0))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_, _ = io.WriteString(c, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n")
	for range 10 { // 1.2 s in all
		time.Sleep(120 * time.Millisecond) // the pace of the upload is what is tested
		_, _ = io.WriteString(c, "x")
	}
	resp, body, err := readResponse(c)
	if err != nil || resp.StatusCode != 200 || !strings.Contains(body, "received=10") {
		t.Errorf("got %+v, %q, %v", resp, body, err)
	}
}

func TestClientThatLeavesIsRecordedAs460(t *testing.T) {
	t.Attr("aws-fact", "2.4.1")
	f := start(t, nil, "127.0.75.4")
	conns := []net.Conn{warmConn(t, f.at(0))}
	secure, err := tls.Dial("tcp4", f.at(0), tlsTransport(t, f).TLSClientConfig)
	if err != nil {
		t.Fatal(err)
	}
	conns = append(conns, secure)
	for _, c := range conns {
		_, _ = io.WriteString(c, "GET / HTTP/1.1\r\nHost: x\r\nX-Proxychaos-Hold: 20s\r\n\r\n")
		eventually(t, "the pending request", func() bool {
			rows, err := f.Attempts(f.ctx)
			return err == nil && rows[len(rows)-1].Status == 0
		})
		c.Close()
		eventually(t, "the row of the client that left", func() bool {
			rows, err := f.Attempts(f.ctx)
			last := rows[len(rows)-1]
			return err == nil && last.Status == 460 && last.End.IsZero()
		})
	}
}

// A request that comes while another is held is kept for after it.
func TestPipelinedBehindAHeldRequest(t *testing.T) {
	t.Attr("aws-fact", "2.2.1")
	f := start(t, nil, "127.0.75.5")
	c := warmConn(t, f.at(0))
	_, _ = io.WriteString(c, "GET / HTTP/1.1\r\nHost: x\r\nX-Proxychaos-Hold: 50ms\r\nX-Proxychaos-Seq: 1\r\n\r\n")
	_, _ = io.WriteString(c, "GET / HTTP/1.1\r\nHost: x\r\nX-Proxychaos-Seq: 2\r\nConnection: close\r\n\r\n")
	_ = c.SetReadDeadline(time.Now().Add(5 * time.Second))
	got, err := io.ReadAll(c)
	first, second := bytes.Index(got, []byte("seq=1\n")), bytes.Index(got, []byte("seq=2\n"))
	if err != nil || first < 0 || second < first {
		t.Errorf("got %q, %v, want both answers in order", got, err)
	}
}

func TestClientKeepAliveEndsAConnection(t *testing.T) {
	t.Attr("aws-fact", "2.1.2")
	f := start(t, func(c *fakealb.Config) {
		c.TimeScale = 200 // 60 s become 300 ms, 4000 s become 20 s
		c.LoadBalancers[0].Attributes = fakealb.Attributes{ClientKeepAliveSeconds: 60, IdleTimeoutSeconds: 4000}
	}, "127.0.75.6")
	conn, err := net.Dial("tcp4", f.at(0))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	// One held request outlives the limit; the answer to it says close (2.1.2 D).
	_, _ = io.WriteString(conn, "GET / HTTP/1.1\r\nHost: x\r\nX-Proxychaos-Hold: 400ms\r\n\r\n")
	resp, _, err := readResponse(conn)
	if err != nil || !resp.Close {
		t.Errorf("got %+v, %v, want Connection: close", resp, err)
	}
}

func TestExpectContinueIsAnsweredByTheNode(t *testing.T) {
	t.Attr("aws-fact", "2.1.8")
	f := start(t, nil, "127.0.75.7")
	c, err := net.Dial("tcp4", f.at(0))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_, _ = io.WriteString(c, "POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n") // to a target it does not go on: see TestLargeBodyAfterExpect
	if got, err := readWithin(c, 5*time.Second); err != nil || got != "HTTP/1.1 100 Continue\r\n\r\n" {
		t.Fatalf("got %q, %v", got, err)
	}
	_, _ = io.WriteString(c, "abc")
	resp, body, err := readResponse(c)
	if err != nil || resp.StatusCode != http.StatusOK || !strings.Contains(body, "received=3") {
		t.Errorf("got %+v, %q, %v", resp, body, err)
	}
}
