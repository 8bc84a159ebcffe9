package goproxy

import (
	"encoding/binary"
	"net"
	"sync"
	"time"

	"golang.org/x/net/http2"
)

// How much an HTTP/2 upstream may send ahead of the client is the window of a stream, and
// a stream gets no more than one window in each round trip: 256 KiB are 3 MB/s over 80 ms.
// What net/http allows by itself, 4 MiB, one connection of a client could have kept for
// each of its 250 streams, by taking nothing.
//
// So a stream begins with h2Ahead. Its window doubles, up to h2MostAhead, when its client
// has taken half of it within a round trip: then the window is what holds it up. All
// streams of a connection together may have h2Growth more than they began with. A client
// that takes nothing has h2Ahead for each stream.
const (
	h2Ahead     = 256 << 10
	h2MostAhead = 4 << 20
	h2Growth    = 16 << 20
)

// h2WindowConn is a connection to an HTTP/2 upstream, as net/http writes and reads it.
// net/http has one size for all windows, h2MostAhead. The upstream is told of h2Ahead, and
// what a window grows by is added to what net/http gives back of it.
type h2WindowConn struct {
	net.Conn
	skip int    // bytes to write before the next frame's header
	held []byte // what has come of a frame that is not passed on in parts
	out  []byte
	read h2Frames

	mu      sync.Mutex
	asked   time.Time     // when the settings were sent
	rtt     time.Duration // until they were acknowledged; 0 before
	last    uint32        // the newest stream
	streams map[uint32]h2Window
	left    int64 // of h2Growth
}

// h2Window is the window of one stream.
type h2Window struct {
	size  int64
	taken int64     // by the client
	since time.Time // then
}

func newH2WindowConn(conn net.Conn) *h2WindowConn {
	return &h2WindowConn{Conn: conn, skip: len(http2.ClientPreface), streams: map[uint32]h2Window{}, left: h2Growth}
}

// Read implements net.Conn.
func (c *h2WindowConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.read.scan(p[:n], c.received)
	return n, err
}

// received takes in the header of a frame that came.
func (c *h2WindowConn) received(header []byte) {
	flags := http2.Flags(header[4])
	switch http2.FrameType(header[3]) {
	case http2.FrameSettings:
		c.mu.Lock()
		if flags.Has(http2.FlagSettingsAck) && c.rtt == 0 {
			c.rtt = max(1, time.Since(c.asked))
		}
		c.mu.Unlock()
	case http2.FrameData, http2.FrameHeaders:
		if flags.Has(http2.FlagDataEndStream) {
			c.forget(h2StreamOf(header))
		}
	case http2.FrameRSTStream:
		c.forget(h2StreamOf(header))
	}
}

// Write implements net.Conn.
func (c *h2WindowConn) Write(p []byte) (int, error) {
	out := c.edit(p)
	if len(out) == 0 {
		return len(p), nil
	}
	if _, err := c.Conn.Write(out); err != nil {
		return 0, err // net/http writes nothing more
	}
	return len(p), nil
}

// edit returns what is to be written in place of p, until the next call.
func (c *h2WindowConn) edit(p []byte) []byte {
	if c.skip >= len(p) && len(c.held) == 0 {
		c.skip -= len(p)
		return p
	}
	c.out = c.out[:0]
	for len(p) > 0 {
		if c.skip > 0 {
			n := min(c.skip, len(p))
			c.out, p, c.skip = append(c.out, p[:n]...), p[n:], c.skip-n
			continue
		}
		n := min(c.wanted()-len(c.held), len(p))
		c.held, p = append(c.held, p[:n]...), p[n:]
		if len(c.held) == c.wanted() {
			c.pass()
		}
	}
	return c.out
}

// wanted is how much of the present frame has to be there before any of it is passed on:
// its header, and all of one that is changed.
func (c *h2WindowConn) wanted() int {
	if len(c.held) < h2FrameHeader {
		return h2FrameHeader
	}
	switch http2.FrameType(c.held[3]) {
	case http2.FrameSettings, http2.FrameWindowUpdate:
		return h2FrameHeader + h2SizeOf(c.held)
	}
	return h2FrameHeader
}

// pass passes on what is held, changed if it is about windows.
func (c *h2WindowConn) pass() {
	frame := c.held
	stream, payload := h2StreamOf(frame), frame[h2FrameHeader:]
	switch http2.FrameType(frame[3]) {
	case http2.FrameSettings:
		c.settle(payload)
	case http2.FrameWindowUpdate:
		n := binary.BigEndian.Uint32(payload)
		binary.BigEndian.PutUint32(payload, n+c.grow(stream, n))
	case http2.FrameHeaders:
		c.open(stream)
	case http2.FrameRSTStream:
		c.forget(stream)
	}
	c.skip = h2SizeOf(frame) - len(payload)
	c.out, c.held = append(c.out, frame...), c.held[:0]
}

// settle has the windows begin small.
func (c *h2WindowConn) settle(settings []byte) {
	for len(settings) >= h2Setting {
		if settingOf(settings).ID == http2.SettingInitialWindowSize {
			binary.BigEndian.PutUint32(settings[2:], h2Ahead)
			c.mu.Lock()
			c.asked = time.Now()
			c.mu.Unlock()
		}
		settings = settings[h2Setting:]
	}
}

// open notes a new stream. A second block of fields, a trailer, may come after its end.
func (c *h2WindowConn) open(stream uint32) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if stream > c.last {
		c.last = stream
		c.streams[stream] = h2Window{size: h2Ahead}
	}
}

// forget notes that no more comes on a stream.
func (c *h2WindowConn) forget(stream uint32) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if w, known := c.streams[stream]; known {
		c.left += w.size - h2Ahead
		delete(c.streams, stream)
	}
}

// grow returns what a stream's window grows by when its client has taken n bytes.
func (c *h2WindowConn) grow(stream, n uint32) (more uint32) {
	c.mu.Lock()
	defer c.mu.Unlock()
	w, known := c.streams[stream]
	if !known || c.rtt == 0 {
		return 0
	}
	now := time.Now()
	w.taken += int64(n)
	switch elapsed := now.Sub(w.since); {
	case w.since.IsZero():
		w.since = now
	case elapsed >= c.rtt:
		if w.taken*int64(c.rtt)/int64(elapsed) >= w.size/2 {
			more = uint32(min(w.size, h2MostAhead-w.size, c.left))
		}
		w.size += int64(more)
		c.left -= int64(more)
		w.taken, w.since = 0, now
	}
	c.streams[stream] = w
	return more
}

func h2SizeOf(frame []byte) int { return int(frame[0])<<16 | int(frame[1])<<8 | int(frame[2]) }

func h2StreamOf(frame []byte) uint32 { return binary.BigEndian.Uint32(frame[5:]) & (1<<31 - 1) }

// h2Frames finds the headers of frames in what is read.
type h2Frames struct {
	skip   int    // bytes before the next header
	header []byte // what has come of it
}

func (f *h2Frames) scan(p []byte, found func(header []byte)) {
	for len(p) > 0 {
		if f.skip > 0 {
			n := min(f.skip, len(p))
			f.skip, p = f.skip-n, p[n:]
			continue
		}
		n := min(h2FrameHeader-len(f.header), len(p))
		f.header, p = append(f.header, p[:n]...), p[n:]
		if len(f.header) == h2FrameHeader {
			f.skip = h2SizeOf(f.header)
			found(f.header)
			f.header = f.header[:0]
		}
	}
}
