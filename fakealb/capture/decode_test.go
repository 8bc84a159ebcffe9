package capture

import (
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
	"golang.org/x/net/bpf"
)

const (
	node   = "198.18.0.11"
	client = "198.18.0.1"
)

func packetBytes(t testing.TB, dst string, change func(*layers.TCP), payload string) []byte {
	t.Helper()
	ip := &layers.IPv4{
		Version: 4, TTL: 64, Protocol: layers.IPProtocolTCP,
		SrcIP: net.ParseIP(client).To4(), DstIP: net.ParseIP(dst).To4(),
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

func TestKernelFilter(t *testing.T) {
	raw, err := program([]netip.Addr{netip.MustParseAddr("198.18.0.99"), netip.MustParseAddr(node)})
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
		"SYN+ACK to another address": {packetBytes(t, "198.18.0.50", func(tcp *layers.TCP) { tcp.SYN, tcp.ACK = true, true }, ""), false},
		"not TCP":                    {udp, false},
		"a later fragment":           {fragment, false},
	} {
		n, err := vm.Run(c.packet)
		if err != nil || (n > 0) != c.want {
			t.Errorf("%s: got %d, %v, want kept %t", name, n, err, c.want)
		}
	}
	if _, err := program(make([]netip.Addr, maxWatched+1)); err == nil {
		t.Error("got no error for too many addresses")
	}
}

func TestDecodeTellsRetransmissions(t *testing.T) {
	d := newDecoder()
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
		if s.Dst.String() != node+":80" || s.Src.String() != client+":40000" {
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
	d := newDecoder()
	if s, ok := d.decode(packetBytes(t, node, func(tcp *layers.TCP) { tcp.ACK = true }, ""), time.Now()); ok {
		t.Errorf("a bare ACK: got %+v", s)
	}
}

func FuzzDecode(f *testing.F) {
	f.Add(packetBytes(f, node, isSYN, ""))
	f.Add(packetBytes(f, node, isData, "GET / HTTP/1.1\r\n"))
	d := newDecoder()
	f.Fuzz(func(t *testing.T, packet []byte) {
		s, ok := d.decode(packet, time.Unix(1, 0))
		if ok && (!s.Src.IsValid() || !s.Dst.IsValid() || (!s.SYN && len(s.Payload) == 0)) {
			t.Errorf("got a segment without addresses or content: %+v", s)
		}
	})
}
