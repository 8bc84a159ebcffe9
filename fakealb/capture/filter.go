package capture

import (
	"encoding/binary"
	"fmt"
	"net/netip"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

// Offsets and bits of the IPv4 and TCP headers.
const (
	ipFragment    = 6
	ipProtocol    = 9
	ipDestination = 16
	tcpFlags      = 13
	synAck        = 0x12
	syn           = 0x02
	fragmentBits  = 0x1fff
)

const (
	keepAll = 1 << 18
	discard = 0
)

// maxWatched keeps the program within the kernel's 4,096 instructions.
const maxWatched = 2000

// program returns the kernel filter for packets that begin at the IP header:
// TCP, first fragment, and either a SYN without ACK or an address of watched.
func program(watched []netip.Addr) ([]bpf.RawInstruction, error) {
	if len(watched) > maxWatched {
		return nil, fmt.Errorf("got %d nodes to watch, want at most %d", len(watched), maxWatched)
	}
	out := bpf.RetConstant{Val: discard}
	take := bpf.RetConstant{Val: keepAll}
	prog := []bpf.Instruction{
		bpf.LoadAbsolute{Off: ipProtocol, Size: 1},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: unix.IPPROTO_TCP, SkipTrue: 1},
		out,
		bpf.LoadAbsolute{Off: ipFragment, Size: 2},
		bpf.JumpIf{Cond: bpf.JumpBitsNotSet, Val: fragmentBits, SkipTrue: 1},
		out,
		bpf.LoadMemShift{Off: 0},
		bpf.LoadIndirect{Off: tcpFlags, Size: 1},
		bpf.ALUOpConstant{Op: bpf.ALUOpAnd, Val: synAck},
		bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: syn, SkipTrue: 1},
		take,
		bpf.LoadAbsolute{Off: ipDestination, Size: 4},
	}
	// A return after each address keeps every jump short, however long the list.
	for _, a := range watched {
		b := a.As4()
		prog = append(prog,
			bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: binary.BigEndian.Uint32(b[:]), SkipTrue: 1},
			take)
	}
	raw, err := bpf.Assemble(append(prog, out))
	if err != nil {
		return nil, fmt.Errorf("assemble the capture filter: %w", err)
	}
	return raw, nil
}
