package pod

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"github.com/miekg/dns"

	"github.com/proxychaos/proxychaos/harness/fault"
)

// HTTPRequest asks for one GET on a connection of its own.
type HTTPRequest struct {
	Addr    netip.AddrPort `json:"addr"`
	Path    string         `json:"path,omitempty"`    // with its query; "" is /
	Host    string         `json:"host,omitempty"`    // "" is Addr
	Timeout Duration       `json:"timeout,omitempty"` // of the whole; 0 is DefaultTimeout
}

func (r *HTTPRequest) validate() error {
	if err := checkTarget(r.Addr); err != nil {
		return err
	}
	if r.Path == "" {
		r.Path = "/"
	}
	if _, err := url.ParseRequestURI(r.Path); err != nil || !strings.HasPrefix(r.Path, "/") {
		return invalid("path", "got %q, want a path such as /status?full=1", r.Path)
	}
	if r.Host == "" {
		r.Host = r.Addr.String()
	}
	if strings.ContainsAny(r.Host, " \t\r\n/") {
		return invalid("host", "got %q, want a host name", r.Host)
	}
	return nil
}

// probeHTTP gives the results of a connect as well as those of a question.
func (a *Agent) probeHTTP(ctx context.Context, req HTTPRequest) (Answer, error) {
	if err := req.validate(); err != nil {
		return Answer{}, err
	}
	timeout, err := req.Timeout.orDefault()
	if err != nil {
		return Answer{}, err
	}
	began := time.Now()
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	c, result, err := openCanary(ctx, &a.dialer, "", req.Addr)
	if err != nil {
		return Answer{}, err
	}
	if c == nil {
		return Answer{Result: result, At: began, Took: Duration(time.Since(began))}, nil
	}
	answer, err := c.question(req.Path, req.Host, max(0, time.Until(began.Add(timeout))))
	answer.At, answer.Took = began, Duration(time.Since(began))
	return answer, errors.Join(err, c.drop())
}

// ProbeClient is the source address of the agent's own DNS queries.
var ProbeClient = netip.AddrFrom4([4]byte{127, 0, 0, 77})

// IsProbe says whether a query came from the agent itself: from ProbeClient, or, if it
// was sent over IPv6, which has no second address on lo, from a probe port.
func IsProbe(client netip.AddrPort) bool {
	return client.Addr() == ProbeClient || client.Addr() == netip.IPv6Loopback() && isProbePort(client.Port())
}

// DNSRequest asks a resolver for the addresses of a name.
type DNSRequest struct {
	Resolver netip.AddrPort `json:"resolver"`
	Name     string         `json:"name"`
	Type     string         `json:"type"`              // A or AAAA
	Timeout  Duration       `json:"timeout,omitempty"` // 0 is DefaultTimeout
}

// DNSProbe is what a resolver said.
type DNSProbe struct {
	Result  fault.Result `json:"result"`          // answered, silence, refused (nothing listens there)
	RCode   string       `json:"rcode,omitempty"` // NOERROR, NXDOMAIN, SERVFAIL, ...
	Answers []netip.Addr `json:"answers"`
	// TTLSeconds is the lowest TTL among the answers.
	TTLSeconds uint32    `json:"ttl_seconds"`
	At         time.Time `json:"at"` // when the query was sent
	Took       Duration  `json:"took"`
}

func (a *Agent) probeDNS(ctx context.Context, req DNSRequest) (DNSProbe, error) {
	if !req.Resolver.IsValid() || req.Resolver.Port() == 0 {
		return DNSProbe{}, invalid("resolver", "got %q, want an address with a port, such as 169.254.169.253:53", req.Resolver)
	}
	if _, ok := dns.IsDomainName(req.Name); !ok || req.Name == "" {
		return DNSProbe{}, invalid("name", "got %q, want a host name", req.Name)
	}
	qtype := dns.StringToType[req.Type]
	if qtype != dns.TypeA && qtype != dns.TypeAAAA {
		return DNSProbe{}, invalid("type", "got %q, want A or AAAA", req.Type)
	}
	timeout, err := req.Timeout.orDefault()
	if err != nil {
		return DNSProbe{}, err
	}
	client := dns.Client{
		Timeout: timeout,
		Dialer:  &net.Dialer{LocalAddr: a.dialer.dnsClient(req.Resolver.Addr()), Control: reuseAddress, Timeout: timeout},
	}
	query := new(dns.Msg).SetQuestion(dns.Fqdn(req.Name), qtype)
	began := time.Now()
	reply, _, err := client.ExchangeContext(ctx, query, req.Resolver.String())
	probe := DNSProbe{Result: fault.Answered, Answers: []netip.Addr{}, At: began, Took: Duration(time.Since(began))}
	if err != nil {
		if probe.Result, err = connectResult(err); err != nil {
			return DNSProbe{}, fmt.Errorf("pod: ask %s for %q: %w", req.Resolver, req.Name, err)
		}
		if probe.Result == fault.TimedOut {
			probe.Result = fault.Silent
		}
		return probe, nil
	}
	probe.RCode = dns.RcodeToString[reply.Rcode]
	for i, rr := range reply.Answer {
		if ttl := rr.Header().Ttl; i == 0 || ttl < probe.TTLSeconds {
			probe.TTLSeconds = ttl
		}
	}
	probe.Answers = append(probe.Answers, fault.Addresses(reply.Answer)...)
	return probe, nil
}
