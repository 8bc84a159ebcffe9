package fakedns

import (
	"net/netip"

	"github.com/miekg/dns"
)

// lookup is one question to one table, and what the table says to it. It is used
// again for the next question, so that most need no memory.
type lookup struct {
	*table
	q   *question
	cfg *Config

	// links are the CNAMEs on the way, in their order.
	links []link
	// addrs, ptr or srv are the records at the end of the chain, of the type asked for.
	addrs []netip.Addr
	ptr   string
	srv   []SRV
	ttl   uint32 // of these records, in seconds
	// srvHosts are those of srv that have addresses.
	srvHosts []host
	rcode    int
	// negative: no record of the type asked for stands at the end of the chain.
	negative bool
	// stale: something in the answer has already been replaced.
	stale bool
}

// link is one CNAME record of an answer; its owner is the target of the one before.
type link struct {
	target string // with a trailing dot
	ttl    uint32
}

// maxChain ends a chain that never ends, which only changes that are still on their
// way can form; a resolver gives up in the same way.
const maxChain = 32

// run answers the question, following aliases silently and CNAMEs visibly.
func (l *lookup) run(t *table, q *question, cfg *Config) {
	*l = lookup{table: t, q: q, cfg: cfg, links: l.links[:0], addrs: l.addrs[:0]}
	name := q.name
	if l.missing(name) {
		l.rcode, l.negative = dns.RcodeNameError, true
		return
	}
	for range maxChain {
		e := l.find(name)
		switch {
		case e == nil:
			if _, above := l.above[name]; !above {
				l.rcode = dns.RcodeNameError
			}
			l.negative = true
			return
		case e.CNAME == "":
			l.end(e)
			return
		}
		l.links = append(l.links, link{dns.Fqdn(e.CNAME), l.clamped(e)})
		if q.qtype == dns.TypeCNAME {
			return
		}
		name = e.CNAME
	}
	l.links, l.rcode = l.links[:0], dns.RcodeServerFailure
}

// missing says whether a name for which a wildcard would answer does not exist.
func (l *lookup) missing(name string) bool {
	return l.cfg.Missing != nil && l.entries[name] == nil && l.implied[name] == nil && l.cfg.Missing(name)
}

// refuse answers what is not a question of class IN.
func (l *lookup) refuse(q *question, cfg *Config) {
	*l = lookup{q: q, cfg: cfg, links: l.links[:0], addrs: l.addrs[:0], rcode: dns.RcodeRefused}
}

// end takes the records of the type asked for from the end of the chain.
func (l *lookup) end(e *entry) {
	switch l.q.qtype {
	case dns.TypeA:
		l.addrs = choose(e, l.addrs, e.view(l.q).four, &e.counters.a, l.cfg.Seed, dns.TypeA)
	case dns.TypeAAAA:
		l.addrs = choose(e, l.addrs, e.view(l.q).six, &e.counters.aaaa, l.cfg.Seed, dns.TypeAAAA)
	case dns.TypePTR:
		l.ptr = e.PTR
	case dns.TypeSRV:
		l.srv = choose(e, nil, e.SRV, &e.counters.srv, l.cfg.Seed, dns.TypeSRV)
		l.srvHosts = l.hosts(l.srv)
	}
	l.negative = len(l.addrs) == 0 && l.ptr == "" && len(l.srv) == 0
	if !l.negative {
		l.ttl = l.clamped(e)
	}
}

// clamped is the TTL of an entry's records now. Asked to recurse, the server is the
// VPC resolver, which gives none above Config.MaxTTL.
func (l *lookup) clamped(e *entry) uint32 {
	ttl := e.ttl(l.q.received)
	if l.q.recursive {
		return min(ttl, seconds32(l.cfg.MaxTTL))
	}
	return ttl
}

// find returns the entry that answers for a name, through its aliases and its
// failover; nil is no such name.
func (l *lookup) find(name string) *entry {
	e := l.see(name)
	for range maxChain {
		if e == nil {
			break
		}
		next := e.alias(name)
		if l.failedOver(e) {
			next = e.Failover
		}
		if next == "" {
			return e
		}
		if e = l.see(next); e == nil {
			return &noRecords
		}
		name = next
	}
	if e != nil {
		return &noRecords
	}
	return nil
}

// noRecords answers for an alias that leads to nothing: the name exists (aws-facts 5.7).
var noRecords = entry{counters: &counters{}}

// failedOver says whether a name is answered by its failover: its own records are
// unhealthy and those of the other are not. Where both are, Route 53 takes all for
// healthy, and so the primary answers (aws-facts 5.9).
func (l *lookup) failedOver(e *entry) bool {
	if e.Failover == "" || l.healthy(e, maxChain) {
		return false
	}
	other := l.see(e.Failover)
	return other != nil && l.healthy(other, maxChain)
}

// healthy says whether Route 53 takes a name's records for healthy.
// An alias that evaluates its target's health has that one's (aws-facts 1.17).
func (l *lookup) healthy(e *entry, depth int) bool {
	switch {
	case e.Health != "":
		return e.Health == HealthHealthy
	case !e.isAlias():
		return !e.allUnhealthy
	case !e.EvaluateTargetHealth:
		return true
	}
	target := l.see(e.alias(l.q.name))
	return target != nil && depth > 0 && l.healthy(target, depth-1)
}

// see returns what this question sees of a name; nil if nothing that can answer for
// it is set, or not yet.
func (l *lookup) see(name string) *entry {
	for _, e := range l.candidates(name) {
		if e == nil {
			continue
		}
		seen, replaced := e.visible(l.q.received, l.cfg.Seed)
		l.stale = l.stale || replaced
		if seen != nil {
			return seen
		}
	}
	return nil
}
