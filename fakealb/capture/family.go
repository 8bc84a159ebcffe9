//go:build linux

package capture

import (
	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

// family is what differs between the packets of IPv4 and of IPv6.
type family struct {
	protocol    int // of the link
	bits        int // of an address
	layer       gopacket.LayerType
	next        uint32 // the offset of the protocol within
	destination uint32 // that of the address
	// most is how many addresses can be watched: the kernel takes 4,096 instructions, of
	// which an IPv4 address needs three and an IPv6 address nine.
	most int
	// flags are instructions that load the flags of the TCP header, and leave out what has
	// none.
	flags []bpf.Instruction
}

const fragmentBits = 0x1fff

var (
	ipv4 = family{
		protocol: unix.ETH_P_IP, bits: 32, layer: layers.LayerTypeIPv4, next: 9, destination: 16, most: 1300,
		flags: []bpf.Instruction{
			bpf.LoadAbsolute{Off: 6, Size: 2}, // the fragment's place
			bpf.JumpIf{Cond: bpf.JumpBitsNotSet, Val: fragmentBits, SkipTrue: 1},
			bpf.RetConstant{Val: discard},
			bpf.LoadMemShift{Off: 0},
			bpf.LoadIndirect{Off: tcpFlags, Size: 1},
		},
	}
	// A fragment of IPv6 has a header of its own before that of TCP, and no client here
	// sends any.
	ipv6 = family{
		protocol: unix.ETH_P_IPV6, bits: 128, layer: layers.LayerTypeIPv6, next: 6, destination: 24, most: 450,
		flags: []bpf.Instruction{bpf.LoadAbsolute{Off: 40 + tcpFlags, Size: 1}},
	}
)
