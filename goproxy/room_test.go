package goproxy

import (
	"bufio"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// startAway holds an address at which connections are refused until back is called.
func startAway(t *testing.T, serve func(net.Conn)) (address string, back func()) {
	t.Helper()
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	f := os.NewFile(uintptr(fd), "away")
	t.Cleanup(func() { f.Close() })
	if err := syscall.Bind(fd, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		t.Fatal(err)
	}
	name, err := syscall.Getsockname(fd)
	if err != nil {
		t.Fatal(err)
	}
	at := net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: name.(*syscall.SockaddrInet4).Port}
	return at.String(), func() {
		if err := syscall.Listen(fd, 1024); err != nil {
			t.Error(err)
			return
		}
		l, err := net.FileListener(f)
		if err != nil {
			t.Error(err)
			return
		}
		t.Cleanup(func() { l.Close() })
		go func() {
			for {
				conn, err := l.Accept()
				if err != nil {
					return
				}
				t.Cleanup(func() { conn.Close() })
				go serve(conn)
			}
		}()
	}
}

// counting answers requests and counts them.
func counting(served *atomic.Int64) func(net.Conn) {
	return func(conn net.Conn) {
		for from := bufio.NewReader(conn); ; {
			req, err := http.ReadRequest(from)
			if err != nil {
				return
			}
			if _, err := io.Copy(io.Discard, req.Body); err != nil {
				return
			}
			served.Add(1)
			io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
		}
	}
}

// dialPatient is dialProxy with the patience for a proxy that makes its clients wait.
func dialPatient(t *testing.T, p *testProxy) *rawClient {
	t.Helper()
	c := dialProxy(t, p)
	c.SetDeadline(time.Now().Add(30 * time.Second))
	return c
}

// awayFor is longer than 16 tries take.
const awayFor = 4 * time.Second

// A request may be tried again for as long as most users wait.
func TestWindow(t *testing.T) {
	if got := (Upstream{}).withDefaults().Retries; got.Window != Duration(10*time.Second) || got.MaxWaiting != 5000 {
		t.Errorf("window %v, max_waiting %d", got.Window, got.MaxWaiting)
	}
}

// Requests of every method wait while no address can be reached, and are sent once when
// one can.
func TestRequestsWaitForAnAddress(t *testing.T) {
	t.Parallel()
	var served atomic.Int64
	one, back := startAway(t, counting(&served))
	other, _ := startAway(t, counting(&served))
	_, pair := newCA(t).issue(t, "backend", nil)
	var secure atomic.Bool // until then a handshake gets an alert
	refusing, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { refusing.Close() })
	cfg := &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
		if !secure.Load() {
			return nil, os.ErrPermission
		}
		return &pair, nil
	}}
	go func() {
		for {
			conn, err := refusing.Accept()
			if err != nil {
				return
			}
			t.Cleanup(func() { conn.Close() })
			go counting(&served)(tls.Server(conn, cfg))
		}
	}()
	for name, up := range map[string]Upstream{
		"refused": {Members: []Member{{URL: "http://" + one}, {URL: "http://" + other}}},
		"TLS":     {URL: "https://" + refusing.Addr().String(), TLS: UpstreamTLS{InsecureSkipVerify: true}},
	} {
		t.Run(name, func(t *testing.T) {
			served.Store(0)
			up.Retries.Window = Duration(30 * time.Second) // a machine can stand still for long
			p := startProxy(t, Config{DrainTimeout: Duration(2 * time.Second), Routes: []Route{{Upstream: "app"}}, Upstreams: map[string]Upstream{"app": up}}, nil)
			bodies := map[string]string{"GET": "", "POST": "x", "PUT": strings.Repeat("x", 2*bufferedRequest), "PATCH": ""}
			const each = 5
			var all sync.WaitGroup
			for method, body := range bodies {
				for range each {
					c := dialPatient(t, p)
					all.Go(func() {
						c.send("%s / HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n\r\n%s", method, len(body), body)
						if head := c.head(); !strings.HasPrefix(head, "HTTP/1.1 200 ") {
							t.Errorf("%s: got %q", method, head)
						}
					})
				}
			}
			time.Sleep(awayFor) // the condition
			if name == "TLS" {
				secure.Store(true)
			} else {
				back()
			}
			all.Wait()
			if n := served.Load(); n != int64(each*len(bodies)) {
				t.Errorf("%d requests were served, want %d", n, each*len(bodies))
			}
			if n := p.table.Load().upstreams["app"].room.inside.Load(); n != 0 {
				t.Errorf("%d requests still wait", n)
			}
		})
	}
}

// What finds no room fails at once, and takes no room.
func TestFullRoom(t *testing.T) {
	t.Parallel()
	address, back := startAway(t, counting(new(atomic.Int64)))
	p := startProxy(t, Config{
		DrainTimeout: Duration(2 * time.Second), Routes: []Route{{Upstream: "app"}},
		Upstreams: map[string]Upstream{"app": {URL: "http://" + address, Retries: Retries{MaxWaiting: 2, Window: Duration(30 * time.Second)}}},
	}, nil)
	room := &p.table.Load().upstreams["app"].room
	var waiting []*rawClient
	for range 2 {
		c := dialPatient(t, p)
		c.send(plainGET)
		waiting = append(waiting, c)
	}
	eventually(t, 5*time.Second, "two requests wait", func() bool { return room.inside.Load() == 2 })
	for range 3 {
		if status := rawRequest(t, p, plainGET).StatusCode; status != http.StatusBadGateway {
			t.Errorf("status %d, want 502", status)
		}
		if n := room.inside.Load(); n != 2 {
			t.Errorf("%d requests wait, want 2", n)
		}
	}
	gone := dialProxy(t, p) // who goes away leaves no room taken
	gone.send(plainGET)
	gone.reset()
	back()
	for _, c := range waiting {
		if head := c.head(); !strings.HasPrefix(head, "HTTP/1.1 200 ") {
			t.Errorf("one that waited got %q", head)
		}
	}
	eventually(t, 5*time.Second, "nobody waits", func() bool { return room.inside.Load() == 0 })
}

// However many wait, they try no more often together.
func TestTriesOfThoseThatWait(t *testing.T) {
	for inside, want := range map[int64]time.Duration{1: 50 * time.Millisecond, 100: 50 * time.Millisecond, 1000: 500 * time.Millisecond, 5000: 2500 * time.Millisecond} {
		r := &room{}
		r.inside.Store(inside)
		if got := r.pace(50 * time.Millisecond); got != want {
			t.Errorf("%d inside: a try in %v, want %v", inside, got, want)
		}
	}
}

// Those that have waited longest are let in first, whoever has left meanwhile: some by the
// first answer, and two more by each further one.
func TestTurnsOfThoseThatWait(t *testing.T) {
	r := &room{}
	const most = 100
	var places []*place
	for range most {
		p, ok := r.enter(most)
		if !ok {
			t.Fatal("there was no room")
		}
		r.watch(p)
		places = append(places, p)
	}
	if _, ok := r.enter(most); ok {
		t.Fatal("there was room for one more")
	}
	for _, p := range places[:40] { // the first ones go
		r.leave(p)
	}
	expect := func(what string, from, to int) {
		t.Helper()
		for i, p := range places[40:] {
			if i += 40; p.in != (i >= from && i < to) {
				t.Errorf("%s: the one at %d is in: %v, want those from %d to %d", what, i, p.in, from, to)
			}
		}
	}
	r.open()
	expect("first answer", 40, 40+admitFirst)
	r.open()
	expect("second", 40, 40+admitFirst+admitEach)
	r.leave(places[40]) // it was served
	r.watch(places[41]) // it failed, and is the next again
	expect("one failed", 42, 40+admitFirst+admitEach)
	r.open()
	expect("third", 41, 40+admitFirst+admitEach+1)
	for _, p := range places[41 : 40+admitFirst+admitEach+1] {
		r.leave(p)
	}
	r.open()
	expect("all that were in have gone", 40+admitFirst+admitEach+1, 40+2*admitFirst+admitEach+1)
	for range most {
		r.open()
	}
	if len(r.queue) > 0 {
		t.Errorf("%d are still in the queue", len(r.queue))
	}
}
