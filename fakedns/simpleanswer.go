package fakedns

import (
	"encoding/binary"

	"github.com/miekg/dns"
)

// soaFields is what stands in a SOA record behind its owner's zone, TTL excepted:
// it is the same in each.
var soaFields = packSOA()

func packSOA() []byte {
	const rrHeader = 11 // root, type, class, TTL, length
	soa := newSOA(".", 0)
	wire := make([]byte, dns.Len(soa))
	if _, err := dns.PackRR(soa, wire, 0, nil, false); err != nil {
		panic(err) // it has no input
	}
	return wire[rrHeader:]
}

// appendSimple appends the answer to a simple query, if it is one of the usual forms:
// addresses or nothing, without CNAMEs, within what the client takes. It says what
// the dns package would say, with the question's name pointed to.
func (l *lookup) appendSimple(wire, packet []byte, p *simpleQuery, limit int) ([]byte, bool) {
	if len(l.links) > 0 || l.ptr != "" || len(l.srv) > 0 || l.rcode == dns.RcodeServerFailure {
		return wire, false
	}
	start := len(wire)
	bits2, bits3 := bitQR|p.bits2&bitRD, p.bits3&bitCD|byte(l.rcode)
	if p.bits2&bitRD != 0 {
		bits3 |= bitRA
	} else {
		bits2 |= bitAA
	}
	wire = append(wire, packet[0], packet[1], bits2, bits3, 0, 1,
		byte(len(l.addrs)>>8), byte(len(l.addrs)), 0, bit(l.negative, 1), 0, bit(p.edns, 1))
	wire = append(wire, packet[headerSize:p.end]...)
	for _, a := range l.addrs {
		wire = append(wire, 0xC0, headerSize, 0, byte(l.q.qtype), 0, dns.ClassINET)
		wire = binary.BigEndian.AppendUint32(wire, l.ttl)
		if l.q.qtype == dns.TypeA {
			four := a.As4()
			wire = append(append(wire, 0, byte(len(four))), four[:]...)
		} else {
			sixteen := a.As16()
			wire = append(append(wire, 0, byte(len(sixteen))), sixteen[:]...)
		}
	}
	if l.negative {
		wire = l.appendSOA(wire, p)
	}
	if p.edns {
		wire = append(wire, 0, 0, byte(dns.TypeOPT), ednsSize>>8, ednsSize&0xFF, 0, 0, bit(p.do, doBit), 0, 0, 0)
	}
	return wire, len(wire)-start <= limit
}

// appendSOA appends the SOA of the zone above the name in question.
func (l *lookup) appendSOA(wire []byte, p *simpleQuery) []byte {
	if p.label1 == len(p.name) {
		wire = append(wire, 0)
	} else {
		wire = append(wire, 0xC0, byte(headerSize+1+p.label1))
	}
	wire = append(wire, 0, byte(dns.TypeSOA), 0, dns.ClassINET)
	wire = binary.BigEndian.AppendUint32(wire, seconds32(l.cfg.NegativeTTL))
	wire = append(wire, byte(len(soaFields)>>8), byte(len(soaFields)))
	return append(wire, soaFields...)
}

// bit is b if on, otherwise 0.
func bit(on bool, b byte) byte {
	if on {
		return b
	}
	return 0
}
