package fakealb_test

import (
	"bytes"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"testing"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// frames is an HTTP/2 client that sees every frame.
type frames struct {
	*http2.Framer
	t       *testing.T
	conn    net.Conn
	head    bytes.Buffer
	encoder *hpack.Encoder
	stream  uint32
}

// dialFrames connects and sends the preface.
func dialFrames(t *testing.T, addr string) *frames {
	t.Helper()
	conn, err := tls.Dial("tcp4", addr, &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"h2"}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	f := &frames{Framer: http2.NewFramer(conn, conn), t: t, conn: conn}
	f.patience()
	if _, err := io.WriteString(conn, http2.ClientPreface); err != nil {
		t.Fatal(err)
	}
	f.encoder = hpack.NewEncoder(&f.head)
	f.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
	if err := f.WriteSettings(); err != nil {
		t.Fatal(err)
	}
	if err := f.WriteWindowUpdate(0, 1<<30); err != nil { // all that it will ever be sent
		t.Fatal(err)
	}
	return f
}

// patience bounds the wait for one thing, of which a connection has many: 10,000
// requests one after the other take as long as they take.
func (f *frames) patience() { _ = f.conn.SetDeadline(time.Now().Add(20 * time.Second)) }

// request begins a stream, and ends it unless more of the body is to come.
func (f *frames) request(more bool, fields ...string) uint32 {
	f.t.Helper()
	f.stream += 2
	id := f.stream - 1
	f.head.Reset()
	method := "GET"
	if more {
		method = "POST"
	}
	fields = append([]string{":method", method, ":scheme", "https", ":authority", "h2.test", ":path", "/"}, fields...)
	for i := 0; i < len(fields); i += 2 {
		_ = f.encoder.WriteField(hpack.HeaderField{Name: fields[i], Value: fields[i+1]})
	}
	err := f.WriteHeaders(http2.HeadersFrameParam{StreamID: id, BlockFragment: f.head.Bytes(), EndStream: !more, EndHeaders: true})
	if err != nil {
		f.t.Fatal(err)
	}
	return id
}

// until reads frames up to one that is wanted. It fails the test at the end of the
// connection.
func (f *frames) until(what string, wanted func(http2.Frame) bool) http2.Frame {
	f.t.Helper()
	f.patience()
	for {
		frame, err := f.ReadFrame()
		if err != nil {
			f.t.Fatalf("before %s: %v", what, err)
		}
		if s, ok := frame.(*http2.SettingsFrame); ok && !s.IsAck() {
			_ = f.WriteSettingsAck()
		}
		if wanted(frame) {
			return frame
		}
	}
}

func isGoAway(frame http2.Frame) bool {
	_, ok := frame.(*http2.GoAwayFrame)
	return ok
}

func ends(stream uint32) func(http2.Frame) bool {
	return func(frame http2.Frame) bool {
		return frame.Header().StreamID == stream && frame.Header().Flags.Has(http2.FlagDataEndStream)
	}
}

// closes reads to the end of the connection, which has to be a FIN.
func (f *frames) closes() {
	f.t.Helper()
	f.patience()
	for {
		if _, err := f.ReadFrame(); err != nil {
			if !errors.Is(err, io.EOF) {
				f.t.Errorf("the end of the connection: got %v, want FIN", err)
			}
			return
		}
	}
}
