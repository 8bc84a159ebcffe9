package fakedns

import (
	"encoding/binary"
	"net/netip"
	"sync/atomic"
	"time"

	"github.com/miekg/dns"
)

// outcome is what becomes of one packet.
type outcome struct {
	wire  []byte        // the answer, good until the worker's next exchange; nil: none
	delay time.Duration // wait this long before it is sent
	rec   *record       // its row in the log; nil: none
}

// stamp notes in the log that the answer is being sent now.
func (o *outcome) stamp() { atomic.StoreInt64(&o.rec.answered, time.Now().UnixNano()) }

// worker turns packets into answers, one after the other. What it needs for that it
// keeps for the next.
type worker struct {
	s      *Server
	lookup lookup
	name   []byte
	known  sharedNames
	local  netip.AddrPort  // the address asked last
	shared *netip.AddrPort // the same, as the log points to it
}

func (s *Server) newWorker() *worker { return &worker{s: s, known: sharedNames{}} }

// sharedNames are names that were asked for, so that the log holds each once.
type sharedNames map[string]string

// share returns the name as a string that is kept already, if there is one.
func (n sharedNames) share(name []byte) string {
	const most = 4096
	if s, ok := n[string(name)]; ok {
		return s
	}
	if len(n) == most {
		clear(n)
	}
	s := string(name)
	n[s] = s
	return s
}

// resolver is the address in the form in which records share it.
func (w *worker) resolver(a netip.AddrPort) *netip.AddrPort {
	if w.shared == nil || w.local != a {
		shared := a
		w.local, w.shared = a, &shared
	}
	return w.shared
}

// exchange turns one packet into its answer, which it appends to wire, and logs it.
// q holds what is known from the socket. A packet that is no DNS query at all (too
// short, or itself an answer) is dropped and not logged: answering those could make
// two servers talk forever.
func (w *worker) exchange(wire, packet []byte, q *question) outcome {
	if len(packet) < headerSize || packet[2]&bitQR != 0 {
		return outcome{}
	}
	st := w.s.state.Load()
	rec := startRecord(q, st.revision, w.resolver(q.resolver))
	simple, ok := readSimple(packet, w.name)
	if ok {
		w.name = simple.name
		q.name, q.qtype, q.recursive = w.known.share(simple.name), simple.qtype, packet[2]&bitRD != 0
		ok = st.calm(q)
	}
	if !ok {
		return w.exchangeMessage(wire, packet, q, st, rec)
	}
	rec.name, rec.qtype = q.name, q.qtype
	l := &w.lookup
	l.run(st.table, q, &w.s.cfg)
	answered, ok := l.appendSimple(wire, packet, &simple, simple.limit(q.transport))
	if !ok {
		req := new(dns.Msg)
		if err := req.Unpack(packet); err != nil {
			return w.reject(wire, packet, rec, dns.RcodeFormatError)
		}
		return w.send(wire, packet, req, q, rec, newReply(req, l), l.stale)
	}
	rec.rcode, rec.ttl = int16(l.rcode), l.ttl
	if l.negative {
		rec.ttl = seconds32(l.cfg.NegativeTTL)
	}
	rec.set(isStale, l.stale)
	return w.s.log.sending(outcome{wire: answered}, &rec, l.addrs)
}

// limit is the largest answer the client can take.
func (p *simpleQuery) limit(transport Transport) int {
	if transport == TCP {
		return dns.MaxMsgSize
	}
	return p.size
}

// exchangeMessage is exchange for a query of any form, and for one that a fault touches.
func (w *worker) exchangeMessage(wire, packet []byte, q *question, st *state, rec record) outcome {
	req := new(dns.Msg)
	if rcode := parse(packet, req); rcode != dns.RcodeSuccess {
		return w.reject(wire, packet, rec, rcode)
	}
	asked := req.Question[0]
	q.name, q.qtype, q.recursive = canonical(asked.Name), asked.Qtype, req.RecursionDesired
	rec.name, rec.qtype = q.name, q.qtype

	table := st.table
	var active []*activeFault
	for _, f := range st.faults {
		if !f.takesPart(q) {
			continue
		}
		active = append(active, f)
		rec.faults = append(rec.faults, f.ID)
		if a, ok := f.behaviour.(archive); ok {
			table = a.table()
		}
	}
	l := &w.lookup
	if asked.Qclass == dns.ClassINET {
		l.run(table, q, &w.s.cfg)
	} else {
		l.refuse(q, &w.s.cfg)
	}
	r := newReply(req, l)
	for _, f := range active {
		f.behaviour.apply(r)
	}
	return w.send(wire, packet, req, q, rec, r, l.stale || table != st.table)
}

// send packs a reply, or not if it is silent, and logs it.
func (w *worker) send(wire, packet []byte, req *dns.Msg, q *question, rec record, r *reply, stale bool) outcome {
	rec.set(isStale, stale)
	if r.silent {
		rec.rcode = noAnswer
		return outcome{rec: w.s.log.append(&rec, nil)}
	}
	if opt := req.IsEdns0(); opt != nil {
		r.addEDNS(opt)
	}
	size := payloadSize(req, q.transport)
	r.addAdditional(size)
	r.msg.Truncate(size)
	r.msg.Compress = true // which Truncate takes back if the message is short enough without
	packed, err := r.msg.Pack()
	if err != nil {
		return w.reject(wire, packet, rec, dns.RcodeServerFailure)
	}
	if r.mangle != nil {
		r.mangle(packed)
		r.msg.Answer, r.msg.Ns, r.msg.Extra = nil, nil, nil
	}
	answers := rec.describe(r.msg)
	return w.s.log.sending(outcome{wire: append(wire, packed...), delay: r.delay}, &rec, answers)
}

// sending logs an answer that is about to be sent, or that waits for its delay.
func (l *queryLog) sending(o outcome, rec *record, answers []netip.Addr) outcome {
	if o.delay == 0 {
		rec.answered = time.Now().UnixNano()
	}
	o.rec = l.append(rec, answers)
	return o
}

// parse reads a query; a code other than RcodeSuccess is the answer to a bad one.
func parse(packet []byte, req *dns.Msg) int {
	if opcode := int(packet[2]) >> opcodeBit & opcodeAll; opcode != dns.OpcodeQuery {
		return dns.RcodeNotImplemented
	}
	if err := req.Unpack(packet); err != nil || len(req.Question) != 1 {
		return dns.RcodeFormatError
	}
	return dns.RcodeSuccess
}

// reject answers with nothing but a header.
func (w *worker) reject(wire, packet []byte, rec record, rcode int) outcome {
	const keepOpcodeAndRD = 0x79
	header := make([]byte, headerSize)
	copy(header, packet[:2])
	binary.BigEndian.PutUint16(header[2:], uint16(packet[2]&keepOpcodeAndRD|bitQR)<<8|uint16(rcode))
	rec.rcode = int16(rcode)
	return w.s.log.sending(outcome{wire: append(wire, header...)}, &rec, nil)
}
