package nlb

import (
	"bufio"
	"bytes"
	"net/netip"
	"testing"

	"github.com/pires/go-proxyproto"
	"github.com/pires/go-proxyproto/tlvparse"
)

var (
	aClient = netip.MustParseAddrPort("192.0.2.7:41000")
	aNode   = netip.MustParseAddrPort("198.51.100.1:443")
)

// The bytes are those of the specification of version 2, written out by hand.
func TestProxyHeaderBytes(t *testing.T) {
	t.Attr("aws-fact", "4.8")
	var got bytes.Buffer
	if err := writeProxyHeader(&got, aClient, aNode, "vpce-1"); err != nil {
		t.Fatal(err)
	}
	want := []byte("\r\n\r\n\x00\r\nQUIT\n" + // signature
		"\x21\x11\x00\x16" + // version 2, PROXY; TCP over IPv4; 22 bytes follow
		"\xc0\x00\x02\x07\xc6\x33\x64\x01\xa0\x28\x01\xbb" +
		"\xea\x00\x07\x01vpce-1") // type, length, subtype, name
	if !bytes.Equal(got.Bytes(), want) {
		t.Errorf("got  %x\nwant %x", got.Bytes(), want)
	}
	h, err := proxyproto.Read(bufio.NewReader(&got))
	if err != nil {
		t.Fatal(err)
	}
	tlvs, err := h.TLVs()
	if err != nil || tlvparse.FindAWSVPCEndpointID(tlvs) != "vpce-1" {
		t.Errorf("another reader finds the endpoint %q, %v", tlvparse.FindAWSVPCEndpointID(tlvs), err)
	}
	if err := writeProxyHeader(&got, aClient, aNode, ""); err != nil || got.Len() != 28 {
		t.Errorf("without an endpoint: got %d bytes, %v, want 28", got.Len(), err)
	}
}
