package goproxy

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"testing"
)

// benchHead is what a browser sends, roughly.
const benchHead = "GET /index.html?a=b HTTP/1.1\r\nHost: www.example.com\r\nUser-Agent: Mozilla/5.0 (X11; Linux x86_64) Gecko/20100101\r\n" +
	"Accept: text/html,application/xhtml+xml;q=0.9,*/*;q=0.8\r\nAccept-Encoding: gzip, deflate, br\r\nAccept-Language: en\r\nCookie: session=0123456789abcdef\r\n\r\n"

// startBenchBackend answers every read with one response, without allocating:
// what BenchmarkProxy counts is the proxy's.
func startBenchBackend(b *testing.B, size int) net.Addr {
	b.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { l.Close() })
	response := fmt.Appendf(nil, "HTTP/1.1 200 OK\r\nServer: bench\r\nDate: Fri, 20 Nov 2026 12:00:00 GMT\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n\r\n", size)
	response = append(response, bytes.Repeat([]byte{'x'}, size)...)
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				buf := make([]byte, 16<<10)
				for {
					if _, err := conn.Read(buf); err != nil {
						return
					}
					if _, err := conn.Write(response); err != nil {
						return
					}
				}
			}()
		}
	}()
	return l.Addr()
}

// BenchmarkProxy is one request on a kept connection, over loopback. Client and
// backend are in the same process; they cost time but allocate nothing.
func BenchmarkProxy(b *testing.B) {
	for name, size := range map[string]int{"small": 27, "100KiB": 100 << 10} {
		b.Run(name, func(b *testing.B) {
			addr := startBenchBackend(b, size)
			p, err := New(Config{
				Routes:    []Route{{Upstream: "b"}},
				Upstreams: map[string]Upstream{"b": {URL: "http://" + addr.String()}},
			}, Options{Listen: "127.0.0.1:0", AccessLog: io.Discard})
			if err != nil {
				b.Fatal(err)
			}
			p.accessLog = nil
			ctx, cancel := context.WithCancel(context.Background())
			ran := make(chan error, 1)
			go func() { ran <- p.Run(ctx) }()
			defer func() {
				cancel()
				if err := <-ran; err != nil {
					b.Error(err)
				}
			}()
			conn, err := net.Dial("tcp", p.Addr().String())
			if err != nil {
				b.Fatal(err)
			}
			defer conn.Close()
			buf := make([]byte, 128<<10)
			request := []byte(benchHead)
			want := size
			b.ReportAllocs()
			b.ResetTimer()
			for range b.N {
				if _, err := conn.Write(request); err != nil {
					b.Fatal(err)
				}
				got := -1
				for read := 0; got < want; {
					n, err := conn.Read(buf[read:])
					if err != nil {
						b.Fatal(err)
					}
					read += n
					if i := bytes.Index(buf[:min(read, 1024)], []byte("\r\n\r\n")); i >= 0 {
						got = read - i - 4
					}
				}
			}
		})
	}
}
