//go:build linux

package capture

import (
	"encoding/binary"
	"net/netip"
	"time"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
)

// decoder turns packets into segments and remembers what it saw.
type decoder struct {
	ip4     layers.IPv4
	ip6     layers.IPv6
	tcp     layers.TCP
	payload gopacket.Payload
	parser  *gopacket.DecodingLayerParser
	found   []gopacket.LayerType
	seen    recent
}

func (f *family) decoder() *decoder {
	d := &decoder{seen: newRecent()}
	d.parser = gopacket.NewDecodingLayerParser(f.layer, &d.ip4, &d.ip6, &d.tcp, &d.payload)
	d.parser.IgnoreUnsupported = true
	return d
}

// decode returns the segment of packet, which begins at its IP header; false if
// it is not TCP, or a segment with neither SYN nor payload.
func (d *decoder) decode(packet []byte, at time.Time) (Segment, bool) {
	d.payload = nil
	if err := d.parser.DecodeLayers(packet, &d.found); err != nil {
		return Segment{}, false
	}
	if len(d.found) < 2 || d.found[1] != layers.LayerTypeTCP {
		return Segment{}, false
	}
	isSYN := d.tcp.SYN && !d.tcp.ACK
	if !isSYN && len(d.payload) == 0 {
		return Segment{}, false
	}
	from, to := d.ip4.SrcIP, d.ip4.DstIP
	if d.found[0] == layers.LayerTypeIPv6 {
		from, to = d.ip6.SrcIP, d.ip6.DstIP
	}
	src, _ := netip.AddrFromSlice(from)
	dst, _ := netip.AddrFromSlice(to)
	s := Segment{
		Time:    at,
		Src:     netip.AddrPortFrom(src, uint16(d.tcp.SrcPort)),
		Dst:     netip.AddrPortFrom(dst, uint16(d.tcp.DstPort)),
		SYN:     isSYN,
		Payload: d.payload,
	}
	f := flow{s.Src, s.Dst}
	if isSYN {
		s.Retransmit = d.seen.syn(f, d.tcp.Seq, at)
	} else {
		s.Retransmit = d.seen.data(f, d.tcp.Seq+uint32(len(d.payload)), at)
	}
	return s, true
}

// timespec reads a kernel struct timespec of two 64-bit numbers.
func timespec(b []byte) time.Time {
	return time.Unix(int64(binary.NativeEndian.Uint64(b)), int64(binary.NativeEndian.Uint64(b[8:])))
}
