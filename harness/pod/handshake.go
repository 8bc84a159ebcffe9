package pod

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"time"

	"github.com/proxychaos/proxychaos/harness/fault"
)

// TLSRequest asks for one TLS handshake on a connection of its own.
type TLSRequest struct {
	Addr       netip.AddrPort `json:"addr"`
	ServerName string         `json:"server_name"`       // sent as SNI, and wanted in the certificate
	CA         string         `json:"ca"`                // the authority that is trusted, as PEM
	Timeout    Duration       `json:"timeout,omitempty"` // of the whole; 0 is DefaultTimeout
}

// TLSProbe is the result of a handshake.
type TLSProbe struct {
	// Result of the connect: connected, refused, timeout, unreachable, reset.
	Result fault.Result `json:"result"`
	// Handshake is empty without a connection.
	Handshake fault.Handshake `json:"handshake,omitempty"`
	At        time.Time       `json:"at"`
	Took      Duration        `json:"took"`
}

func (a *Agent) probeTLS(ctx context.Context, req TLSRequest) (probe TLSProbe, err error) {
	if err := checkTarget(req.Addr); err != nil {
		return TLSProbe{}, err
	}
	if req.ServerName == "" {
		return TLSProbe{}, invalid("server_name", "got none, want the host name to ask for")
	}
	timeout, err := req.Timeout.orDefault()
	if err != nil {
		return TLSProbe{}, err
	}
	probe.At = time.Now()
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	conn, err := a.dialer.dial(ctx, req.Addr)
	if err != nil {
		probe.Result, err = connectResult(err)
		return probe, err
	}
	defer func() {
		if closeErr := conn.Close(); !errors.Is(closeErr, net.ErrClosed) { // as it is after a timeout
			err = errors.Join(err, closeErr)
		}
	}()
	probe.Result = fault.Connected
	probe.Handshake, err = fault.ShakeHands(ctx, conn, req.ServerName, []byte(req.CA))
	probe.Took = Duration(time.Since(probe.At))
	return probe, err
}
