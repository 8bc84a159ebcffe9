package fakealb_test

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
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

	"github.com/proxychaos/proxychaos/fakealb"
	"github.com/proxychaos/proxychaos/fakealb/targets"
)

// echoMethods are those of the servers in these tests, whatever the service.
const (
	methodEcho = "/test.Echo/Echo"
	methodFail = "/test.Echo/Fail"
)

var bothWays = &grpc.StreamDesc{ClientStreams: true, ServerStreams: true}

// grpcTarget echoes messages as they come, or fails with a status and a trailer.
func grpcTarget(t *testing.T) netip.AddrPort {
	t.Helper()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := grpc.NewServer(grpc.UnknownServiceHandler(func(_ any, stream grpc.ServerStream) error {
		in, _ := metadata.FromIncomingContext(stream.Context())
		method, _ := grpc.MethodFromServerStream(stream)
		if method == methodFail {
			stream.SetTrailer(metadata.Pairs("x-detail", "after the status", "x-forwarded-proto-was", strings.Join(in.Get("x-forwarded-proto"), ",")))
			return status.Error(codes.FailedPrecondition, "not now")
		}
		if err := stream.SendHeader(metadata.Pairs("x-begun", "yes")); err != nil {
			return err
		}
		for {
			var m wrapperspb.StringValue
			if err := stream.RecvMsg(&m); err != nil {
				if errors.Is(err, io.EOF) {
					return nil
				}
				return err
			}
			if err := stream.SendMsg(&m); err != nil {
				return err
			}
		}
	}))
	go func() { _ = s.Serve(l) }()
	t.Cleanup(s.Stop)
	return l.Addr().(*net.TCPAddr).AddrPort()
}

// grpcNode runs a node whose HTTPS listener forwards to a gRPC group.
func grpcNode(t *testing.T, addr string, members []targets.Target) (*fixture, *grpc.ClientConn, *logBuffer) {
	t.Helper()
	l := &logBuffer{}
	f := start(t, func(c *fakealb.Config) {
		c.AccessLog = l
		c.LoadBalancers = []fakealb.LoadBalancer{{
			Name:        "blue",
			Listeners:   []fakealb.Listener{{Port: c.Ports[0], Protocol: fakealb.ProtocolHTTPS}},
			TargetGroup: &targets.Group{ProtocolVersion: targets.VersionGRPC, Targets: members},
		}}
	}, addr)
	return f, dialGRPC(t, f), l
}

func dialGRPC(t *testing.T, f *fixture) *grpc.ClientConn {
	t.Helper()
	cc, err := grpc.NewClient(f.at(0), grpc.WithTransportCredentials(credentials.NewTLS(&tls.Config{InsecureSkipVerify: true})))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cc.Close() })
	return cc
}

// converse sends messages one by one, each after the answer to the one before.
func converse(ctx context.Context, t *testing.T, cc *grpc.ClientConn, messages ...string) metadata.MD {
	t.Helper()
	stream, err := cc.NewStream(ctx, bothWays, methodEcho)
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range messages {
		var got wrapperspb.StringValue
		if err := stream.SendMsg(wrapperspb.String(text)); err != nil {
			t.Fatal(err)
		}
		if err := stream.RecvMsg(&got); err != nil || got.Value != text {
			t.Fatalf("sent %.40q, got %.40q, %v", text, got.Value, err)
		}
	}
	if err := stream.CloseSend(); err != nil {
		t.Fatal(err)
	}
	if err := stream.RecvMsg(&wrapperspb.StringValue{}); !errors.Is(err, io.EOF) {
		t.Errorf("the end of the stream: got %v, want status OK", err)
	}
	head, err := stream.Header()
	if err != nil {
		t.Error(err)
	}
	return head
}

func TestGRPCThroughANode(t *testing.T) {
	t.Attr("aws-fact", "2.2.4")
	t.Attr("aws-fact", "6.1")
	f, cc, l := grpcNode(t, "127.0.80.40", targets.At(grpcTarget(t)))
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	var got wrapperspb.StringValue
	if err := cc.Invoke(ctx, methodEcho, wrapperspb.String("hello"), &got); err != nil || got.Value != "hello" {
		t.Fatalf("one call: got %q, %v", got.Value, err)
	}
	head := converse(ctx, t, cc, "one", strings.Repeat("two", 100_000), "three")
	if len(head.Get("x-begun")) != 1 {
		t.Errorf("the head of the stream: got %v", head)
	}
	// A status with trailers.
	var trailer metadata.MD
	err := cc.Invoke(ctx, methodFail, wrapperspb.String(""), &got, grpc.Trailer(&trailer))
	if s := status.Convert(err); s.Code() != codes.FailedPrecondition || s.Message() != "not now" {
		t.Errorf("a failing call: got %v", err)
	}
	if fmt.Sprint(trailer.Get("x-detail"), trailer.Get("x-forwarded-proto-was")) != "[after the status] [https]" {
		t.Errorf("its trailer: got %v", trailer)
	}
	matchFields(t, l.line(t, 0), map[int]string{1: "grpcs", 9: "200", 10: "200", 13: `"POST https://.*/test\.Echo/Echo HTTP/2\.0"`})
	if got := curl(t, f.server.ControlURL()+"/metrics"); !strings.Contains(got, `GrpcRequestCount{AvailabilityZone="a",LoadBalancer="blue"} 3`) {
		t.Error("want 3 gRPC requests in the metrics")
	}
}

func TestGRPCByABuiltInTarget(t *testing.T) {
	t.Attr("aws-fact", "2.2.4")
	_, cc, _ := grpcNode(t, "127.0.80.41", []targets.Target{{BuiltIn: &targets.BuiltIn{Kind: targets.KindEcho}}})
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	converse(ctx, t, cc, "one", "two")
}

// A stream with a message now and then lasts longer than the idle timeout.
func TestGRPCStreamOutlivesTheIdleTimeout(t *testing.T) {
	t.Attr("aws-fact", "2.1.1")
	f := start(t, func(c *fakealb.Config) {
		// Not by the time scale, which would leave 1/6 s for the TLS handshake.
		c.LoadBalancers = []fakealb.LoadBalancer{{
			Name: "blue", Attributes: fakealb.Attributes{IdleTimeoutSeconds: 1},
			TargetGroup: &targets.Group{ProtocolVersion: targets.VersionGRPC, Targets: targets.At(grpcTarget(t))},
		}}
	}, "127.0.80.42")
	cc := dialGRPC(t, f)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	stream, err := cc.NewStream(ctx, bothWays, methodEcho)
	if err != nil {
		t.Fatal(err)
	}
	var last time.Time // when the stream was last heard of, or before
	for begin := time.Now(); time.Since(begin) < 2500*time.Millisecond; time.Sleep(50 * time.Millisecond) {
		last = time.Now()
		var got wrapperspb.StringValue
		if err := stream.SendMsg(wrapperspb.String("tick")); err != nil {
			t.Fatal(err)
		}
		if err := stream.RecvMsg(&got); err != nil {
			t.Fatalf("after %s: %v", time.Since(begin), err)
		}
	}
	// And now both are silent.
	if err := stream.RecvMsg(&wrapperspb.StringValue{}); err == nil || ctx.Err() != nil {
		t.Errorf("a silent stream: got %v, want its end", err)
	}
	if took := time.Since(last); took < time.Second || took > 10*time.Second {
		t.Errorf("ended after %s of silence, want 1 s", took)
	}
}

// The answer where no target can be used: 502, and nothing but a head (2.4 O1).
func TestGRPCWithoutTarget(t *testing.T) {
	f, cc, _ := grpcNode(t, "127.0.80.43", nil)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	err := cc.Invoke(ctx, methodEcho, wrapperspb.String("hello"), &wrapperspb.StringValue{})
	if s := status.Convert(err); s.Code() != codes.Unavailable || s.Message() != "unavailable" {
		t.Errorf("got %v, want code 14 and the message unavailable", err)
	}
	got := curl(t, "-k", "--http2", "-i", "-H", "Content-Type: application/grpc", "--data", "x", "https://"+f.at(0)+methodEcho)
	for _, want := range []string{"HTTP/2 502 \r\n", "content-type: application/grpc\r\n", "content-length: 0\r\n", "grpc-status: 14\r\n", "grpc-message: unavailable\r\n"} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in %q", want, got)
		}
	}
}

// 464, with an empty reason and no body.
func TestProtocolMismatch(t *testing.T) {
	t.Attr("aws-fact", "2.4.1")
	at := targets.At(grpcTarget(t))
	f := start(t, nil, "127.0.80.44")
	for _, c := range []struct {
		version string
		args    []string
		want    string
	}{
		{targets.VersionGRPC, []string{"--http1.1", "--data", "x"}, "464"},
		{targets.VersionGRPC, []string{"--http2"}, "464"}, // GET
		{targets.VersionHTTP2, []string{"--http1.1"}, "464"},
		{targets.VersionHTTP1, []string{"--http2", "--data", "x", "-H", "Content-Type: application/grpc+proto"}, "464"},
		{targets.VersionGRPC, []string{"--http2", "--data", "x", "-H", "Content-Type: application/grpc"}, "200"},
	} {
		_, err := f.PutLoadBalancer(f.ctx, fakealb.LoadBalancer{Name: "blue", TargetGroup: &targets.Group{ProtocolVersion: c.version, Targets: at}})
		if err != nil {
			t.Fatal(err)
		}
		args := append(c.args, "-k", "-o", "/dev/null", "-w", "%{http_code} %{size_download} [%{content_type}]", "https://"+f.at(0)+methodEcho)
		if got := curl(t, args...); !strings.HasPrefix(got, c.want) || c.want == "464" && got != "464 0 []" {
			t.Errorf("%s %v: got %s, want %s", c.version, c.args, got, c.want)
		}
	}
	// A gRPC stream to an HTTP/1 group is refused though the client has more to send.
	if _, err := f.PutLoadBalancer(f.ctx, fakealb.LoadBalancer{Name: "blue", TargetGroup: &targets.Group{Targets: at}}); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	stream, err := dialGRPC(t, f).NewStream(ctx, bothWays, methodEcho)
	if err != nil {
		t.Fatal(err)
	}
	if err := stream.RecvMsg(&wrapperspb.StringValue{}); status.Code(err) == codes.OK || !strings.Contains(err.Error(), "464") {
		t.Errorf("a stream to an HTTP/1 group: got %v, want the status 464", err)
	}
}

// A gRPC client, nginx with grpc_pass, a node, and a gRPC server.
func TestGRPCThroughNginx(t *testing.T) {
	f, _, _ := grpcNode(t, "127.0.80.45", targets.At(grpcTarget(t)))
	n := startNginx(t, "127.0.80.46", `
server {
	listen LISTEN http2;
	location / { grpc_pass grpcs://`+f.at(0)+`; grpc_ssl_verify on; grpc_ssl_trusted_certificate `+f.caFile(t)+`; grpc_ssl_server_name on; grpc_ssl_name grpc.test; }
}`)
	cc, err := grpc.NewClient(n.at, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	defer cc.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	converse(ctx, t, cc, "one", "two", "three")
	err = cc.Invoke(ctx, methodFail, wrapperspb.String(""), &wrapperspb.StringValue{})
	if status.Code(err) != codes.FailedPrecondition {
		t.Errorf("a failing call: got %v", err)
	}
}

func TestGRPCGroupNeedsAnHTTPSListener(t *testing.T) {
	t.Attr("aws-fact", "2.2.4")
	f, _, _ := grpcNode(t, "127.0.80.47", nil)
	_, err := f.PutLoadBalancer(f.ctx, fakealb.LoadBalancer{
		Name: "blue", TargetGroup: &targets.Group{ProtocolVersion: targets.VersionGRPC},
		Listeners: []fakealb.Listener{{Port: f.port, Protocol: fakealb.ProtocolHTTP}},
	})
	if e := apiErr(t, err); e.Field != "listeners[0].protocol" {
		t.Errorf("got %v", err)
	}
}
