package gen

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"time"
)

// message is a gRPC message of 16 bytes with what stands before it: not compressed, and
// its length (gRPC over HTTP2, "Length-Prefixed-Message").
var message = append([]byte{0, 0, 0, 0, 16}, "proxychaos bench"...)

const grpcType = "application/grpc"

// Callee starts a server in this process that answers each unary gRPC call with its own
// message, over HTTP/2 without TLS, until ctx ends.
func Callee(ctx context.Context) (netip.AddrPort, error) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp4", "127.0.0.1:0")
	if err != nil {
		return netip.AddrPort{}, err
	}
	protocols := &http.Protocols{}
	protocols.SetUnencryptedHTTP2(true)
	server := &http.Server{Handler: http.HandlerFunc(callee), Protocols: protocols, ReadHeaderTimeout: answerIn}
	context.AfterFunc(ctx, func() { _ = server.Close() })
	go func() { _ = server.Serve(l) }() // until it is closed
	return netip.ParseAddrPort(l.Addr().String())
}

func callee(w http.ResponseWriter, r *http.Request) {
	got, err := io.ReadAll(r.Body)
	if err != nil || r.Header.Get("Content-Type") != grpcType {
		http.Error(w, "no gRPC", http.StatusUnsupportedMediaType)
		return
	}
	w.Header().Set("Content-Type", grpcType)
	_, _ = w.Write(got) // the caller may have gone
	w.Header().Set(http.TrailerPrefix+"Grpc-Status", "0")
}

const call = "/bench.Echo/Unary"

// Calls makes unary gRPC calls at addr, over HTTP/2 without TLS, as [HTTP2] sends its
// requests. file is a place for the message.
func Calls(ctx context.Context, addr netip.AddrPort, file string, d time.Duration) (Result, error) {
	return HTTP2(ctx, "http://"+addr.String()+call, d, "-d", file, "-H", "content-type: "+grpcType, "-H", "te: trailers")
}

// CallMessage is what the file for [Calls] has to hold.
func CallMessage() []byte { return bytes.Clone(message) }

// Called makes one call at addr, and returns an error unless the message came back with
// the status of success.
func Called(ctx context.Context, addr netip.AddrPort) error {
	protocols := &http.Protocols{}
	protocols.SetUnencryptedHTTP2(true)
	transport := &http.Transport{Protocols: protocols}
	defer transport.CloseIdleConnections()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+addr.String()+call, bytes.NewReader(message))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", grpcType)
	request.Header.Set("Te", "trailers")
	response, err := transport.RoundTrip(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	got, err := io.ReadAll(response.Body)
	if err != nil {
		return err
	}
	if status := response.Trailer.Get("Grpc-Status"); response.StatusCode != http.StatusOK || status != "0" || !bytes.Equal(got, message) {
		return fmt.Errorf("call %s: got %s, grpc-status %q and %q; want 200, \"0\" and the message", addr, response.Status, status, got)
	}
	return nil
}
