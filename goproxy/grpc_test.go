package goproxy

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

// echoService is a gRPC service without generated code: one method of each kind.
var echoService = grpc.ServiceDesc{
	ServiceName: "test.Echo",
	HandlerType: (*any)(nil),
	Methods: []grpc.MethodDesc{{
		MethodName: "Say",
		Handler: func(_ any, ctx context.Context, decode func(any) error, _ grpc.UnaryServerInterceptor) (any, error) {
			in := &wrapperspb.StringValue{}
			if err := decode(in); err != nil {
				return nil, err
			}
			if in.Value == "missing" {
				return nil, status.Error(codes.NotFound, "no such thing: caf\u00e9")
			}
			md, _ := metadata.FromIncomingContext(ctx)
			grpc.SetHeader(ctx, metadata.Pairs("x-head", strings.Join(md.Get("x-ask"), ",")))
			grpc.SetTrailer(ctx, metadata.Pairs("x-tail", "end"))
			return in, nil
		},
	}},
	Streams: []grpc.StreamDesc{{
		StreamName: "Chat", ServerStreams: true, ClientStreams: true,
		Handler: func(srv any, s grpc.ServerStream) error {
			for {
				in := &wrapperspb.StringValue{}
				if err := s.RecvMsg(in); errors.Is(err, io.EOF) {
					return status.Error(codes.Aborted, "that was all")
				} else if err != nil {
					return err
				}
				if in.Value == "wait" {
					if err := s.SendMsg(in); err != nil {
						return err
					}
					<-s.Context().Done()
					close(srv.(chan struct{}))
					return s.Context().Err()
				}
				if err := s.SendMsg(in); err != nil {
					return err
				}
			}
		},
	}},
}

// startGRPC is a proxy before a grpc-go server, and a grpc-go client of it.
func startGRPC(t *testing.T, clientTLS bool, protocol string) (client *grpc.ClientConn, cancelled chan struct{}) {
	t.Helper()
	ca := newCA(t)
	_, pair := ca.issue(t, backendName, nil)
	front, _ := ca.issue(t, "www.example.test", nil)
	serverCreds := insecure.NewCredentials()
	up := Upstream{Protocol: protocol, TLS: UpstreamTLS{CA: ca.file}}
	scheme := "http"
	if protocol == protocolH2 {
		serverCreds = credentials.NewTLS(&tls.Config{Certificates: []tls.Certificate{pair}})
		scheme = "https"
	}
	l, err := net.Listen("tcp", "127.94.1.10:0")
	if err != nil {
		t.Fatal(err)
	}
	server := grpc.NewServer(grpc.Creds(serverCreds))
	cancelled = make(chan struct{})
	server.RegisterService(&echoService, cancelled)
	go server.Serve(l)
	t.Cleanup(server.Stop)

	d := startDNS(t, 1)
	d.set(&backend{addr: l.Addr().(*net.TCPAddr).AddrPort().Addr()})
	up.URL = fmt.Sprintf("%s://%s:%d", scheme, backendName, l.Addr().(*net.TCPAddr).Port)
	p := startProxy(t, Config{
		H2C:          true,
		TLS:          &ListenTLS{Listen: "127.0.0.1:0", Certificates: []Certificate{front}},
		DrainTimeout: Duration(2 * time.Second),
		Routes:       []Route{{Upstream: "grpc"}},
		Upstreams:    map[string]Upstream{"grpc": up},
	}, d)
	clientCreds, addr := insecure.NewCredentials(), p.Addr()
	if clientTLS {
		clientCreds, addr = credentials.NewTLS(&tls.Config{RootCAs: ca.pool(), ServerName: "www.example.test"}), p.TLSAddr()
	}
	client, err = grpc.NewClient(addr.String(), grpc.WithTransportCredentials(clientCreds))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close() })
	return client, cancelled
}

func TestGRPC(t *testing.T) {
	for name, test := range map[string]struct {
		clientTLS bool
		protocol  string
	}{
		"TLS to TLS": {true, protocolH2}, "TLS to h2c": {true, protocolH2C}, "h2c to TLS": {false, protocolH2}, "h2c to h2c": {false, protocolH2C},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client, cancelled := startGRPC(t, test.clientTLS, test.protocol)
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
			defer cancel()
			t.Run("call", func(t *testing.T) { testGRPCCall(t, ctx, client) })
			t.Run("stream", func(t *testing.T) { testGRPCStream(t, ctx, client) })
			t.Run("cancel", func(t *testing.T) { testGRPCCancel(t, ctx, client, cancelled) })
		})
	}
}

func testGRPCCall(t *testing.T, ctx context.Context, client *grpc.ClientConn) {
	var header, trailer metadata.MD
	out := &wrapperspb.StringValue{}
	large := strings.Repeat("x", 1<<20)
	err := client.Invoke(metadata.AppendToOutgoingContext(ctx, "x-ask", "a"), "/test.Echo/Say", wrapperspb.String(large), out, grpc.Header(&header), grpc.Trailer(&trailer))
	if err != nil || out.Value != large || strings.Join(header.Get("x-head"), ",") != "a" || strings.Join(trailer.Get("x-tail"), ",") != "end" {
		t.Errorf("%v, %d bytes, header %v, trailer %v", err, len(out.Value), header, trailer)
	}
	err = client.Invoke(ctx, "/test.Echo/Say", wrapperspb.String("missing"), out)
	if s := status.Convert(err); s.Code() != codes.NotFound || s.Message() != "no such thing: caf\u00e9" {
		t.Errorf("got %v, want NotFound with its message", err)
	}
	if err := client.Invoke(ctx, "/test.Echo/None", wrapperspb.String(""), out); status.Code(err) != codes.Unimplemented {
		t.Errorf("got %v, want Unimplemented", err)
	}
}

func testGRPCStream(t *testing.T, ctx context.Context, client *grpc.ClientConn) {
	s, err := client.NewStream(ctx, &echoService.Streams[0], "/test.Echo/Chat")
	if err != nil {
		t.Fatal(err)
	}
	for i := range 20 { // each message needs the answer to the one before
		want := fmt.Sprint(i)
		if err := s.SendMsg(wrapperspb.String(want)); err != nil {
			t.Fatal(err)
		}
		out := &wrapperspb.StringValue{}
		if err := s.RecvMsg(out); err != nil || out.Value != want {
			t.Fatalf("got %q, %v; want %q", out.Value, err, want)
		}
	}
	s.CloseSend()
	err = s.RecvMsg(&wrapperspb.StringValue{})
	if got := status.Convert(err); got.Code() != codes.Aborted || got.Message() != "that was all" {
		t.Errorf("got %v, want the status that ends the stream", err)
	}
}

func testGRPCCancel(t *testing.T, ctx context.Context, client *grpc.ClientConn, cancelled chan struct{}) {
	ctx, cancel := context.WithCancel(ctx)
	s, err := client.NewStream(ctx, &echoService.Streams[0], "/test.Echo/Chat")
	if err != nil {
		t.Fatal(err)
	}
	out := &wrapperspb.StringValue{}
	if err := errors.Join(s.SendMsg(wrapperspb.String("wait")), s.RecvMsg(out)); err != nil {
		t.Fatal(err)
	}
	cancel()
	select {
	case <-cancelled:
	case <-time.After(10 * time.Second):
		t.Error("the server does not learn that the client gave up")
	}
}
