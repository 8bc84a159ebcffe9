package fakealb

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"net/http"
	"net/netip"
	"testing"

	"github.com/proxychaos/proxychaos/fakealb/read"
	"github.com/proxychaos/proxychaos/fakealb/targets"
)

// forwarded is what a target gets for the first request that r reads, in the mode
// that lets the most pass, and the request's method; nil if it gets nothing.
func forwarded(t testing.TB, r *read.Reader, attributes Attributes) (wire []byte, method string) {
	t.Helper()
	req, status, err := r.Next()
	if req == nil || status != 0 || err != nil {
		return nil, ""
	}
	x := &exchange{
		ctx: context.Background(), req: req, hosts: r.Hosts, names: r.Names,
		c: &clientConn{peer: netip.MustParseAddrPort("198.18.0.1:1234"), port: 80},
		v: view{lb: &LoadBalancer{DNSName: "lb.example", Attributes: attributes}},
	}
	out := targets.Wire(x.targetRequest(), "http", "192.0.2.1:80")
	if req.ContentLength != 0 {
		body, err := io.ReadAll(req.Body)
		if err != nil {
			return nil, "" // the connection to the target ends with it
		}
		out.Body = io.NopCloser(bytes.NewReader(body))
	}
	var b bytes.Buffer
	if err := out.Write(&b); err != nil {
		t.Fatalf("Go's client cannot send it: %v", err)
	}
	return b.Bytes(), req.Method
}

// What goes to a target is one request to whoever reads it, with the same method
// and target, whatever the client sent and however it could be read.
func FuzzForwarded(f *testing.F) {
	for _, s := range smugglers {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, sent []byte) {
		for _, attributes := range []Attributes{{XFFMode: xffAppend}, {XFFMode: xffPreserve, PreserveHost: true, DropInvalidHeaders: true}} {
			r := read.NewReader(bytes.NewReader(sent))
			wire, method := forwarded(t, r, attributes)
			if wire == nil {
				return
			}
			if attributes.PreserveHost && len(r.Hosts) > 1 {
				continue // several fields Host are sent on (2.5.5 D), which net/http refuses
			}
			in := bufio.NewReader(bytes.NewReader(wire))
			theirs, err := http.ReadRequest(in)
			if err != nil {
				t.Fatalf("net/http refuses %q: %v", wire, err)
			}
			theirBody, err := io.ReadAll(theirs.Body)
			if left, _ := io.ReadAll(in); err != nil || len(left) > 0 {
				t.Errorf("net/http leaves %q of %q, %v", left, wire, err)
			}
			r = read.NewReader(bytes.NewReader(wire))
			ours, status, err := r.Next()
			if ours == nil || err != nil {
				t.Fatalf("we refuse %q: %d, %v", wire, status, err)
			}
			ourBody, err := io.ReadAll(ours.Body)
			if left, _ := io.ReadAll(r.Buffered()); err != nil || len(left) > 0 {
				t.Errorf("we leave %q of %q, %v", left, wire, err)
			}
			if ours.Method != method || theirs.Method != method || ours.RequestURI != theirs.RequestURI || ours.Host != theirs.Host ||
				!bytes.Equal(ourBody, theirBody) {
				t.Errorf("of %q, forwarded as %q: we read %s %q %q %q, net/http %s %q %q %q", sent, wire,
					ours.Method, ours.RequestURI, ours.Host, ourBody, theirs.Method, theirs.RequestURI, theirs.Host, theirBody)
			}
		}
	})
}
