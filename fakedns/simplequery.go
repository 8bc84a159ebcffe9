package fakedns

import (
	"encoding/binary"

	"github.com/miekg/dns"
)

const headerSize = 12

// Bits of the third and fourth byte of a message (RFC 1035 4.1.1, RFC 4035 3.1.6).
const (
	bitQR     = 0x80 // third byte
	bitAA     = 0x04
	bitRD     = 0x01
	bitRA     = 0x80 // fourth byte
	bitCD     = 0x10
	doBit     = 0x80 // of the flags in an OPT record (RFC 3225)
	opcodeBit = 3
	opcodeAll = 0xF
)

// simpleQuery is a query of the usual form, read without any memory of its own.
// Whatever has another form is left to the dns package.
type simpleQuery struct {
	name   []byte // canonical, in the worker's buffer
	qtype  uint16
	end    int  // where the question ends
	edns   bool // it ends in an OPT record without options
	do     bool
	size   int // the largest UDP answer that the client takes
	bits2  byte
	bits3  byte
	label1 int // length of the first label
}

// optSize is the length of an OPT record without options.
const optSize = 11

// readSimple reads a query that has one question of class IN for a host name, and
// nothing behind it but at most an OPT record of version 0 without options. For any
// other packet it says no.
func readSimple(packet []byte, name []byte) (p simpleQuery, ok bool) {
	const oneQuestion = 1 << 48 // no answer, no authority; what is left are the additional records
	if len(packet) < headerSize || packet[2]>>opcodeBit&opcodeAll != dns.OpcodeQuery {
		return p, false
	}
	additional := binary.BigEndian.Uint64(packet[4:]) - oneQuestion
	if additional > 1 {
		return p, false
	}
	p = simpleQuery{name: name[:0], bits2: packet[2], bits3: packet[3], size: dns.MinMsgSize}
	if !p.readName(packet) {
		return p, false
	}
	rest := packet[p.end:]
	if len(rest) < 4 || binary.BigEndian.Uint16(rest[2:]) != dns.ClassINET {
		return p, false
	}
	p.qtype = binary.BigEndian.Uint16(rest)
	p.end += 4
	if additional == 0 {
		return p, len(rest) == 4
	}
	return p, p.readOPT(rest[4:])
}

// readName reads the name in question, in lower case and without a trailing dot.
func (p *simpleQuery) readName(packet []byte) bool {
	const longestLabel, longestName = 63, 255
	at := headerSize
	for at < len(packet) {
		n := int(packet[at])
		at++
		if n == 0 {
			p.end = at
			return len(p.name) > 0 && at-headerSize <= longestName
		}
		if n > longestLabel || at+n > len(packet) || at+n-headerSize > longestName {
			return false
		}
		if len(p.name) > 0 {
			p.name = append(p.name, '.')
		} else {
			p.label1 = n
		}
		for _, c := range packet[at : at+n] {
			switch {
			case 'a' <= c && c <= 'z', '0' <= c && c <= '9', c == '-', c == '_', c == '*':
			case 'A' <= c && c <= 'Z':
				c += 'a' - 'A'
			default:
				return false
			}
			p.name = append(p.name, c)
		}
		at += n
	}
	return false
}

func (p *simpleQuery) readOPT(rr []byte) bool {
	if len(rr) != optSize || rr[0] != 0 || binary.BigEndian.Uint16(rr[1:]) != dns.TypeOPT {
		return false
	}
	extended, version, options := rr[5], rr[6], binary.BigEndian.Uint16(rr[9:])
	p.edns, p.do = true, rr[7]&doBit != 0
	p.size = max(int(binary.BigEndian.Uint16(rr[3:])), dns.MinMsgSize)
	return extended == 0 && version == 0 && options == 0
}
