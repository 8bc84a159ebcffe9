package resolve

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"sync/atomic"
	"time"

	"github.com/miekg/dns"
)

// repeatAfter is how long a server may stay silent before the question also
// goes to the next one.
const repeatAfter = 300 * time.Millisecond

// ednsSize is the UDP payload offered: what fits an unfragmented datagram on
// any usual path (DNS Flag Day 2020).
const ednsSize = 1232

// maxCNAMEs bounds the alias chain that is followed inside one answer.
const maxCNAMEs = 16

// answer is what a server said about one record type.
type answer struct {
	addrs  []netip.Addr
	ttl    time.Duration // least TTL on the chain, or the negative TTL
	rcode  int
	server netip.AddrPort
}

// asker puts single questions to a list of servers.
type asker struct {
	servers   []netip.AddrPort
	timeout   time.Duration
	preferred atomic.Int64 // index of the server that answered last
	sent      atomic.Uint64
}

func newAsker(servers []netip.AddrPort, timeout time.Duration) *asker {
	return &asker{servers: servers, timeout: timeout}
}

// ask returns the first usable answer. A server that is silent for
// repeatAfter, or gives an error, gets company from the next one.
func (a *asker) ask(ctx context.Context, name string, qtype uint16) (answer, error) {
	ctx, cancel := context.WithTimeout(ctx, a.timeout)
	defer cancel()
	type outcome struct {
		index int
		ans   answer
		err   error
	}
	// Two rounds over the servers, at least four messages: more would only
	// load a resolver that is already in trouble.
	rounds := max(4, 2*len(a.servers))
	outcomes := make(chan outcome, rounds)
	first := int(a.preferred.Load())
	launched, finished := 0, 0
	launch := func() {
		index := (first + launched) % len(a.servers)
		launched++
		a.sent.Add(1)
		go func() {
			ans, err := exchange(ctx, a.servers[index], name, qtype)
			outcomes <- outcome{index, ans, err}
		}()
	}
	launch()
	repeat := time.NewTimer(repeatAfter)
	defer repeat.Stop()
	var errs []error
	for {
		select {
		case o := <-outcomes:
			if o.err == nil {
				a.preferred.Store(int64(o.index))
				return o.ans, nil
			}
			finished++
			errs = append(errs, o.err)
			// After each server has had its turn, errors wait for the timer.
			if launched < len(a.servers) {
				launch()
				repeat.Reset(repeatAfter)
			} else if finished == launched && (launched >= rounds || launched >= 2*len(a.servers)) {
				return answer{}, errors.Join(dedupe(errs)...)
			}
		case <-repeat.C:
			if launched < rounds {
				launch()
				repeat.Reset(repeatAfter)
			}
		case <-ctx.Done():
			return answer{}, errors.Join(append(dedupe(errs), fmt.Errorf("no answer within %v from %v", a.timeout, a.servers))...)
		}
	}
}

// dedupe drops errors with a text already seen, so that a log line names each
// server once.
func dedupe(errs []error) []error {
	var out []error
	seen := map[string]bool{}
	for _, err := range errs {
		if !seen[err.Error()] {
			seen[err.Error()] = true
			out = append(out, err)
		}
	}
	return out
}

// exchange asks one server over UDP, and over TCP when the answer is truncated.
func exchange(ctx context.Context, server netip.AddrPort, name string, qtype uint16) (answer, error) {
	query := new(dns.Msg)
	query.SetQuestion(dns.Fqdn(name), qtype)
	query.SetEdns0(ednsSize, false)
	reply, err := send(ctx, "udp", server, query)
	if err == nil && (reply.Rcode == dns.RcodeFormatError || reply.Rcode == dns.RcodeNotImplemented) {
		// A server from before EDNS (RFC 6891, section 7).
		query.Extra = nil
		reply, err = send(ctx, "udp", server, query)
	}
	if err == nil && reply.Truncated {
		reply, err = send(ctx, "tcp", server, query)
	}
	if err != nil {
		return answer{}, fmt.Errorf("%v: %w", server, err)
	}
	ans, err := read(reply, qtype)
	if err != nil {
		return answer{}, fmt.Errorf("%v: %w", server, err)
	}
	ans.server = server
	return ans, nil
}

func send(ctx context.Context, network string, server netip.AddrPort, query *dns.Msg) (*dns.Msg, error) {
	client := dns.Client{Net: network, UDPSize: ednsSize}
	if deadline, ok := ctx.Deadline(); ok {
		// miekg/dns caps a context's deadline by its own 2 s default.
		client.Timeout = time.Until(deadline)
	}
	reply, _, err := client.ExchangeContext(ctx, query, server.String())
	if err != nil {
		return nil, err
	}
	if !reply.Response || len(reply.Question) != 1 ||
		reply.Question[0].Qtype != query.Question[0].Qtype ||
		!strings.EqualFold(reply.Question[0].Name, query.Question[0].Name) {
		return nil, errors.New("the answer is for another question")
	}
	return reply, nil
}

// read takes the addresses out of a reply, following its CNAME chain.
func read(reply *dns.Msg, qtype uint16) (answer, error) {
	ans := answer{rcode: reply.Rcode}
	if reply.Rcode != dns.RcodeSuccess && reply.Rcode != dns.RcodeNameError {
		return ans, fmt.Errorf("rcode %s", dns.RcodeToString[reply.Rcode])
	}
	owner := reply.Question[0].Name
	least := uint32(1<<32 - 1)
	for range maxCNAMEs {
		next := ""
		for _, rr := range reply.Answer {
			if !strings.EqualFold(rr.Header().Name, owner) {
				continue
			}
			var addr netip.Addr
			switch rr := rr.(type) {
			case *dns.CNAME:
				next = rr.Target
				least = min(least, rr.Hdr.Ttl)
			case *dns.A:
				addr, _ = netip.AddrFromSlice(rr.A.To4())
			case *dns.AAAA:
				addr, _ = netip.AddrFromSlice(rr.AAAA.To16())
			}
			if isHost(addr) && rr.Header().Rrtype == qtype {
				ans.addrs = append(ans.addrs, addr)
				least = min(least, rr.Header().Ttl)
			}
		}
		if next == "" || len(ans.addrs) > 0 {
			break
		}
		owner = next
	}
	if len(ans.addrs) == 0 {
		least = negativeTTL(reply)
	}
	ans.ttl = time.Duration(least) * time.Second
	return ans, nil
}

// isHost reports whether an address can be one to connect to. 0.0.0.0 and "::" are how
// filters say that there is no such name; to the kernel they are this machine.
func isHost(addr netip.Addr) bool {
	return addr.IsValid() && !addr.Unmap().IsUnspecified() && !addr.IsMulticast() && addr != broadcast
}

var broadcast = netip.AddrFrom4([4]byte{255, 255, 255, 255})

// negativeTTL is the smaller of the SOA's TTL and its MINIMUM field (RFC 2308,
// section 5), or 5 s where there is no SOA.
func negativeTTL(reply *dns.Msg) uint32 {
	for _, rr := range reply.Ns {
		if soa, ok := rr.(*dns.SOA); ok {
			return min(soa.Hdr.Ttl, soa.Minttl)
		}
	}
	return 5
}
