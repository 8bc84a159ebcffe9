package goproxy

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/net/http2"
)

// delayed is one direction of a connection on which bytes arrive a while after they were
// written, however many they are.
type delayed struct {
	delay time.Duration

	mu     sync.Mutex
	come   *sync.Cond
	parts  []part
	closed bool
}

// part is bytes that are on their way.
type part struct {
	data []byte
	due  time.Time
}

func newDelayed(delay time.Duration) *delayed {
	d := &delayed{delay: delay}
	d.come = sync.NewCond(&d.mu)
	return d
}

func (d *delayed) write(p []byte) (int, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return 0, net.ErrClosed
	}
	d.parts = append(d.parts, part{bytes.Clone(p), time.Now().Add(d.delay)})
	time.AfterFunc(d.delay, d.come.Broadcast)
	return len(p), nil
}

func (d *delayed) read(p []byte) (int, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for len(d.parts) == 0 || time.Now().Before(d.parts[0].due) {
		if d.closed {
			return 0, io.EOF
		}
		d.come.Wait()
	}
	first := &d.parts[0]
	n := copy(p, first.data)
	if first.data = first.data[n:]; len(first.data) == 0 {
		d.parts = d.parts[1:]
	}
	return n, nil
}

func (d *delayed) close() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.closed = true
	d.come.Broadcast()
}

// delayedConn is one end of a connection in this process.
type delayedConn struct{ in, out *delayed }

func (c *delayedConn) Read(p []byte) (int, error)  { return c.in.read(p) }
func (c *delayedConn) Write(p []byte) (int, error) { return c.out.write(p) }
func (c *delayedConn) Close() error {
	c.in.close()
	c.out.close()
	return nil
}
func (c *delayedConn) LocalAddr() net.Addr              { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 1} }
func (c *delayedConn) RemoteAddr() net.Addr             { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 2} }
func (c *delayedConn) SetDeadline(time.Time) error      { return nil }
func (c *delayedConn) SetReadDeadline(time.Time) error  { return nil }
func (c *delayedConn) SetWriteDeadline(time.Time) error { return nil }

// distant is an HTTP/2 server that is a round trip away, and the connection to it as an
// upstream's is. It answers with bytes without end, and counts what it has sent.
type distant struct {
	conn *http.ClientConn
	sent atomic.Int64
	read atomic.Int64
}

func startDistant(t *testing.T, roundTrip time.Duration) *distant {
	t.Helper()
	d := &distant{}
	there, back := newDelayed(roundTrip/2), newDelayed(roundTrip/2)
	server := &delayedConn{in: there, out: back}
	go (&http2.Server{}).ServeConn(server, &http2.ServeConnOpts{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		for p := make([]byte, 16<<10); ; {
			n, err := w.Write(p)
			d.sent.Add(int64(n))
			if err != nil {
				return
			}
		}
	})})
	transport := newH2ClientTransport(func(context.Context) (net.Conn, error) { return &delayedConn{in: back, out: there}, nil })
	var err error
	if d.conn, err = transport.NewClientConn(t.Context(), "http", "distant.test:80"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		d.conn.Close()
		server.Close()
	})
	return d
}

// take begins a response and takes n bytes of it.
func (d *distant) take(t *testing.T, n int64) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://distant.test/", nil)
	if err != nil {
		t.Error(err)
		return
	}
	resp, err := d.conn.RoundTrip(req)
	if err != nil {
		t.Error(err)
		return
	}
	t.Cleanup(func() { resp.Body.Close() })
	took, err := io.CopyN(io.Discard, resp.Body, n)
	d.read.Add(took)
	if err != nil {
		t.Error(err)
	}
}

// One stream to a distant upstream is not bound to 256 KiB in each round trip.
func TestWindowOfADistantHTTP2Upstream(t *testing.T) {
	for _, roundTrip := range []time.Duration{time.Millisecond, 20 * time.Millisecond, 80 * time.Millisecond, 300 * time.Millisecond} {
		synctest.Test(t, func(t *testing.T) {
			d := startDistant(t, roundTrip)
			const size = 64 << 20
			start := time.Now()
			d.take(t, size)
			took := time.Since(start)
			t.Logf("%v: %.1f MB/s", roundTrip, size/took.Seconds()/1e6)
			// The windows of the first round trips add up to 4 MiB, and each further one is that.
			if most := roundTrip * (size/h2MostAhead + 8); took > most {
				t.Errorf("%v of %v for 64 MiB, want at most %v", took, roundTrip, most)
			}
		})
	}
}

// What is kept for clients that take nothing more is bounded, whatever they took before.
func TestWindowsAreBounded(t *testing.T) {
	const streams = 40
	for name, test := range map[string]struct {
		first int64 // bytes that each client takes
		most  int64 // that may be kept for all
	}{
		"nothing taken": {0, streams * h2Ahead},
		"much taken":    {16 << 20, streams*h2Ahead + h2Growth},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := startDistant(t, 80*time.Millisecond)
				var all sync.WaitGroup
				for range streams {
					all.Go(func() { d.take(t, test.first) })
				}
				all.Wait()
				time.Sleep(time.Minute) // until the upstream can send no more
				// What a handler has written may wait in its server's buffer.
				kept, own := d.sent.Load()-d.read.Load(), int64(streams*32<<10)
				if kept > test.most+own {
					t.Errorf("%d KiB are kept for %d streams, want at most %d", kept>>10, streams, (test.most+own)>>10)
				}
				t.Logf("%d KiB", kept>>10)
			})
		})
	}
}

// A stream that is slow for another reason than its window keeps it, and what one has grown
// by is there for others after it.
func TestWindowGrowsOnlyIfItHoldsUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newH2WindowConn(nil)
		c.rtt = 80 * time.Millisecond
		c.open(1)
		for range 1000 { // 100 KB in each round trip
			time.Sleep(8 * time.Millisecond)
			if more := c.grow(1, 10_000); more > 0 {
				t.Fatalf("a slow stream grows by %d", more)
			}
		}
		time.Sleep(time.Hour)
		if more := c.grow(1, h2Ahead); more > 0 {
			t.Errorf("a stream that paused grows by %d", more)
		}
		grown := 0
		for stream := uint32(3); c.left > 0 && grown < 100; stream += 2 {
			c.open(stream)
			for range 10 { // round trips, in each of which its client takes all there is
				time.Sleep(80 * time.Millisecond)
				c.grow(stream, uint32(c.streams[stream].size))
			}
			grown++
		}
		if most := h2Growth/(h2MostAhead-h2Ahead) + 1; grown != most {
			t.Errorf("%d streams have grown, want %d", grown, most)
		}
		for stream := range c.streams {
			c.forget(stream)
			c.forget(stream)
		}
		c.open(3) // a trailer that comes late
		if c.left != h2Growth || len(c.streams) > 0 {
			t.Errorf("%d of %d left, and %d streams, when all are over", c.left, h2Growth, len(c.streams))
		}
	})
}

// Frames are passed on as they are, in whatever parts they come, but for the windows.
func TestWindowConnPassesFrames(t *testing.T) {
	var frames bytes.Buffer
	frames.WriteString(http2.ClientPreface)
	f := http2.NewFramer(&frames, nil)
	f.WriteSettings(http2.Setting{ID: http2.SettingEnablePush, Val: 0}, http2.Setting{ID: http2.SettingInitialWindowSize, Val: h2MostAhead}, http2.Setting{ID: http2.SettingMaxFrameSize, Val: 16 << 10})
	at := len(http2.ClientPreface) + h2FrameHeader + h2Setting + 2 // where the size of windows is
	f.WriteWindowUpdate(0, 1<<30)
	f.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: []byte("fields"), EndHeaders: true, PadLength: 7})
	f.WriteData(1, false, bytes.Repeat([]byte("data"), 5000))
	f.WriteData(1, true, nil)
	f.WriteSettingsAck()
	f.WriteWindowUpdate(1, 4096)
	f.WritePing(false, [8]byte{1})
	f.WriteRSTStream(1, http2.ErrCodeCancel)
	f.WriteWindowUpdate(1, 4096)
	f.WriteGoAway(0, http2.ErrCodeNo, []byte("bye"))
	want := bytes.Clone(frames.Bytes())
	binary.BigEndian.PutUint32(want[at:], h2Ahead)
	for _, size := range []int{1, 2, 3, 5, 8, 9, 10, 13, 100, 4096, frames.Len()} {
		c := newH2WindowConn(nil)
		var got []byte
		for p := range slices.Chunk(frames.Bytes(), size) {
			got = append(got, c.edit(p)...)
		}
		if !bytes.Equal(got, want) || len(c.streams) > 0 {
			t.Errorf("in parts of %d: %d bytes, want %d; %d streams", size, len(got), len(want), len(c.streams))
		}
	}
}

// What is read ends streams, in whatever parts it comes.
func TestWindowConnReadsFrames(t *testing.T) {
	var frames bytes.Buffer
	f := http2.NewFramer(&frames, nil)
	f.WriteSettings()
	f.WriteSettingsAck()
	f.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: []byte("fields"), EndHeaders: true})
	f.WriteData(1, false, bytes.Repeat([]byte{0}, 5000))
	f.WriteData(3, true, bytes.Repeat([]byte{1}, 5000))
	f.WriteHeaders(http2.HeadersFrameParam{StreamID: 5, BlockFragment: []byte("fields"), EndHeaders: true, EndStream: true})
	f.WriteRSTStream(7, http2.ErrCodeCancel)
	for _, size := range []int{1, 2, 3, 5, 8, 9, 10, 13, 100, 4096, frames.Len()} {
		c := newH2WindowConn(nil)
		for stream := uint32(1); stream <= 9; stream += 2 {
			c.open(stream)
		}
		for p := range slices.Chunk(frames.Bytes(), size) {
			c.read.scan(p, c.received)
		}
		if _, first := c.streams[1]; len(c.streams) != 2 || !first || c.rtt == 0 {
			t.Errorf("in parts of %d: streams %v, round trip %v", size, c.streams, c.rtt)
		}
	}
}

// BenchmarkDistantHTTP2Upstream is one stream of 32 MiB through the proxy, from an upstream
// at a distance.
func BenchmarkDistantHTTP2Upstream(b *testing.B) {
	const size = 32 << 20
	protocols := &http.Protocols{}
	protocols.SetUnencryptedHTTP2(true)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	server := &http.Server{Protocols: protocols, Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.Write(make([]byte, size)) })}
	go server.Serve(l)
	defer server.Close()
	for _, roundTrip := range []time.Duration{0, 20 * time.Millisecond, 80 * time.Millisecond} {
		b.Run(fmt.Sprint(roundTrip), func(b *testing.B) {
			p, err := New(Config{
				AccessLog: "off", Routes: []Route{{Upstream: "h2"}},
				Upstreams: map[string]Upstream{"h2": {URL: "http://" + relay(b, l.Addr().String(), roundTrip/2), Protocol: protocolH2C}},
			}, Options{Listen: "127.0.0.1:0"})
			if err != nil {
				b.Fatal(err)
			}
			ctx, stop := context.WithCancel(context.Background())
			ran := make(chan error, 1)
			go func() { ran <- p.Run(ctx) }()
			defer func() { stop(); <-ran }()
			b.SetBytes(size)
			for b.Loop() {
				resp, err := http.Get("http://" + p.Addr().String() + "/")
				if err != nil {
					b.Fatal(err)
				}
				if n, err := io.Copy(io.Discard, resp.Body); err != nil || n != size {
					b.Fatal(n, err)
				}
				resp.Body.Close()
			}
		})
	}
}

// relay passes connections on to an address, each byte after a delay.
func relay(b *testing.B, to string, delay time.Duration) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { l.Close() })
	pass := func(to, from net.Conn) {
		on := newDelayed(delay)
		go func() {
			io.Copy(writerFunc(on.write), from)
			on.close()
		}()
		io.Copy(to, readerFunc(on.read))
		to.Close()
	}
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			far, err := net.Dial("tcp", to)
			if err != nil {
				conn.Close()
				return
			}
			go pass(far, conn)
			go pass(conn, far)
		}
	}()
	return l.Addr().String()
}

type (
	writerFunc func(p []byte) (int, error)
	readerFunc func(p []byte) (int, error)
)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }
func (f readerFunc) Read(p []byte) (int, error)  { return f(p) }
