package fakealb_test

import (
	"bufio"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/proxychaos/proxychaos/fakealb"
)

// getOn sends one request on c and returns the response with its body, as far as
// either came.
func getOn(c net.Conn) (*http.Response, string, error) {
	_ = c.SetDeadline(time.Now().Add(5 * time.Second))
	if _, err := io.WriteString(c, "GET / HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
		return nil, "", err
	}
	return readResponse(c)
}

// readResponse reads one response with its body, as far as either comes.
func readResponse(c net.Conn) (*http.Response, string, error) {
	_ = c.SetReadDeadline(time.Now().Add(5 * time.Second))
	resp, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		return nil, "", err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	return resp, string(body), err
}

func TestResponseFaults(t *testing.T) {
	f := start(t, nil, "127.0.74.1")
	for _, c := range []struct {
		kind  fakealb.FaultKind
		check func(resp *http.Response, body string, err error) bool
	}{
		{fakealb.FaultLinger, func(r *http.Response, _ string, err error) bool {
			return err == nil && r.StatusCode == 503 && r.Header.Get("Server") == "awselb/2.0"
		}},
		{fakealb.FaultStranger, func(r *http.Response, body string, err error) bool {
			return err == nil && r.StatusCode == 200 && r.Header.Get(fakealb.HeaderNode) == "" && strings.Contains(body, "another tenant")
		}},
		{fakealb.FaultCloseRequest, func(r *http.Response, _ string, err error) bool {
			return r == nil && errors.Is(err, io.ErrUnexpectedEOF)
		}},
		{fakealb.FaultResetRequest, func(r *http.Response, _ string, err error) bool { return r == nil && isReset(err) }},
		{fakealb.FaultTruncateBody, func(r *http.Response, body string, err error) bool {
			return r != nil && r.StatusCode == 200 && errors.Is(err, io.ErrUnexpectedEOF) && len(body) == int(r.ContentLength)/2
		}},
		{fakealb.FaultResetBody, func(r *http.Response, _ string, err error) bool {
			return r != nil && r.StatusCode == 200 && isReset(err)
		}},
	} {
		t.Run(string(c.kind), func(t *testing.T) {
			f.set(t, fakealb.FaultNone, f.nodes[0])
			conn := warmConn(t, f.at(0))
			f.set(t, c.kind, f.nodes[0])
			resp, body, err := getOn(conn)
			if !c.check(resp, body, err) {
				t.Errorf("got %+v, %q, %v", resp, body, err)
			}
			rows, err := f.Attempts(f.ctx)
			if last := rows[len(rows)-1]; err != nil || last.Fault != string(c.kind) && !last.End.IsZero() {
				t.Errorf("the row: %+v, %v", last, err)
			}
		})
	}
}

func TestShareHitsEverySecondRequest(t *testing.T) {
	f := start(t, nil, "127.0.74.3")
	_, err := f.PutFaults(f.ctx, fakealb.FaultRequest{
		Nodes:        f.nodes,
		FaultSetting: fakealb.FaultSetting{Kind: fakealb.FaultLinger, Share: 0.5},
	})
	if err != nil {
		t.Fatal(err)
	}
	c, err := net.Dial("tcp4", f.at(0))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	var got []int
	for range 6 {
		resp, _, err := getOn(c)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, resp.StatusCode)
	}
	if fmt.Sprint(got) != "[200 503 200 503 200 503]" {
		t.Errorf("got %v", got)
	}
}

func TestSlowFaults(t *testing.T) {
	f := start(t, nil, "127.0.74.9")
	for _, kind := range []fakealb.FaultKind{fakealb.FaultSlowAccept, fakealb.FaultSlowResponse} {
		_, err := f.PutFaults(f.ctx, fakealb.FaultRequest{
			Nodes: f.nodes, FaultSetting: fakealb.FaultSetting{Kind: kind, Delay: fakealb.Duration(150 * time.Millisecond)},
		})
		if err != nil {
			t.Fatal(err)
		}
		begin := time.Now()
		c := warmConn(t, f.at(0))
		first := time.Since(begin)
		begin = time.Now()
		if resp, _, err := getOn(c); err != nil || resp.StatusCode != 200 {
			t.Errorf("%s: got %+v, %v", kind, resp, err)
		}
		second := time.Since(begin)
		if late := 150 * time.Millisecond; first < late || (second >= late) != (kind == fakealb.FaultSlowResponse) {
			t.Errorf("%s: the first request of a connection took %s, the second %s", kind, first, second)
		}
	}
	held := warmConnPath(t, f.at(0), "/")
	eventually(t, "the third request of the slow response", func() bool { rows, err := f.Attempts(f.ctx); return err == nil && len(rows) == 5 })
	held.Close()
	eventually(t, "460 for the client that did not wait", func() bool {
		rows, err := f.Attempts(f.ctx)
		return err == nil && rows[4].Status == 460
	})
	_, err := f.SetFault(f.ctx, fakealb.FaultSlowAccept, f.nodes...)
	if e := apiErr(t, err); e.Field != "delay" {
		t.Errorf("without a delay: got %v", err)
	}
}

func TestGraceThenRefuse(t *testing.T) {
	f := start(t, nil, "127.0.74.4", "127.0.74.5")
	request := fakealb.FaultRequest{
		Nodes:        f.nodes,
		FaultSetting: fakealb.FaultSetting{Kind: fakealb.FaultRefuse, Grace: fakealb.Duration(100 * time.Millisecond)},
	}
	a, err := f.PutFaults(f.ctx, request)
	if err != nil || a.InForceAt.Sub(a.RequestedAt) != 100*time.Millisecond {
		t.Fatalf("got %+v, %v", a, err)
	}
	conn := warmConn(t, f.at(0)) // still served
	f.set(t, fakealb.FaultNone, f.nodes[1])
	if _, err := readWithin(conn, 5*time.Second); !isReset(err) {
		t.Errorf("after the grace: got %v, want a reset", err)
	}
	warmConn(t, f.at(1)) // its plan was replaced
	var actions []string
	events, err := f.History(f.ctx)
	for _, e := range events {
		if strings.HasSuffix(e.Action, "-fault") {
			actions = append(actions, e.Action+" "+e.Detail+" "+strings.Join(e.Subject, ","))
		}
	}
	want := "[plan-fault refuse grace=100ms 127.0.74.4,127.0.74.5 set-fault none 127.0.74.5 set-fault refuse 127.0.74.4]"
	if err != nil || fmt.Sprint(actions) != want {
		t.Errorf("the history: got %v, %v, want %s", actions, err, want)
	}
}

func TestTLSFaults(t *testing.T) {
	f := start(t, nil, "127.0.74.6")
	pem, err := f.CA(f.ctx)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(pem)
	handshake := func(kind fakealb.FaultKind) error {
		d := &net.Dialer{Timeout: 10 * time.Second}
		if kind == fakealb.FaultTLSHang {
			d.Timeout = 300 * time.Millisecond
		}
		c, err := tls.DialWithDialer(d, "tcp4", f.at(0), &tls.Config{RootCAs: pool, ServerName: "shop.example.test"})
		if err == nil {
			c.Close()
		}
		return err
	}
	var unknown x509.UnknownAuthorityError
	var name x509.HostnameError
	var invalid x509.CertificateInvalidError
	for kind, want := range map[fakealb.FaultKind]func(error) bool{
		fakealb.FaultTLSAlert:      func(err error) bool { return err != nil && err.Error() == "remote error: tls: handshake failure" },
		fakealb.FaultTLSHang:       isTimeout,
		fakealb.FaultTLSReset:      isReset,
		fakealb.FaultTLSWrongName:  func(err error) bool { return errors.As(err, &name) },
		fakealb.FaultTLSExpired:    func(err error) bool { return errors.As(err, &invalid) && invalid.Reason == x509.Expired },
		fakealb.FaultTLSSelfSigned: func(err error) bool { return errors.As(err, &unknown) },
		fakealb.FaultStranger:      func(err error) bool { return errors.As(err, &unknown) || errors.As(err, &name) },
		fakealb.FaultNone:          func(err error) bool { return err == nil },
	} {
		f.set(t, kind, f.nodes[0])
		if err := handshake(kind); !want(err) {
			t.Errorf("%s: got %v", kind, err)
		}
		if kind != fakealb.FaultStranger {
			warmConn(t, f.at(0)) // plain HTTP goes on
		}
	}
}

func TestOpenSSLSeesTheAlert(t *testing.T) {
	need(t, "openssl")
	f := start(t, nil, "127.0.74.7")
	f.set(t, fakealb.FaultTLSAlert, f.nodes[0])
	out, err := exec.Command("openssl", "s_client", "-connect", f.at(0)).CombinedOutput()
	if err == nil || !strings.Contains(string(out), "handshake failure") {
		t.Errorf("openssl s_client: %v\n%s", err, out)
	}
	eventually(t, "the row of the failed handshake", func() bool {
		rows, err := f.Connections(f.ctx)
		return err == nil && len(rows) == 1 && rows[0].HandshakeError == "fault tls-alert" && rows[0].ClosedBy == "fault"
	})
}

func TestHTTP2Faults(t *testing.T) {
	f := start(t, nil, "127.0.74.8")
	for _, kind := range []fakealb.FaultKind{fakealb.FaultCloseRequest, fakealb.FaultResetRequest, fakealb.FaultTruncateBody, fakealb.FaultResetBody} {
		f.set(t, kind, f.nodes[0])
		tr := tlsTransport(t, f)
		resp, err := (&http.Client{Transport: tr, Timeout: 5 * time.Second}).Post("https://"+f.at(0)+"/", "text/plain", strings.NewReader("x"))
		if err == nil {
			_, err = io.ReadAll(resp.Body)
			resp.Body.Close()
		}
		if err == nil || isTimeout(err) {
			t.Errorf("%s over HTTP/2: got %v, want the response cut off", kind, err)
		}
		tr.CloseIdleConnections()
	}
}
