package fakealb_test

import (
	"bufio"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/proxychaos/proxychaos/fakealb"
)

// The head comes at once, and between two pieces less time passes than the whole takes.
func TestSlowBody(t *testing.T) {
	const delay = 270 * time.Millisecond
	f := start(t, nil, "127.0.74.19")
	_, err := f.PutFaults(f.ctx, fakealb.FaultRequest{
		Nodes: f.nodes, FaultSetting: fakealb.FaultSetting{Kind: fakealb.FaultSlowBody, Delay: fakealb.Duration(delay)},
	})
	if err != nil {
		t.Fatal(err)
	}
	c, err := net.Dial("tcp4", f.at(0))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	begin := time.Now()
	if _, err := c.Write([]byte("GET / HTTP/1.1\r\nHost: www.example.com\r\nX-Proxychaos-Seq: 7\r\n\r\n")); err != nil {
		t.Fatal(err)
	}
	resp, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		t.Fatal(err)
	}
	if took := time.Since(begin); took >= delay {
		t.Errorf("the head took %v, want less than the %v of the whole", took, delay)
	}
	reads, piece := 0, make([]byte, 1<<10)
	var body []byte
	for err == nil {
		var n int
		n, err = resp.Body.Read(piece)
		body = append(body, piece[:n]...)
		if n > 0 {
			reads++
		}
	}
	if took := time.Since(begin); !errors.Is(err, io.EOF) || took < delay || int64(len(body)) != resp.ContentLength || !strings.Contains(string(body), "seq=7") {
		t.Errorf("got %q of %d bytes after %v, %v, want the whole body after %v at least", body, resp.ContentLength, took, err, delay)
	}
	if reads < 2 {
		t.Errorf("the body came in %d piece, want several", reads)
	}
	if resp, _, err := getOn(c); err != nil || resp.StatusCode != http.StatusOK {
		t.Errorf("the next request on the connection: got %+v, %v", resp, err)
	}
}
