package fakedns

import (
	"encoding/binary"
	"sync/atomic"
	"time"

	"github.com/miekg/dns"
)

const headerSize = 12

// outcome is what becomes of one packet.
type outcome struct {
	wire  []byte        // the answer; nil: none
	delay time.Duration // wait this long before it is sent
	rec   *record       // its row in the log; nil: none
}

// stamp notes in the log that the answer is being sent now.
func (o *outcome) stamp() { atomic.StoreInt64(&o.rec.answered, time.Now().UnixNano()) }

// exchange turns one packet into its answer and logs it. q holds what is known from
// the socket. A packet that is no DNS query at all (too short, or itself an answer)
// is dropped and not logged: answering those could make two servers talk forever.
func (s *Server) exchange(packet []byte, q *question) outcome {
	const responseBit = 1 << 7
	if len(packet) < headerSize || packet[2]&responseBit != 0 {
		return outcome{}
	}
	st := s.state.Load()
	rec := record{
		received: q.received.UnixNano(), client: q.client, resolver: q.resolver, revision: st.revision,
	}
	if q.transport == TCP {
		rec.transport = 1
	}
	req := new(dns.Msg)
	if rcode := parse(packet, req); rcode != dns.RcodeSuccess {
		return s.reject(packet, rec, rcode)
	}
	q.name, q.qtype = canonical(req.Question[0].Name), req.Question[0].Qtype
	rec.name, rec.qtype = q.name, q.qtype

	r, faults, stale := st.answer(req, q, &s.cfg)
	rec.faults, rec.stale = faults, stale
	if r.silent {
		rec.rcode = noAnswer
		return outcome{rec: s.log.append(rec)}
	}
	r.msg.Truncate(payloadSize(req, q.transport))
	wire, err := r.msg.Pack()
	if err != nil {
		return s.reject(packet, rec, dns.RcodeServerFailure)
	}
	if r.mangle != nil {
		r.mangle(wire)
		r.msg.Answer, r.msg.Ns = nil, nil
	}
	rec.describe(r.msg)
	return s.log.sending(outcome{wire: wire, delay: r.delay}, rec)
}

// sending logs an answer that is about to be sent, or that waits for its delay.
func (l *queryLog) sending(o outcome, rec record) outcome {
	if o.delay == 0 {
		rec.answered = time.Now().UnixNano()
	}
	o.rec = l.append(rec)
	return o
}

// parse reads a query; a code other than RcodeSuccess is the answer to a bad one.
func parse(packet []byte, req *dns.Msg) int {
	const opcodeShift, opcodeMask = 3, 0xF
	if opcode := int(packet[2]) >> opcodeShift & opcodeMask; opcode != dns.OpcodeQuery {
		return dns.RcodeNotImplemented
	}
	if err := req.Unpack(packet); err != nil || len(req.Question) != 1 {
		return dns.RcodeFormatError
	}
	return dns.RcodeSuccess
}

// reject answers with nothing but a header.
func (s *Server) reject(packet []byte, rec record, rcode int) outcome {
	const keepOpcodeAndRD, response = 0x79, 0x80
	wire := make([]byte, headerSize)
	copy(wire, packet[:2])
	binary.BigEndian.PutUint16(wire[2:], uint16(packet[2]&keepOpcodeAndRD|response)<<8|uint16(rcode))
	rec.rcode = int16(rcode)
	return s.log.sending(outcome{wire: wire}, rec)
}
