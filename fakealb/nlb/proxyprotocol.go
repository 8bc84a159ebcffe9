package nlb

import (
	"io"
	"net"
	"net/netip"

	"github.com/pires/go-proxyproto"
)

// The TLV with which AWS names the VPC endpoint that a flow came through (4.8 D).
const (
	tlvAWS         proxyproto.PP2Type = 0xEA
	tlvVPCEndpoint byte               = 0x01
)

// writeProxyHeader writes a PROXY protocol header of version 2, the only one that
// an NLB knows (4.8 D). An endpoint of "" is a flow that came through none.
func writeProxyHeader(w io.Writer, client, node netip.AddrPort, endpoint string) error {
	h := proxyproto.HeaderProxyFromAddrs(2, net.TCPAddrFromAddrPort(client), net.TCPAddrFromAddrPort(node))
	if endpoint != "" {
		value := append([]byte{tlvVPCEndpoint}, endpoint...)
		if err := h.SetTLVs([]proxyproto.TLV{{Type: tlvAWS, Value: value}}); err != nil {
			return err
		}
	}
	_, err := h.WriteTo(w)
	return err
}
