package goproxy

import (
	"bytes"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// rawH2 is a connection to the proxy on which every frame is the test's.
type rawH2 struct {
	*http2.Framer
	conn   net.Conn
	block  bytes.Buffer
	encode *hpack.Encoder
	t      *testing.T
}

// dialH2 opens a connection and sends the preface and empty settings.
func dialH2(t *testing.T, conn net.Conn) *rawH2 {
	t.Helper()
	t.Cleanup(func() { conn.Close() })
	conn.SetDeadline(time.Now().Add(10 * time.Second))
	c := &rawH2{Framer: http2.NewFramer(conn, conn), conn: conn, t: t}
	c.encode = hpack.NewEncoder(&c.block)
	c.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
	io.WriteString(conn, http2.ClientPreface)
	c.must(c.WriteSettings())
	return c
}

func (c *rawH2) must(err error) {
	c.t.Helper()
	if err != nil {
		c.t.Fatal(err)
	}
}

// fields encodes a block: a request's own and those given as "name: value".
func (c *rawH2) fields(method string, more ...string) []byte {
	c.block.Reset()
	for _, f := range append([]string{":method: " + method, ":scheme: http", ":path: /", ":authority: www.example.test"}, more...) {
		i := strings.Index(f[1:], ": ") + 1
		c.encode.WriteField(hpack.HeaderField{Name: f[:i], Value: f[i+2:]})
	}
	return bytes.Clone(c.block.Bytes())
}

// next reads frames until one of a stream, or GOAWAY, and tells it.
func (c *rawH2) next() string {
	c.t.Helper()
	for {
		f, err := c.ReadFrame()
		if err != nil {
			return err.Error()
		}
		switch f := f.(type) {
		case *http2.MetaHeadersFrame:
			return fmt.Sprintf("%d: status %s", f.StreamID, f.PseudoValue("status"))
		case *http2.RSTStreamFrame:
			return fmt.Sprintf("%d: reset, %v", f.StreamID, f.ErrCode)
		case *http2.GoAwayFrame:
			return fmt.Sprintf("go away, %v", f.ErrCode)
		}
	}
}

// data reads frames until one of a body, and returns what is in it.
func (c *rawH2) data() string {
	c.t.Helper()
	for {
		f, err := c.ReadFrame()
		if err != nil {
			c.t.Fatal(err)
		}
		if data, ok := f.(*http2.DataFrame); ok {
			return string(data.Data())
		}
	}
}

func (c *rawH2) expect(want string) {
	c.t.Helper()
	if got := c.next(); got != want {
		c.t.Fatalf("got %q, want %q", got, want)
	}
}

func startH2C(t *testing.T) *testProxy {
	p, _, _ := startProtocols(t, protocolHTTP1, func(_ http.ResponseWriter, r *http.Request) { io.Copy(io.Discard, r.Body) })
	return p
}

func dialTCP(t *testing.T, p *testProxy) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", p.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return conn
}

// Fields of HTTP/1's connections reset the stream of a request and nothing
// else: its body is let go, and the table of fields is still right for the others.
func TestFieldsOfConnectionsInHTTP2(t *testing.T) {
	p := startH2C(t)
	for _, field := range []string{
		"connection: close", "connection: x", "proxy-connection: keep-alive", "keep-alive: timeout=5",
		"transfer-encoding: chunked", "upgrade: h2c", "te: gzip", "te: trailers, deflate",
	} {
		for how, write := range map[string]func(c *rawH2, block []byte) error{
			"whole": func(c *rawH2, block []byte) error {
				return c.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: block, EndHeaders: true})
			},
			"padded, with a priority": func(c *rawH2, block []byte) error {
				return c.WriteHeaders(http2.HeadersFrameParam{
					StreamID: 1, BlockFragment: block, EndHeaders: true,
					PadLength: 200, Priority: http2.PriorityParam{StreamDep: 3, Weight: 7},
				})
			},
			"in three parts": func(c *rawH2, block []byte) error {
				c.must(c.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: block[:3]}))
				c.must(c.WriteContinuation(1, false, block[3:len(block)-2]))
				return c.WriteContinuation(1, true, block[len(block)-2:])
			},
			"in the largest frame": func(c *rawH2, block []byte) error {
				block = append(block, c.fieldOf(h2MaxFrame-len(block))...)
				return c.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: block, EndHeaders: true})
			},
		} {
			t.Run(field+" "+how, func(t *testing.T) {
				c := dialH2(t, dialTCP(t, p))
				c.must(write(c, c.fields("POST", "x-kept: in the table", field)))
				c.must(c.WriteData(1, true, []byte("hello")))
				c.expect("1: reset, PROTOCOL_ERROR")
				c.must(c.WriteHeaders(http2.HeadersFrameParam{
					StreamID: 3, BlockFragment: c.fields("GET", "x-kept: in the table", "te: trailers"), EndHeaders: true, EndStream: true,
				}))
				for {
					switch got := c.next(); got {
					case "1: reset, STREAM_CLOSED": // for the body
					case "3: status 200":
						return
					default:
						t.Fatalf("got %q for the next request", got)
					}
				}
			})
		}
	}
}

// fieldOf is a field that takes n bytes in a block, and no place in the table.
func (c *rawH2) fieldOf(n int) []byte {
	c.t.Helper()
	// A literal that is not indexed, with a name of one byte and a value whose
	// length takes three.
	size := n - 6
	out := append([]byte{0, 1, 'x', 127, byte(size-127)&127 | 128, byte((size - 127) >> 7)}, bytes.Repeat([]byte{'v'}, size)...)
	if len(out) != n || (size-127)>>14 != 0 {
		c.t.Fatalf("%d bytes, want %d", len(out), n)
	}
	return out
}

// Frames of more than 16 KiB end the connection.
func TestLargeFramesInHTTP2(t *testing.T) {
	p := startH2C(t)
	for name, write := range map[string]func(c *rawH2) error{
		"HEADERS": func(c *rawH2) error {
			block := c.fields("GET")
			return c.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: append(block, c.fieldOf(h2MaxFrame+1-len(block))...), EndHeaders: true, EndStream: true})
		},
		"DATA": func(c *rawH2) error {
			c.must(c.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: c.fields("POST"), EndHeaders: true}))
			return c.WriteData(1, true, make([]byte, h2MaxFrame+1))
		},
	} {
		t.Run(name, func(t *testing.T) {
			c := dialH2(t, dialTCP(t, p))
			c.must(write(c))
			c.expect("go away, FRAME_SIZE_ERROR")
		})
	}
}

// More fields than a request may have do not make one of it.
func TestEndlessFieldsInHTTP2(t *testing.T) {
	p := startH2C(t)
	c := dialH2(t, dialTCP(t, p))
	c.must(c.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: c.fields("GET", "connection: close")}))
	for range 100 {
		if c.WriteContinuation(1, false, c.fieldOf(h2MaxFrame)) != nil {
			break // it has ended
		}
	}
	if got := c.next(); got != "go away, PROTOCOL_ERROR" && !strings.Contains(got, "reset by peer") {
		t.Errorf("got %q", got)
	}
	served(t, p)
}

func TestSettingsOnce(t *testing.T) {
	settings := func(pairs ...uint32) []byte {
		var out bytes.Buffer
		f := http2.NewFramer(&out, nil)
		var list []http2.Setting
		for i := 0; i < len(pairs); i += 2 {
			list = append(list, http2.Setting{ID: http2.SettingID(pairs[i]), Val: pairs[i+1]})
		}
		if err := f.WriteSettings(list...); err != nil {
			t.Fatal(err)
		}
		return out.Bytes()[h2FrameHeader:]
	}
	for name, test := range map[string]struct{ in, want []byte }{
		"none":                {nil, nil},
		"all different":       {settings(3, 1, 4, 2), settings(3, 1, 4, 2)},
		"the last counts":     {settings(4, 100, 3, 7, 4, 1), settings(4, 1, 3, 7)},
		"an unknown one":      {settings(99, 1, 99, 2), settings(99, 2)},
		"not valid, then so":  {settings(4, 1<<31, 4, 1), settings(4, 1<<31)},
		"valid, then not":     {settings(4, 1, 4, 1<<31), settings(4, 1<<31)},
		"the smallest table":  {settings(1, 4096, 1, 0, 1, 4096), settings(1, 0)},
		"a half setting":      {settings(4, 1, 4, 2)[:9], settings(4, 1, 4, 2)[:9]},
		"more than are taken": {bytes.Repeat(settings(4, 1), 101), bytes.Repeat(settings(4, 1), 101)},
	} {
		if got := settingsOnce(test.in); !bytes.Equal(got, test.want) {
			t.Errorf("%s: got %v, want %v", name, got, test.want)
		}
	}
}

// What is not rewritten comes out as it went in, in whatever pieces it comes.
func TestH2ConnPassesFramesAsTheyAre(t *testing.T) {
	var in bytes.Buffer
	in.WriteString(http2.ClientPreface)
	f := http2.NewFramer(&in, nil)
	f.AllowIllegalWrites = true
	c := &rawH2{t: t}
	c.encode = hpack.NewEncoder(&c.block)
	for _, err := range []error{
		f.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: 1}),
		f.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: c.fields("POST", "te: trailers", "a: b"), EndHeaders: true, PadLength: 9}),
		f.WriteData(1, false, make([]byte, 3*h2MaxFrame)),
		f.WritePing(false, [8]byte{1}),
		f.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: c.fields("POST", "a: b")}),
		f.WriteContinuation(1, false, nil),
		f.WritePing(false, [8]byte{2}), // inside a block
		f.WriteContinuation(1, true, nil),
		f.WriteSettingsAck(),
		f.WriteRawFrame(77, 3, 5, []byte("unknown")),
		f.WriteRawFrame(http2.FrameHeaders, http2.FlagHeadersPadded, 5, []byte{9}), // more padding than there is
		f.WriteRawFrame(http2.FrameHeaders, 0, 7, []byte("anything")),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	for name, from := range map[string]io.Reader{
		"at once":   bytes.NewReader(in.Bytes()),
		"bytewise":  iotest.OneByteReader(bytes.NewReader(in.Bytes())),
		"with ends": iotest.DataErrReader(bytes.NewReader(in.Bytes())),
	} {
		out, err := io.ReadAll(newH2Conn(detached(), from))
		if err != nil || !bytes.Equal(out, in.Bytes()) {
			t.Errorf("%s: got %d bytes, %v; want the %d that went in", name, len(out), err, in.Len())
		}
	}
}

// detached is a connection of which only the deadlines are used.
func detached() *clientConn {
	conn, _ := net.Pipe()
	return &clientConn{Conn: conn, proxy: &Proxy{limits: limits{header: time.Minute}}}
}

// FuzzH2Conn reads whatever a client sends to its end.
func FuzzH2Conn(f *testing.F) {
	f.Add([]byte("\x00\x00\x0c\x04\x00\x00\x00\x00\x00\x00\x04\x00\x00\x00\x64\x00\x04\x00\x00\x00\x01\x00\x00\x03\x01\x04\x00\x00\x00\x01\x82\x87\x84"))
	f.Add([]byte("\x00\x00\x10\x01\x05\x00\x00\x00\x01\x82\x40\x0aconnection\x01x"))
	f.Fuzz(func(t *testing.T, data []byte) {
		out, err := io.ReadAll(newH2Conn(detached(), io.MultiReader(strings.NewReader(http2.ClientPreface), bytes.NewReader(data))))
		if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Error(err)
		}
		if most := len(http2.ClientPreface) + 3*len(data); len(out) > most {
			t.Errorf("%d bytes came of %d", len(out), len(data))
		}
	})
}

// A connection that begins with neither protocol is closed where h2c is taken.
func TestInvalidPreface(t *testing.T) {
	p := startH2C(t)
	for _, text := range []string{"INVALID CONNECTION PREFACE\r\n\r\n", "PRI * HTTP/2\r\n\r\n", "\x16\x03\x01\x02\x00\x01"} {
		c := dialProxy(t, p)
		c.send("%s", text)
		c.expectEnd()
	}
	c := dialProxy(t, p)
	c.send("GET / HTTP/1.1\r\n\r\n")
	if head := c.head(); !strings.HasPrefix(head, "HTTP/1.1 400 ") {
		t.Errorf("a request of HTTP/1 without Host: got %q", head)
	}
}

// HTTP/2 is not spoken with a cipher that RFC 9113 prohibits.
func TestWeakCipherWithHTTP2(t *testing.T) {
	p := startH2C(t)
	for cipher, want := range map[uint16]string{
		tls.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA:    "go away, INADEQUATE_SECURITY",
		tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256: "1: status 200",
	} {
		conn, err := tls.Dial("tcp", p.TLSAddr().String(), &tls.Config{
			InsecureSkipVerify: true, NextProtos: []string{"h2"}, MaxVersion: tls.VersionTLS12, CipherSuites: []uint16{cipher},
		})
		if err != nil {
			t.Fatal(err)
		}
		c := dialH2(t, conn)
		c.must(c.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: c.fields("GET"), EndHeaders: true, EndStream: true}))
		c.expect(want)
	}
}
