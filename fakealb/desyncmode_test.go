package fakealb_test

import (
	"bufio"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/proxychaos/proxychaos/fakealb"
	"github.com/proxychaos/proxychaos/fakealb/targets"
)

// exchangeRaw sends bytes and returns the response, and whether the node closes the
// connection after it.
func exchangeRaw(t *testing.T, addr, request string) (resp *http.Response, body string, closed bool) {
	t.Helper()
	c, err := net.Dial("tcp4", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(10 * time.Second))
	if _, err := io.WriteString(c, request); err != nil {
		t.Fatal(err)
	}
	in := bufio.NewReader(c)
	if resp, err = http.ReadResponse(in, nil); err != nil {
		t.Fatalf("%q: %v", request, err)
	}
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatalf("%q: %v", request, err)
	}
	if resp.Close {
		if _, err := in.ReadByte(); err == nil || isTimeout(err) {
			t.Errorf("%q: Connection: close, and then %v, want the end", request, err)
		}
	}
	return resp, string(b), resp.Close
}

// The table of modes and classes, with what the log and the counter have (2.6 D).
func TestDesyncMitigationModes(t *testing.T) {
	t.Attr("aws-fact", "2.6")
	t.Attr("aws-fact", "6.2")
	up := target(t, false)
	f, l := logged(t, "127.0.76.1", fakealb.LoadBalancer{}, 1)
	type outcome struct {
		status       int
		close        bool // of the connection to the client
		closeTargets bool
	}
	routed, routedOnce, blocked := outcome{status: 200}, outcome{200, true, true}, outcome{status: 400, close: true}
	requests := []struct {
		class, reason, request string
		want                   map[string]outcome
	}{
		{
			"-", "-", "GET / HTTP/1.1\r\nHost: x\r\n\r\n",
			map[string]outcome{"monitor": routed, "defensive": routed, "": routed, "strictest": routed},
		},
		{
			"Acceptable", "GetHeadZeroContentLength", "GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n",
			map[string]outcome{"monitor": routed, "defensive": routed, "": routed, "strictest": blocked},
		},
		{
			"Ambiguous", "UndefinedContentLengthSemantics", "GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc",
			map[string]outcome{"monitor": routed, "defensive": routedOnce, "": routedOnce, "strictest": blocked},
		},
		{
			"Severe", "BadContentLength", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nContent_Length: x\r\n\r\nabc",
			map[string]outcome{"monitor": routed, "defensive": blocked, "": blocked, "strictest": blocked},
		},
	}
	n := 0
	for _, mode := range []string{"monitor", "defensive", "", "strictest"} {
		if _, err := f.PutLoadBalancer(f.ctx, fakealb.LoadBalancer{
			Name: "blue", TargetGroup: &targets.Group{Targets: targets.At(up)}, Attributes: fakealb.Attributes{DesyncMode: mode},
		}); err != nil {
			t.Fatal(err)
		}
		for _, r := range requests {
			resp, body, closed := exchangeRaw(t, f.at(0), r.request)
			want := r.want[mode]
			var s seen
			if want.status == 200 {
				if err := json.Unmarshal([]byte(body), &s); err != nil {
					t.Errorf("mode %q, %s: %v", mode, r.class, err)
				}
			}
			if got := (outcome{resp.StatusCode, closed, s.Close}); got != want {
				t.Errorf("mode %q, %s: got %+v, want %+v", mode, r.class, got, want)
			}
			matchFields(t, l.line(t, n), map[int]string{28: `"` + r.class + `"`, 29: `"` + r.reason + `"`})
			n++
		}
	}
	const name = `DesyncMitigationMode_NonCompliant_Request_Count{AvailabilityZone="a",LoadBalancer="blue"} 12`
	if got := curl(t, f.server.ControlURL()+"/metrics"); !strings.Contains(got, name) {
		t.Errorf("no %s in\n%s", name, got)
	}
}

// What curl makes of it: a GET with a body costs it its connection.
func TestAmbiguousRequestsOfCurl(t *testing.T) {
	t.Attr("aws-fact", "2.6")
	f := start(t, nil, "127.0.76.7")
	for method, want := range map[string]string{"POST": "200/1 200/0 ", "GET": "200/1 200/1 "} {
		got := curl(t, "-X", method, "-d", "abc", "-o", "/dev/null", "-o", "/dev/null", "-w", "%{http_code}/%{num_connects} ",
			"http://"+f.at(0)+"/", "http://"+f.at(0)+"/")
		if got != want {
			t.Errorf("%s with a body, twice: got status and new connections %q, want %q", method, got, want)
		}
	}
}

func TestUnknownDesyncMode(t *testing.T) {
	f := start(t, nil, "127.0.76.2")
	_, err := f.PutLoadBalancer(f.ctx, fakealb.LoadBalancer{Name: "blue", Attributes: fakealb.Attributes{DesyncMode: "off"}})
	if e := apiErr(t, err); e.Field != "attributes.routing.http.desync_mitigation_mode" {
		t.Errorf("got %v", err)
	}
}

// A fault takes the place of the 400, and the connection ends all the same: where
// the next request would begin is not known.
func TestBlockedRequestUnderAFault(t *testing.T) {
	f := start(t, nil, "127.0.76.3")
	if _, err := f.PutFaults(f.ctx, fakealb.FaultRequest{
		Nodes: f.nodes, FaultSetting: fakealb.FaultSetting{Kind: fakealb.FaultError, Status: 503},
	}); err != nil {
		t.Fatal(err)
	}
	const request = "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nContent_Length: x\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n"
	if resp, _, closed := exchangeRaw(t, f.at(0), request); resp.StatusCode != 503 || !closed {
		t.Errorf("got %d, closed %t, want 503 and the end", resp.StatusCode, closed)
	}
	f.finished(t, 1)
}

// A blocked request is answered without a look at its body: how long that is
// depends on who reads it.
func TestBlockedRequestIsNotReadOn(t *testing.T) {
	f := start(t, nil, "127.0.76.6")
	resp, _, closed := exchangeRaw(t, f.at(0), "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\nContent_Length: x\r\n\r\n")
	if resp.StatusCode != 400 || !closed {
		t.Errorf("got %d, closed %t, want 400 and the end", resp.StatusCode, closed)
	}
}
