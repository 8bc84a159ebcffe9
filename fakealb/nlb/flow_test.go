package nlb

import (
	"errors"
	"io"
	"net"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/proxychaos/proxychaos/fakealb/netfault"
)

// pair is a connection of this test's with the flow's end of it.
func pair(t *testing.T) (ours *net.TCPConn, flows Conn) {
	t.Helper()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	dialer := net.Dialer{KeepAlive: -1}
	c, err := dialer.Dial("tcp4", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	accepted, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	tcp := accepted.(*net.TCPConn)
	_ = tcp.SetKeepAlive(false)
	return c.(*net.TCPConn), targetConn{tcp}
}

// running is a flow between two connections of the test's.
type running struct {
	*flow
	client, target *net.TCPConn

	mu     sync.Mutex
	resets []Party
}

func runFlow(t *testing.T, idle time.Duration) *running {
	t.Helper()
	r := &running{}
	var c, d Conn
	r.client, c = pair(t)
	r.target, d = pair(t)
	r.flow = newFlow(newSide(ByClient, c, c), newSide(ByTarget, d, d), idle, func(p Party) {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.resets = append(r.resets, p)
	})
	go r.run()
	t.Cleanup(func() {
		r.client.Close()
		r.target.Close()
		r.cut(RST)
		await(t, "the end of the flow", r.over)
	})
	return r
}

func await(t *testing.T, what string, done <-chan struct{}) {
	t.Helper()
	select {
	case <-done:
	case <-time.After(10 * time.Second):
		t.Fatalf("not seen within 10 s: %s", what)
	}
}

func (r *running) counted() []Party {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]Party(nil), r.resets...)
}

// silent fails the test if c has anything to read: data, FIN or RST.
func silent(t *testing.T, who string, c *net.TCPConn) {
	t.Helper()
	_ = c.SetReadDeadline(time.Now().Add(50 * time.Millisecond))
	var timeout net.Error
	if n, err := c.Read(make([]byte, 1)); !errors.As(err, &timeout) || !timeout.Timeout() {
		t.Errorf("%s: got %d bytes, %v, want nothing", who, n, err)
	}
	_ = c.SetReadDeadline(time.Time{})
}

func wantReset(t *testing.T, who string, c *net.TCPConn) {
	t.Helper()
	_ = c.SetReadDeadline(time.Now().Add(10 * time.Second))
	if _, err := c.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("%s: got %v, want RST", who, err)
	}
}

func say(t *testing.T, c io.Writer, text string) {
	t.Helper()
	if _, err := io.WriteString(c, text); err != nil {
		t.Fatal(err)
	}
}

func hear(t *testing.T, c *net.TCPConn, want string) {
	t.Helper()
	_ = c.SetReadDeadline(time.Now().Add(10 * time.Second))
	got := make([]byte, len(want))
	if _, err := io.ReadFull(c, got); err != nil || string(got) != want {
		t.Fatalf("got %q, %v, want %q", got, err, want)
	}
}

func TestFlowPassesBytesAndEnds(t *testing.T) {
	r := runFlow(t, time.Hour)
	say(t, r.client, "ask")
	hear(t, r.target, "ask")
	if err := r.client.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if _, err := r.target.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
		t.Errorf("the target after the client's FIN: got %v, want FIN", err)
	}
	say(t, r.target, "answer") // the other direction is open still
	hear(t, r.client, "answer")
	r.target.Close()
	await(t, "the end", r.over)
	if got := r.result(); got != (End{ByClient, FIN}) {
		t.Errorf("got %v, want the client's FIN, which came first", got)
	}
}

func TestFlowPassesResetsOn(t *testing.T) {
	for _, by := range []Party{ByClient, ByTarget} {
		t.Run(string(by), func(t *testing.T) {
			r := runFlow(t, time.Hour)
			from, to := r.client, r.target
			if by == ByTarget {
				from, to = to, from
			}
			say(t, from, "x")
			hear(t, to, "x")
			_ = from.SetLinger(0)
			from.Close()
			wantReset(t, "the other side", to)
			await(t, "the end", r.over)
			if got := r.result(); got != (End{by, RST}) {
				t.Errorf("got %v, want RST by the %s", got, by)
			}
			if got := r.counted(); len(got) != 1 || got[0] != by {
				t.Errorf("counted resets by %v, want one by the %s", got, by)
			}
		})
	}
}

// What a target sent before it reset the connection arrives before the RST.
func TestResetDoesNotOvertakeData(t *testing.T) {
	r := runFlow(t, time.Hour)
	const size = 1 << 20 // more than the client's kernel takes before the client reads
	sent := make(chan struct{})
	go func() {
		defer close(sent)
		if _, err := r.target.Write(make([]byte, size)); err != nil {
			t.Error(err)
		}
		netfault.AwaitSent(r.target, 10*time.Second)
		_ = r.target.SetLinger(0)
		r.target.Close()
	}()
	select { // until the flow has it, unless the flow waits for the client to read
	case <-r.ended:
	case <-time.After(200 * time.Millisecond):
	}
	_ = r.client.SetReadDeadline(time.Now().Add(10 * time.Second))
	n, err := io.Copy(io.Discard, r.client)
	if n != size || !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("got %d bytes, %v, want %d and RST", n, err, size)
	}
	<-sent
}

// On expiry nothing is sent. The next packet of either side gets RST (4.2 D).
func TestIdleFlowIsForgottenSilently(t *testing.T) {
	t.Attr("aws-fact", "4.2")
	r := runFlow(t, 100*time.Millisecond)
	begin := time.Now()
	await(t, "the end of the idle timeout", r.ended)
	if took := time.Since(begin); took < 95*time.Millisecond {
		t.Errorf("forgotten after %s, want 100 ms", took)
	}
	silent(t, "client", r.client)
	silent(t, "target", r.target)
	say(t, r.client, "late")
	wantReset(t, "client", r.client)
	silent(t, "target, which the client's packet does not concern", r.target)
	say(t, r.target, "late too")
	wantReset(t, "target", r.target)
	await(t, "nothing left", r.over)
	if got := r.result(); got != (End{ByBalancer, Idle}) {
		t.Errorf("got %v, want the idle timeout", got)
	}
	if got := r.counted(); len(got) != 2 || got[0] != ByBalancer || got[1] != ByBalancer {
		t.Errorf("counted resets by %v, want two by the load balancer", got)
	}
}

func TestFINToForgottenFlowGetsReset(t *testing.T) {
	t.Attr("aws-fact", "4.2")
	r := runFlow(t, 50*time.Millisecond)
	await(t, "the end of the idle timeout", r.ended)
	if err := r.client.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	wantReset(t, "client", r.client)
}

func TestDataBeginsTheIdleTimeoutAnew(t *testing.T) {
	t.Attr("aws-fact", "4.2")
	r := runFlow(t, time.Second)
	begin := time.Now()
	for time.Since(begin) < 1500*time.Millisecond {
		say(t, r.target, "x")
		hear(t, r.client, "x")
		time.Sleep(20 * time.Millisecond) // the condition: a target that sends now and then
	}
	last := time.Now()
	await(t, "the end of the idle timeout", r.ended)
	if took := time.Since(last); took < 950*time.Millisecond {
		t.Errorf("forgotten %s after the last packet, want 1 s", took)
	}
}

// TCP keepalives begin the idle timeout anew (4.2 D), and to a forgotten flow
// they are packets that get RST.
func TestKeepalivesAreSeen(t *testing.T) {
	t.Attr("aws-fact", "4.2")
	r := runFlow(t, 1500*time.Millisecond)
	if err := r.client.SetKeepAliveConfig(net.KeepAliveConfig{Enable: true, Idle: time.Second, Interval: time.Second, Count: 3}); err != nil {
		t.Fatal(err)
	}
	select {
	case <-r.ended:
		t.Fatal("forgotten, in spite of the client's keepalives")
	case <-time.After(3 * time.Second): // twice the idle timeout
	}
	_ = r.client.SetKeepAlive(false)
	await(t, "the end of the idle timeout", r.ended)
	if err := r.client.SetKeepAlive(true); err != nil {
		t.Fatal(err)
	}
	wantReset(t, "client, for its keepalive", r.client)
}

func TestCutResetsBoth(t *testing.T) {
	r := runFlow(t, time.Hour)
	r.cut(Unhealthy)
	wantReset(t, "client", r.client)
	wantReset(t, "target", r.target)
	await(t, "nothing left", r.over)
	if got := r.result(); got != (End{ByBalancer, Unhealthy}) {
		t.Errorf("got %v, want an unhealthy target", got)
	}
	if got := r.counted(); len(got) != 1 || got[0] != ByBalancer {
		t.Errorf("counted resets by %v, want one by the load balancer", got)
	}
}

func TestResetThatAWriteSawIsNoFIN(t *testing.T) {
	ours, flows := pair(t)
	_ = ours.SetLinger(0)
	ours.Close()
	deadline := time.Now().Add(10 * time.Second)
	for !wasReset(flows) {
		if time.Now().After(deadline) {
			t.Fatalf("the kernel's state of a connection that was reset: got %d, want %d", tcpInfo(flows).State, 7)
		}
		time.Sleep(time.Millisecond)
	}
	if _, err := flows.Write([]byte("x")); err == nil {
		t.Error("a write to a connection that was reset succeeded")
	}
	open, end := pair(t)
	open.Close()
	if _, err := end.Read(make([]byte, 1)); !errors.Is(err, io.EOF) || wasReset(end) {
		t.Errorf("after FIN: got %v, reset %t", err, wasReset(end))
	}
}
