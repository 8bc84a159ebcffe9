package fakedns

import (
	"math"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/miekg/dns"
)

// Order is the order in which the records of a [Name] stand in an answer.
type Order string

// The orders. Route 53 gives ELB names in random order (aws-facts 1.2, 5.11).
const (
	// OrderShuffle draws a new order for every answer from Config.Seed: the n-th
	// answer for a name and type is the same in every run with the same seed. The default.
	OrderShuffle Order = "shuffle"
	// OrderRotate starts each answer one address further than the last.
	OrderRotate Order = "rotate"
	// OrderFixed keeps the order given.
	OrderFixed Order = "fixed"
)

// TTLMode is which TTL the records of a [Name] have in an answer.
type TTLMode string

// The TTL modes.
const (
	// TTLFixed gives the full TTL each time, as an authoritative server does. The default.
	TTLFixed TTLMode = "fixed"
	// TTLCountdown gives what is left of it, as a resolver with a cache does: the first
	// question after a PUT or after the end of the TTL starts a new one (aws-facts 5.5).
	TTLCountdown TTLMode = "countdown"
)

// Wildcard is the name that answers for every name which is not set itself. As a
// first label, in "*.shop.example", it answers for the names below the rest that do
// not exist, as in Route 53 (RFC 4592).
const Wildcard = "*"

// DefaultMaxAnswers is the most addresses in one answer: Route 53 gives at most 8
// (aws-facts 1.4, 5.6).
const DefaultMaxAnswers = 8

// maxMaxAnswers keeps the largest answer (AAAA, 28 bytes each) within one DNS message.
const maxMaxAnswers = 1000

const maxTTL = math.MaxInt32 * time.Second

// Name is one DNS name and what is answered for it. A name with neither addresses,
// PTR, SRV, Alias nor CNAME exists and answers NODATA to everything.
type Name struct {
	// Name is matched without regard to case, with or without a trailing dot.
	// See [Wildcard] for "*".
	Name string `json:"name"`
	// TTL of each record, in whole seconds, 0 to 2^31-1. Must be 0 with Alias, which
	// answers with its target's TTL (aws-facts 5.7). An ELB name has 60 s (1.1).
	TTL time.Duration `json:"-"`
	// TTLMode is whether TTL counts down; "" is TTLFixed. Not with Alias.
	TTLMode TTLMode `json:"ttl_mode,omitempty"`
	// A is the set of IPv4 addresses; a question for A without any gets NODATA.
	A []netip.Addr `json:"a,omitempty"`
	// AAAA is the set of IPv6 addresses.
	AAAA []netip.Addr `json:"aaaa,omitempty"`
	// Zones are the nodes of a load balancer by Availability Zone, in place of A and
	// AAAA. "dualstack." before the name and each zone's own name are then answered
	// too (aws-facts 1.12).
	Zones []Zone `json:"zones,omitempty"`
	// Unhealthy are addresses whose health check fails: they are left out, unless
	// none of their type and view is healthy (aws-facts 1.15, 5.9).
	Unhealthy []netip.Addr `json:"unhealthy,omitempty"`
	// Views give some clients other addresses: the first that matches counts.
	Views []View `json:"views,omitempty"`
	// PTR is the host name that a reverse name (4.3.2.1.in-addr.arpa) points to.
	PTR string `json:"ptr,omitempty"`
	// SRV are the SRV records, at most 200, of a name such as _http._tcp.app.example.
	// An answer with them also has the addresses of their hosts, as far as they are
	// names here and fit in.
	SRV []SRV `json:"srv,omitempty"`
	// Alias names another Name whose records are answered as this one's own, as a
	// Route 53 alias record does; an unset target is NODATA.
	Alias string `json:"alias,omitempty"`
	// Aliases are of a wildcard, in place of Alias: the first name that it answers for
	// is an alias of the first of them, the second name of the second, and every name
	// after the last of them of the last, whatever the wildcard becomes later. So each
	// name that an unknown client asks for has addresses of its own.
	Aliases []string `json:"aliases,omitempty"`
	// EvaluateTargetHealth gives an Alias the health of its target (aws-facts 1.17).
	EvaluateTargetHealth bool `json:"evaluate_target_health,omitempty"`
	// Failover is the name that answers, as an alias does, while this one is unhealthy
	// and that one is healthy: the secondary of a Route 53 failover record.
	Failover string `json:"failover,omitempty"`
	// Health is what an alias that evaluates this name, and Failover, take for its
	// health; "" is unhealthy if each of its addresses is in Unhealthy. An ALB is
	// unhealthy if any of its target groups has no healthy target (1.17).
	Health Health `json:"health,omitempty"`
	// CNAME puts a CNAME record into the answer, followed by what its target answers.
	CNAME string `json:"cname,omitempty"`
	// Order of the addresses and of the SRV records; "" is OrderShuffle.
	Order Order `json:"order,omitempty"`
	// MaxAnswers is the most addresses, or SRV records, in one answer, 1 to 1000; 0 is
	// DefaultMaxAnswers.
	MaxAnswers int `json:"max_answers,omitempty"`
	// Propagation is the time from the PUT until this takes the place of what the name
	// was before; 0 is at once. Route 53 takes up to 60 s (aws-facts 5.10).
	Propagation time.Duration `json:"-"`
	// Interleave is for how long after that each answer is from before or after the
	// change, drawn from Config.Seed: clients that meet several caches (aws-facts 5.5).
	Interleave time.Duration `json:"-"`
}

// View is the set of addresses that some clients get in place of a Name's own.
type View struct {
	// Clients are the prefixes one of which the client's address must be in; none is any.
	Clients []netip.Prefix `json:"clients,omitempty"`
	// Resolvers are the local addresses one of which was asked; none is any.
	Resolvers []netip.Addr `json:"resolvers,omitempty"`
	A         []netip.Addr `json:"a,omitempty"`
	AAAA      []netip.Addr `json:"aaaa,omitempty"`
}

// normalize checks n and fills in its defaults; the result shares nothing with n.
func (n Name) normalize() (Name, *Error) {
	var err *Error
	if n.Name, err = hostname("name", n.Name); err != nil {
		return Name{}, err
	}
	if err := checkTTL(n.TTL); err != nil {
		return Name{}, err
	}
	if n.A, n.AAAA, err = addressSets(n.A, n.AAAA); err != nil {
		return Name{}, err
	}
	if n.SRV, err = normalizeSRV(n.SRV); err != nil {
		return Name{}, err
	}
	if n.Views, err = normalizeViews(n.Views); err != nil {
		return Name{}, err
	}
	if err := n.normalizeZones(); err != nil {
		return Name{}, err
	}
	if err := n.normalizeTargets(); err != nil {
		return Name{}, err
	}
	if err := n.normalizeHealth(); err != nil {
		return Name{}, err
	}
	if err := n.normalizeChoices(); err != nil {
		return Name{}, err
	}
	if err := checkPropagation(n.Propagation); err != nil {
		return Name{}, err
	}
	if n.Interleave < 0 {
		return Name{}, invalid("interleave_seconds", "got %g, want 0 or more", n.Interleave.Seconds())
	}
	return n, nil
}

func (n *Name) normalizeChoices() *Error {
	switch n.Order {
	case "":
		n.Order = OrderShuffle
	case OrderShuffle, OrderRotate, OrderFixed:
	default:
		return invalid("order", "got %q, want shuffle, rotate or fixed", n.Order)
	}
	switch {
	case n.isAlias() && n.TTLMode != "":
		return invalid("ttl_mode", "got %q on an alias, want none: an alias has its target's TTL", n.TTLMode)
	case n.TTLMode == "" && !n.isAlias():
		n.TTLMode = TTLFixed
	case n.TTLMode != "" && n.TTLMode != TTLFixed && n.TTLMode != TTLCountdown:
		return invalid("ttl_mode", "got %q, want fixed or countdown", n.TTLMode)
	}
	if n.MaxAnswers == 0 {
		n.MaxAnswers = DefaultMaxAnswers
	}
	if n.MaxAnswers < 1 || n.MaxAnswers > maxMaxAnswers {
		return invalid("max_answers", "got %d, want 1 to %d", n.MaxAnswers, maxMaxAnswers)
	}
	return nil
}

// normalizeTargets checks Alias and CNAME, each of which excludes all else, and PTR.
func (n *Name) normalizeTargets() *Error {
	var err *Error
	hasRecords := len(n.A)+len(n.AAAA)+len(n.Zones)+len(n.Views)+len(n.SRV) > 0 || n.PTR != ""
	switch {
	case n.isAlias() && n.CNAME != "":
		return invalid("alias", "%q has alias and cname, want one of them", n.Name)
	case n.isAlias() && hasRecords:
		return invalid("alias", "%q has alias and records of its own, want one of them", n.Name)
	case n.CNAME != "" && hasRecords:
		return invalid("cname", "%q has cname and records of its own, want one of them", n.Name)
	case n.isAlias() && n.TTL != 0:
		return invalid("ttl_seconds", "got %g on an alias, want none: an alias has its target's TTL", n.TTL.Seconds())
	case len(n.Aliases) > 0:
		err = n.normalizeAliases()
	case n.Alias != "":
		n.Alias, err = hostname("alias", n.Alias)
	case n.CNAME != "":
		n.CNAME, err = hostname("cname", n.CNAME)
	case n.PTR != "":
		n.PTR, err = hostname("ptr", n.PTR)
	}
	return err
}

// normalizeAliases checks the targets of a wildcard that gives each name its own.
func (n *Name) normalizeAliases() *Error {
	first, _, _ := strings.Cut(n.Name, ".")
	switch {
	case n.Alias != "":
		return invalid("aliases", "%q has alias and aliases, want one of them", n.Name)
	case first != Wildcard:
		return invalid("aliases", "given for %q, want a wildcard such as %q", n.Name, Wildcard)
	case len(n.Aliases) > maxAliases:
		return invalid("aliases", "got %d, want at most %d", len(n.Aliases), maxAliases)
	}
	n.Aliases = slices.Clone(n.Aliases)
	for i, target := range n.Aliases {
		var err *Error
		if n.Aliases[i], err = hostname(indexed("aliases", i), target); err != nil {
			return err
		}
	}
	return nil
}

// maxAliases bounds what is remembered of the names that were asked for.
const maxAliases = 1000

// isAlias says whether another name's records are answered for this one.
func (n *Name) isAlias() bool { return n.Alias != "" || len(n.Aliases) > 0 }

// normalizeHealth checks what decides whether the failover answers.
func (n *Name) normalizeHealth() *Error {
	switch n.Health {
	case "", HealthHealthy, HealthUnhealthy:
	default:
		return invalid("health", "got %q, want healthy or unhealthy", n.Health)
	}
	if n.EvaluateTargetHealth && !n.isAlias() {
		return invalid("evaluate_target_health", "given for %q, which is no alias", n.Name)
	}
	if n.Failover == "" {
		return nil
	}
	var err *Error
	n.Failover, err = hostname("failover", n.Failover)
	return err
}

func normalizeViews(in []View) ([]View, *Error) {
	views := slices.Clone(in)
	for i, v := range views {
		var err *Error
		if v.Clients, err = prefixes("clients", v.Clients); err != nil {
			return nil, within(indexed("views", i), err)
		}
		if v.Resolvers, err = localAddresses("resolvers", v.Resolvers); err != nil {
			return nil, within(indexed("views", i), err)
		}
		if v.A, v.AAAA, err = addressSets(v.A, v.AAAA); err != nil {
			return nil, within(indexed("views", i), err)
		}
		views[i] = v
	}
	return views, nil
}

// hostname returns the form of a name used in this package's API: lower case,
// no trailing dot; "." is the root.
func hostname(field, s string) (string, *Error) {
	if s == "" {
		return "", invalid(field, "empty, want a DNS name such as app.example")
	}
	if _, ok := dns.IsDomainName(s); !ok || strings.ContainsAny(s, " \t\r\n") {
		return "", invalid(field, "got %q, want a DNS name such as app.example", s)
	}
	return canonical(s), nil
}

// canonical is hostname for a name that is known to be valid.
func canonical(s string) string {
	s = dns.CanonicalName(s)
	if s == "." {
		return s
	}
	return s[:len(s)-1]
}

func checkTTL(ttl time.Duration) *Error {
	if ttl < 0 || ttl > maxTTL || ttl%time.Second != 0 {
		return invalid("ttl_seconds", "got %g, want whole seconds from 0 to %d", ttl.Seconds(), math.MaxInt32)
	}
	return nil
}

func checkPropagation(d time.Duration) *Error {
	if d < 0 {
		return invalid("propagation_seconds", "got %g, want 0 or more", d.Seconds())
	}
	return nil
}

func isIPv6(a netip.Addr) bool { return a.Is6() && !a.Is4In6() && a.Zone() == "" }

func addressSets(a, aaaa []netip.Addr) (four, six []netip.Addr, err *Error) {
	if four, err = addresses("a", a, netip.Addr.Is4, "IPv4"); err != nil {
		return nil, nil, err
	}
	if six, err = addresses("aaaa", aaaa, isIPv6, "IPv6"); err != nil {
		return nil, nil, err
	}
	return four, six, nil
}

func addresses(field string, in []netip.Addr, ok func(netip.Addr) bool, want string) ([]netip.Addr, *Error) {
	for i, a := range in {
		if !ok(a) {
			return nil, invalid(indexed(field, i), "got %q, want an %s address", a, want)
		}
		if slices.Contains(in[:i], a) {
			return nil, invalid(indexed(field, i), "%s is given twice", a)
		}
	}
	return slices.Clone(in), nil
}
