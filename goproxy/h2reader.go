package goproxy

import (
	"bufio"
	"crypto/tls"
	"encoding/binary"
	"io"
	"math"
	"net"
	"slices"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"github.com/proxychaos/proxychaos/goproxy/http1"
)

// h2Conn is a client's connection as net/http's HTTP/2 server reads it. Two
// things are read otherwise by that server than RFC 9113 says, and come to it
// such that it does what the RFC says:
//
//   - A request with fields that belong to HTTP/1's connections is malformed, and
//     its stream is to be reset (section 8.2.2); the server would answer it. So it
//     is made to depend on itself, for which the server resets a stream.
//   - Of settings that come twice in a frame the last one counts (section 6.5.3);
//     the server would hang up. So each comes to it once.
//
// All else passes as it is. It reads no further ahead than one frame, or one
// block of fields, which the server does not act on before its end either.
type h2Conn struct {
	net.Conn
	client *clientConn
	r      *bufio.Reader

	ready []byte // to be read first
	pass  int    // bytes after that which are read as they are

	held    []byte         // the frames of a block of fields, until it ends
	timed   bool           // a read deadline is set, for what is not whole yet
	fields  *hpack.Decoder // knows the client's table, so it sees every block
	illegal bool           // the block has a field that HTTP/2 must not have
}

const (
	h2FrameHeader = 9
	// h2MaxFrame is the largest frame that clients may send: the default of RFC
	// 9113, section 6.5.2, and the least that a server must take.
	h2MaxFrame = 16 << 10
	// h2MaxBlock is more than a block of fields can have before net/http, which
	// counts them decoded, refuses it.
	h2MaxBlock = 2 * maxHeaderBytes
	// h2HeaderTable is the size of the table of fields, in both directions: the
	// default of RFC 9113, section 6.5.2.
	h2HeaderTable = 4 << 10
)

// newH2Conn reads from, which begins with HTTP/2's preface.
func newH2Conn(c *clientConn, from io.Reader) *h2Conn {
	h := &h2Conn{Conn: c.Conn, client: c, r: bufio.NewReader(from), pass: len(http2.ClientPreface)}
	h.fields = hpack.NewDecoder(h2HeaderTable, func(f hpack.HeaderField) {
		if connectionSpecific(f) {
			h.illegal = true
		}
	})
	h.fields.SetMaxStringLength(h2MaxBlock)
	return h
}

// connectionSpecific reports whether a field must not be in HTTP/2 (RFC 9113,
// section 8.2.2).
func connectionSpecific(f hpack.HeaderField) bool {
	if f.Name == "te" {
		return f.Value != "" && f.Value != "trailers"
	}
	return http1.OfConnection(f.Name)
}

// Read implements io.Reader.
func (c *h2Conn) Read(p []byte) (int, error) {
	for {
		if len(c.ready) > 0 {
			n := copy(p, c.ready)
			c.ready = c.ready[n:]
			return n, nil
		}
		if c.pass > 0 {
			n, err := c.r.Read(p[:min(len(p), c.pass)])
			c.pass -= n
			return n, err
		}
		if err := c.frame(); err != nil {
			return 0, err
		}
	}
}

// frame takes the next frame in, or lets it pass.
func (c *h2Conn) frame() error {
	header, err := c.r.Peek(h2FrameHeader)
	if err != nil {
		return err
	}
	size := h2FrameHeader + int(header[0])<<16 + int(header[1])<<8 + int(header[2])
	kind := http2.FrameType(header[3])
	if len(c.held) > 0 && kind != http2.FrameContinuation {
		c.release() // a block without an end: the server will end the connection
		return nil
	}
	known := kind == http2.FrameHeaders || kind == http2.FrameContinuation || kind == http2.FrameSettings
	if !known || size > h2FrameHeader+h2MaxFrame {
		c.release()
		c.pass = size
		return nil
	}
	from := len(c.held)
	if from > 0 || c.r.Buffered() < size {
		c.arm()
	}
	c.held = slices.Grow(c.held, size)[:from+size]
	if _, err := io.ReadFull(c.r, c.held[from:]); err != nil {
		return err
	}
	frame := c.held[from:]
	if kind == http2.FrameSettings {
		c.held = frameOf(frame, settingsOnce(frame[h2FrameHeader:]))
		c.release()
		return nil
	}
	c.block(frame)
	return nil
}

// arm bounds the time in which a block of fields has to be there, as that of
// HTTP/1's heads is. When it is over, reading fails and the connection ends.
func (c *h2Conn) arm() {
	if !c.timed {
		c.timed = true
		_ = c.SetReadDeadline(time.Now().Add(c.client.proxy.limits.header)) // fails on a closed connection, as the read will
	}
}

// release lets what is held be read. Its memory is used again, as nothing is
// held before all of it was read.
func (c *h2Conn) release() {
	if c.timed {
		c.timed = false
		_ = c.SetReadDeadline(time.Time{}) // fails on a closed connection, as the read will
	}
	c.ready = c.held
	c.held = c.held[:0]
	if cap(c.held) > h2FrameHeader+h2MaxFrame {
		c.held = nil
	}
}

// block decodes the fields in a frame, and releases the block at its end.
func (c *h2Conn) block(frame []byte) {
	fragment, ok := fragmentOf(frame)
	_, err := c.fields.Write(fragment)
	ends := http2.Flags(frame[4]).Has(http2.FlagHeadersEndHeaders)
	if ends && err == nil {
		err = c.fields.Close()
	}
	switch {
	case !ok || err != nil:
		// The server will not like it either, and end the connection.
		c.release()
		c.pass = math.MaxInt
	case ends:
		if c.illegal {
			c.held = dependentOnItself(c.held)
		}
		c.illegal = false
		c.release()
	case len(c.held) > h2MaxBlock:
		c.release()
	}
}

// fragmentOf is the block's part in a frame, and false where the frame is too
// short for its flags. What is before and after it in HEADERS is RFC 9113,
// section 6.2.
func fragmentOf(frame []byte) (fragment []byte, ok bool) {
	payload, flags := frame[h2FrameHeader:], http2.Flags(frame[4])
	if http2.FrameType(frame[3]) != http2.FrameHeaders {
		return payload, true
	}
	pad, priority := 0, 0
	if flags.Has(http2.FlagHeadersPadded) {
		if len(payload) == 0 {
			return nil, false
		}
		pad, payload = int(payload[0]), payload[1:]
	}
	if flags.Has(http2.FlagHeadersPriority) {
		priority = h2Priority
	}
	if len(payload) < priority+pad {
		return nil, false
	}
	return payload[priority : len(payload)-pad], true
}

// h2Priority is the length of a dependency and a weight in HEADERS.
const h2Priority = 5

// dependentOnItself is a block of fields, begun by HEADERS, whose stream depends
// on itself. It is the same block, so that the server's table remains the client's.
func dependentOnItself(block []byte) []byte {
	if http2.FrameType(block[3]) != http2.FrameHeaders {
		return block // too long to be held from its beginning, or no block at all
	}
	size := h2FrameHeader + int(block[0])<<16 + int(block[1])<<8 + int(block[2])
	first, rest := block[:size], block[size:]
	flags, stream := http2.Flags(first[4]), first[5:h2FrameHeader]
	fragment, _ := fragmentOf(first)

	head := slices.Concat([]byte{0, 0, 0, byte(http2.FrameHeaders), byte(flags&http2.FlagHeadersEndStream | http2.FlagHeadersPriority)}, stream)
	next := slices.Concat([]byte{0, 0, 0, byte(http2.FrameContinuation), byte(flags & http2.FlagHeadersEndHeaders)}, stream)
	return slices.Concat(frameOf(head, append(slices.Clone(stream), 0)), frameOf(next, fragment), rest)
}

// frameOf is a frame with another payload.
func frameOf(frame, payload []byte) []byte {
	out := append(frame[:h2FrameHeader:h2FrameHeader], payload...)
	out[0], out[1], out[2] = byte(len(payload)>>16), byte(len(payload)>>8), byte(len(payload))
	return out
}

const (
	// h2Setting is the length of one setting: its number and its value.
	h2Setting = 6
	// h2MostSettings is how many net/http takes in a frame.
	h2MostSettings = 100
)

// settingsOnce is the payload of a SETTINGS frame with each setting once: its
// last value. A value that is not valid is kept, so that it is refused; and of the
// sizes of the table the smallest does, below which a client may have dropped
// fields (RFC 7541, section 4.2).
func settingsOnce(payload []byte) []byte {
	if len(payload)%h2Setting != 0 || len(payload) > h2MostSettings*h2Setting {
		return payload // refused
	}
	var out []byte
	for s := range slices.Chunk(payload, h2Setting) {
		at := 0
		for at < len(out) && (out[at] != s[0] || out[at+1] != s[1]) {
			at += h2Setting
		}
		if at == len(out) {
			out = append(out, s...)
			continue
		}
		before, after := settingOf(out[at:]), settingOf(s)
		if before.Valid() == nil && (before.ID != http2.SettingHeaderTableSize || after.Val < before.Val) {
			copy(out[at:], s)
		}
	}
	return out
}

func settingOf(b []byte) http2.Setting {
	return http2.Setting{ID: http2.SettingID(binary.BigEndian.Uint16(b)), Val: binary.BigEndian.Uint32(b[2:])}
}

// strongEnough reports whether HTTP/2 may be spoken with a TLS connection's
// cipher: TLS 1.3 has no other, of TLS 1.2 the ephemeral ones that authenticate
// what they encrypt (RFC 9113, section 9.2.2).
func strongEnough(s tls.ConnectionState) bool {
	switch s.CipherSuite {
	case tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
		tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, tls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
		tls.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256, tls.TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256:
		return true
	}
	return s.Version >= tls.VersionTLS13
}
