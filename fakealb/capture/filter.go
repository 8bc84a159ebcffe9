//go:build linux

package capture

import (
	"encoding/binary"
	"fmt"
	"net/netip"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

// Bits of the TCP header.
const (
	tcpFlags = 13
	synAck   = 0x12
	syn      = 0x02
)

const (
	keepAll = 1 << 18
	discard = 0
)

// program returns the kernel filter for packets that begin at the IP header:
// TCP, first fragment, and either a SYN without ACK or an address of watched.
func (f *family) program(watched []netip.Addr) ([]bpf.RawInstruction, error) {
	if len(watched) > f.most {
		return nil, fmt.Errorf("got %d nodes to watch, want at most %d", len(watched), f.most)
	}
	out := bpf.RetConstant{Val: discard}
	take := bpf.RetConstant{Val: keepAll}
	prog := append([]bpf.Instruction{
		bpf.LoadAbsolute{Off: f.next, Size: 1},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: unix.IPPROTO_TCP, SkipTrue: 1},
		out,
	}, f.flags...)
	prog = append(prog,
		bpf.ALUOpConstant{Op: bpf.ALUOpAnd, Val: synAck},
		bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: syn, SkipTrue: 1},
		take,
	)
	// A return after each address keeps every jump short, however long the list.
	const loadAndJump = 2
	for _, a := range watched {
		words := a.AsSlice()
		for at := 0; at < len(words); at += 4 {
			rest := (len(words)-at)/4 - 1 // words after this one
			prog = append(prog,
				bpf.LoadAbsolute{Off: f.destination + uint32(at), Size: 4},
				bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: binary.BigEndian.Uint32(words[at:]), SkipTrue: uint8(loadAndJump*rest + 1)})
		}
		prog = append(prog, take)
	}
	raw, err := bpf.Assemble(append(prog, out))
	if err != nil {
		return nil, fmt.Errorf("assemble the capture filter: %w", err)
	}
	return raw, nil
}
