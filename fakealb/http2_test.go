package fakealb_test

import (
	"fmt"
	"net"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/http2"

	"github.com/proxychaos/proxychaos/fakealb"
	"github.com/proxychaos/proxychaos/fakealb/targets"
)

func TestHTTP2Settings(t *testing.T) {
	t.Attr("aws-fact", "2.1.4")
	t.Attr("aws-fact", "2.1.5")
	f := start(t, nil, "127.0.80.30")
	c := dialFrames(t, f.at(0))
	settings := c.until("SETTINGS", func(f http2.Frame) bool { s, ok := f.(*http2.SettingsFrame); return ok && !s.IsAck() }).(*http2.SettingsFrame)
	for id, want := range map[http2.SettingID]uint32{
		http2.SettingMaxConcurrentStreams: 128, http2.SettingInitialWindowSize: 65536, http2.SettingMaxFrameSize: 16777215,
	} {
		if got, ok := settings.Value(id); !ok || got != want {
			t.Errorf("%s: got %d, want %d", id, got, want)
		}
	}
	if push, ok := settings.Value(http2.SettingEnablePush); ok && push != 0 {
		t.Errorf("got push enabled")
	}
	update := c.until("WINDOW_UPDATE", func(f http2.Frame) bool { _, ok := f.(*http2.WindowUpdateFrame); return ok }).(*http2.WindowUpdateFrame)
	if update.StreamID != 0 || update.Increment != 8388352 {
		t.Errorf("got %v, want one of the connection by 8388352", update)
	}
}

func TestHTTP2TakesNoMoreThan128Streams(t *testing.T) {
	t.Attr("aws-fact", "2.1.4")
	f := start(t, nil, "127.0.80.31")
	c := dialFrames(t, f.at(0))
	c.until("the acknowledgement of SETTINGS", func(f http2.Frame) bool { s, ok := f.(*http2.SettingsFrame); return ok && s.IsAck() })
	for range 128 {
		c.request(true)
	}
	eventually(t, "128 requests at the node", func() bool { rows, err := f.Attempts(f.ctx); return err == nil && len(rows) == 128 })
	over := c.request(true)
	reset := c.until("the reset of stream 129", func(f http2.Frame) bool { _, ok := f.(*http2.RSTStreamFrame); return ok }).(*http2.RSTStreamFrame)
	if reset.StreamID != over {
		t.Errorf("got %v, want stream %d reset", reset, over)
	}
}

// h2load uses one connection until it gets GOAWAY.
func TestHTTP2ConnectionEndsAfter10000Requests(t *testing.T) {
	t.Attr("aws-fact", "2.1.4")
	need(t, "h2load")
	t.Attr("aws-fact", "2.4.1")
	l := &logBuffer{}
	f := start(t, func(c *fakealb.Config) { c.AccessLog = l }, "127.0.80.32")
	out, err := command("h2load", "-n", "10500", "-c", "1", "-m", "50", "https://"+f.at(0)+"/")
	if err != nil {
		t.Fatalf("h2load: %v\n%s", err, out)
	}
	eventually(t, "the row of the first connection, with 10,000 requests and those under way", func() bool {
		rows, err := f.Connections(f.ctx)
		return err == nil && len(rows) > 0 && rows[0].Requests >= 10_000 && rows[0].Requests < 10_000+128
	})
	// A client that sends one request at a time loses none.
	c := dialFrames(t, f.at(0))
	for n := 1; n < 10_000; n++ {
		c.until(fmt.Sprint("response ", n), ends(c.request(false)))
	}
	last := c.request(false)
	served := false
	away := c.until("GOAWAY", func(frame http2.Frame) bool {
		served = served || ends(last)(frame)
		return isGoAway(frame)
	}).(*http2.GoAwayFrame)
	if away.ErrCode != http2.ErrCodeNo || away.LastStreamID != last {
		t.Errorf("got %v, want no error and stream %d as the last", away, last)
	}
	if !served {
		c.until("the last response", ends(last))
	}
	c.closes()
	eventually(t, "the row of the connection that the node ended", func() bool {
		rows, err := f.Connections(f.ctx)
		last := rows[len(rows)-1]
		return err == nil && last.Requests == 10_000 && last.How == "request-limit" && last.ClosedBy == "node"
	})
	eventually(t, "000 as the last line of the access log", func() bool {
		lines := strings.Split(l.String(), "\n")
		fields := strings.Fields(lines[max(0, len(lines)-2)])
		return len(fields) > 9 && fields[0] == "h2" && fields[8] == "000" && fields[9] == "-"
	})
}

func TestClientKeepAliveEndsConnections(t *testing.T) {
	t.Attr("aws-fact", "2.1.2")
	attributes := func(keepAlive int) fakealb.LoadBalancer {
		return fakealb.LoadBalancer{Name: "blue", Targets: 1, Attributes: fakealb.Attributes{ClientKeepAliveSeconds: keepAlive, IdleTimeoutSeconds: 4000}}
	}
	f := start(t, func(c *fakealb.Config) {
		c.TimeScale, c.LoadBalancers = 20, []fakealb.LoadBalancer{attributes(60)} // 3 s
	}, "127.0.80.33")
	begin := time.Now()
	h1, err := net.Dial("tcp4", f.at(0))
	if err != nil {
		t.Fatal(err)
	}
	defer h1.Close()
	h2 := dialFrames(t, f.at(0))
	// What is put later is for later connections.
	if _, err := f.PutLoadBalancer(f.ctx, attributes(604800)); err != nil {
		t.Fatal(err)
	}
	later, err := net.Dial("tcp4", f.at(0))
	if err != nil {
		t.Fatal(err)
	}
	defer later.Close()
	resp, _, err := getOn(h1)
	if err != nil {
		t.Fatal(err)
	}
	if resp.Close {
		t.Error("HTTP/1.1: got Connection: close before the end of the keep-alive")
	}
	h2.until("the first response", ends(h2.request(false)))
	if took := time.Since(begin); took > 3*time.Second {
		t.Fatalf("the first requests took %s, want less than the keep-alive of 3 s", took)
	}
	time.Sleep(3100 * time.Millisecond) // the delay is the condition
	if resp, _, err := getOn(h1); err != nil || resp.StatusCode != 200 || !resp.Close {
		t.Errorf("HTTP/1.1 after it: got %v, %v, want 200 with Connection: close", resp, err)
	}
	if resp, _, err := getOn(later); err != nil || resp.Close {
		t.Errorf("a connection with a longer one: got %v, %v", resp, err)
	}
	last, served := h2.request(false), false
	away := h2.until("GOAWAY", func(frame http2.Frame) bool {
		served = served || ends(last)(frame)
		return isGoAway(frame)
	}).(*http2.GoAwayFrame)
	if !served {
		h2.until("the response to the one more request", ends(last))
	}
	if away.ErrCode != http2.ErrCodeNo {
		t.Errorf("got %v, want no error", away)
	}
	h2.closes()
	eventually(t, "two connections ended for the keep-alive", func() bool {
		rows, err := f.Connections(f.ctx)
		return err == nil && rows[0].How == "keep-alive-limit" && rows[1].How == "keep-alive-limit"
	})
}

// idleFor500ms leaves 5 s for the TLS handshake, which has to be over before the idle
// timeout can be seen.
func idleFor500ms(c *fakealb.Config) {
	c.TimeScale = 2
	c.LoadBalancers[0].Attributes.IdleTimeoutSeconds = 1
}

func TestPingDoesNotKeepAnIdleConnection(t *testing.T) {
	t.Attr("aws-fact", "2.1.1")
	f := start(t, idleFor500ms, "127.0.80.34")
	c := dialFrames(t, f.at(0))
	begin := time.Now()
	c.until("a response", ends(c.request(false)))
	pings := 0
	_ = c.WritePing(false, [8]byte{})
	c.until("GOAWAY", func(frame http2.Frame) bool {
		if isGoAway(frame) {
			return true
		}
		time.Sleep(20 * time.Millisecond)
		pings++
		_ = c.WritePing(false, [8]byte{byte(pings)})
		return false
	})
	if took := time.Since(begin); pings < 2 || took < 500*time.Millisecond || took > 5*time.Second {
		t.Errorf("%d PINGs, GOAWAY after %s, want it 500 ms after the response", pings, took)
	}
	eventually(t, "the row of the idle connection", func() bool {
		rows, err := f.Connections(f.ctx)
		return err == nil && rows[0].How == "idle-timeout" && rows[0].ClosedBy == "node"
	})
}

func TestStalledUploadOverHTTP2Ends(t *testing.T) {
	t.Attr("aws-fact", "2.1.1")
	f := start(t, idleFor500ms, "127.0.80.35")
	c := dialFrames(t, f.at(0))
	begin := time.Now()
	id := c.request(true)
	_ = c.WriteData(id, false, []byte("half"))
	for {
		if _, err := c.ReadFrame(); err != nil {
			break
		}
	}
	if took := time.Since(begin); took < 500*time.Millisecond || took > 5*time.Second {
		t.Errorf("ended after %s, want 500 ms after what came last", took)
	}
	eventually(t, "the row of the stalled connection", func() bool {
		rows, err := f.Connections(f.ctx)
		return err == nil && rows[0].How == "idle-timeout"
	})
}

// A client that announced the length of its body gets the answer after it, not one
// that is followed by a reset, which curl takes for a failure (error 92).
func TestAnswerAwaitsAnAnnouncedBody(t *testing.T) {
	f := start(t, func(c *fakealb.Config) {
		c.LoadBalancers = []fakealb.LoadBalancer{{Name: "blue", TargetGroup: &targets.Group{}}}
	}, "127.0.80.38")
	c := dialFrames(t, f.at(0))
	id := c.request(true, "content-length", "1", "content-type", "application/grpc")
	time.Sleep(500 * time.Millisecond) // the delay is the condition
	if err := c.WriteData(id, true, []byte("x")); err != nil {
		t.Fatal(err)
	}
	c.until("the end of the answer", ends(id))
	// What was sent to the stream before the answer to a PING is there as well.
	if err := c.WritePing(false, [8]byte{1}); err != nil {
		t.Fatal(err)
	}
	c.until("the answer to a PING", func(frame http2.Frame) bool {
		if reset, ok := frame.(*http2.RSTStreamFrame); ok {
			t.Errorf("got %v after the answer, want none", reset)
		}
		p, ok := frame.(*http2.PingFrame)
		return ok && p.IsAck()
	})
}

func TestRequestLimitsOverHTTP2(t *testing.T) {
	t.Attr("aws-fact", "2.1.3")
	f := start(t, nil, "127.0.80.36")
	long := strings.Repeat("0", 16<<10)
	for _, c := range []struct {
		args []string
		path string
		want string
	}{
		{[]string{"-H", "x: " + long[:16_000]}, "", "200"},
		{[]string{"-H", "x: " + long}, "", "400"},
		{nil, long, "414"},
		{[]string{"-X", "TRACE"}, "", "405"},
	} {
		got := curl(t, append(c.args, "-k", "--http2", "-o", "/dev/null", "-w", "%{http_code} %{http_version}", "https://"+f.at(0)+"/"+c.path)...)
		if got != c.want+" 2" {
			t.Errorf("%.60s: got %s, want %s over HTTP/2", strings.Join(c.args, " "), got, c.want)
		}
	}
	var many []string // 75,000 bytes, more than curl sends
	for n := range 5 {
		many = append(many, fmt.Sprint("x-", n), long[:15_000])
	}
	c := dialFrames(t, f.at(0))
	id := c.request(false, many...)
	head := c.until("the response", func(frame http2.Frame) bool {
		_, ok := frame.(*http2.MetaHeadersFrame)
		return ok && frame.Header().StreamID == id
	}).(*http2.MetaHeadersFrame)
	if got := head.PseudoValue("status"); got != "400" {
		t.Errorf("75,000 bytes of headers: got %s, want 400", got)
	}
}

func TestH2loadDrivesManyConnections(t *testing.T) {
	need(t, "h2load")
	f := start(t, nil, "127.0.80.37")
	out, err := command("h2load", "-n", "2000", "-c", "10", "-m", "20", "https://"+f.at(0)+"/")
	if err != nil || !regexp.MustCompile(`2000 succeeded, 0 failed, 0 errored, 0 timeout`).MatchString(out) {
		t.Fatalf("h2load: %v\n%s", err, out)
	}
	rows := f.finished(t, 2000)
	for _, r := range rows {
		if r.Status != http.StatusOK || r.Proto != "HTTP/2.0" {
			t.Fatalf("got %+v", r)
		}
	}
}
