package capture

import (
	"net"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
	"golang.org/x/net/bpf"
)

const (
	node   = "198.18.0.11"
	client = "198.18.0.1"
	// node6 differs from other6 in its last word only, and from another6 in its first.
	node6    = "fd00:90::11"
	other6   = "fd00:90::12"
	another6 = "fd00:91::11"
	client6  = "fd00:90::1"
)

func packetBytes(t testing.TB, dst string, change func(*layers.TCP), payload string) []byte {
	t.Helper()
	var ip interface {
		gopacket.NetworkLayer
		gopacket.SerializableLayer
	} = &layers.IPv4{
		Version: 4, TTL: 64, Protocol: layers.IPProtocolTCP,
		SrcIP: net.ParseIP(client).To4(), DstIP: net.ParseIP(dst).To4(),
	}
	if strings.Contains(dst, ":") {
		ip = &layers.IPv6{
			Version: 6, HopLimit: 64, NextHeader: layers.IPProtocolTCP,
			SrcIP: net.ParseIP(client6), DstIP: net.ParseIP(dst),
		}
	}
	tcp := &layers.TCP{SrcPort: 40000, DstPort: 80, Seq: 1000}
	change(tcp)
	if err := tcp.SetNetworkLayerForChecksum(ip); err != nil {
		t.Fatal(err)
	}
	buf := gopacket.NewSerializeBuffer()
	opts := gopacket.SerializeOptions{FixLengths: true, ComputeChecksums: true}
	if err := gopacket.SerializeLayers(buf, opts, ip, tcp, gopacket.Payload(payload)); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

func isSYN(tcp *layers.TCP)  { tcp.SYN = true }
func isData(tcp *layers.TCP) { tcp.ACK, tcp.PSH = true, true }

// kept runs the kernel's filter.
func kept(t *testing.T, f *family, watched ...string) func(packet []byte) bool {
	t.Helper()
	var addrs []netip.Addr
	for _, a := range watched {
		addrs = append(addrs, netip.MustParseAddr(a))
	}
	raw, err := f.program(addrs)
	if err != nil {
		t.Fatal(err)
	}
	prog, ok := bpf.Disassemble(raw)
	if !ok {
		t.Fatal("the program cannot be disassembled")
	}
	vm, err := bpf.NewVM(prog)
	if err != nil {
		t.Fatal(err)
	}
	return func(packet []byte) bool {
		n, err := vm.Run(packet)
		if err != nil {
			t.Error(err)
		}
		return n > 0
	}
}

func isSYNACK(tcp *layers.TCP) { tcp.SYN, tcp.ACK = true, true }

func TestKernelFilter(t *testing.T) {
	keeps := kept(t, &ipv4, "198.18.0.99", node)
	udp := packetBytes(t, node, isSYN, "")
	udp[9] = 17
	fragment := packetBytes(t, node, isSYN, "")
	fragment[7] = 1
	for name, c := range map[string]struct {
		packet []byte
		want   bool
	}{
		"SYN to any address":         {packetBytes(t, "198.18.0.50", isSYN, ""), true},
		"data to a watched address":  {packetBytes(t, node, isData, "x"), true},
		"data to another address":    {packetBytes(t, "198.18.0.50", isData, "x"), false},
		"SYN+ACK to another address": {packetBytes(t, "198.18.0.50", isSYNACK, ""), false},
		"not TCP":                    {udp, false},
		"a later fragment":           {fragment, false},
	} {
		if got := keeps(c.packet); got != c.want {
			t.Errorf("%s: got kept %t, want %t", name, got, c.want)
		}
	}
}

func TestKernelFilterOfIPv6(t *testing.T) {
	keeps := kept(t, &ipv6, "fd00:90::99", node6)
	neighbour := packetBytes(t, node6, isSYN, "")
	neighbour[6] = 58
	for name, c := range map[string]struct {
		packet []byte
		want   bool
	}{
		"SYN to any address":                {packetBytes(t, other6, isSYN, ""), true},
		"data to a watched address":         {packetBytes(t, node6, isData, "x"), true},
		"data to one beside it":             {packetBytes(t, other6, isData, "x"), false},
		"data to one in another network":    {packetBytes(t, another6, isData, "x"), false},
		"SYN+ACK to another address":        {packetBytes(t, other6, isSYNACK, ""), false},
		"neighbour discovery: not TCP":      {neighbour, false},
		"data to the first watched address": {packetBytes(t, "fd00:90::99", isData, "x"), true},
	} {
		if got := keeps(c.packet); got != c.want {
			t.Errorf("%s: got kept %t, want %t", name, got, c.want)
		}
	}
}

// The kernel takes 4,096 instructions.
func TestTheLargestFilter(t *testing.T) {
	for _, f := range []*family{&ipv4, &ipv6} {
		raw, err := f.program(slices.Repeat([]netip.Addr{netip.AddrFrom16([16]byte{})}, f.most))
		if f.bits == 32 {
			raw, err = f.program(slices.Repeat([]netip.Addr{netip.IPv4Unspecified()}, f.most))
		}
		if err != nil || len(raw) > 4096 {
			t.Errorf("%d bits: got %d instructions, %v, want at most 4096", f.bits, len(raw), err)
		}
		if _, err := f.program(make([]netip.Addr, f.most+1)); err == nil {
			t.Errorf("%d bits: got no error for too many addresses", f.bits)
		}
	}
}

func TestDecodeTellsRetransmissions(t *testing.T) {
	decodeTellsRetransmissions(t, ipv4.decoder(), node, node+":80", client+":40000")
}

func TestDecodeOfIPv6(t *testing.T) {
	decodeTellsRetransmissions(t, ipv6.decoder(), node6, "["+node6+"]:80", "["+client6+"]:40000")
}

func decodeTellsRetransmissions(t *testing.T, d *decoder, node, to, from string) {
	t.Helper()
	now := time.Unix(1000, 0)
	for _, c := range []struct {
		name   string
		change func(*layers.TCP)
		data   string
		after  time.Duration
		want   bool
	}{
		{"first SYN", isSYN, "", 0, false},
		{"SYN again", isSYN, "", time.Second, true},
		{"SYN of another connection from the port", func(tcp *layers.TCP) { tcp.SYN = true; tcp.Seq = 5 }, "", time.Second, false},
		{"data", isData, "hello", time.Second, false},
		{"the same data", isData, "hello", time.Second, true},
		{"more data", func(tcp *layers.TCP) { isData(tcp); tcp.Seq = 1005 }, "!", time.Second, false},
		{"both again in one segment", isData, "hello!", time.Second, true},
		{"again after 4 minutes", isData, "hello!", 4 * time.Minute, true},
		{"again after 12 minutes", isData, "hello!", 4 * time.Minute, true},
	} {
		now = now.Add(c.after)
		s, ok := d.decode(packetBytes(t, node, c.change, c.data), now)
		if !ok || s.Retransmit != c.want || string(s.Payload) != c.data || s.SYN != (c.data == "") || !s.Time.Equal(now) {
			t.Errorf("%s: got %+v, %t, want retransmit %t", c.name, s, ok, c.want)
		}
		if s.Dst.String() != to || s.Src.String() != from {
			t.Errorf("%s: got %s to %s", c.name, s.Src, s.Dst)
		}
	}
}

func TestSequenceNumbersWrap(t *testing.T) {
	r := newRecent()
	f, now := flow{}, time.Unix(1, 0)
	if r.data(f, 0xfffffff0, now) || r.data(f, 0x10, now) || !r.data(f, 0xfffffff8, now) {
		t.Error("numbers after the wrap are not taken as later")
	}
}

func TestSegmentsWithoutInterestAreLeftOut(t *testing.T) {
	d := ipv4.decoder()
	if s, ok := d.decode(packetBytes(t, node, func(tcp *layers.TCP) { tcp.ACK = true }, ""), time.Now()); ok {
		t.Errorf("a bare ACK: got %+v", s)
	}
}

func FuzzDecode(f *testing.F) {
	f.Add(packetBytes(f, node, isSYN, ""))
	f.Add(packetBytes(f, node, isData, "GET / HTTP/1.1\r\n"))
	f.Add(packetBytes(f, node6, isSYN, ""))
	f.Add(packetBytes(f, node6, isData, "GET / HTTP/1.1\r\n"))
	decoders := map[int]*decoder{32: ipv4.decoder(), 128: ipv6.decoder()}
	f.Fuzz(func(t *testing.T, packet []byte) {
		for bits, d := range decoders {
			s, ok := d.decode(packet, time.Unix(1, 0))
			if ok && (s.Src.Addr().BitLen() != bits || s.Dst.Addr().BitLen() != bits || (!s.SYN && len(s.Payload) == 0)) {
				t.Errorf("got a segment without content, or without addresses of %d bits: %+v", bits, s)
			}
		}
	})
}
