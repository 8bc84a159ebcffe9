package fakedns

import (
	"math"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/miekg/dns"
)

// Order is the order in which the addresses of a [Name] stand in an answer.
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

// Wildcard is the name that answers for every name which is not set itself.
const Wildcard = "*"

// DefaultMaxAnswers is the most addresses in one answer: Route 53 gives at most 8
// (aws-facts 1.4, 5.6).
const DefaultMaxAnswers = 8

// maxMaxAnswers keeps the largest answer (AAAA, 28 bytes each) within one DNS message.
const maxMaxAnswers = 1000

// Name is one DNS name and what is answered for it. A name with neither addresses,
// Alias nor CNAME exists and answers NODATA to everything.
type Name struct {
	// Name is matched without regard to case, with or without a trailing dot.
	// [Wildcard] answers every name that is not set itself.
	Name string `json:"name"`
	// TTL of each record, in whole seconds, 0 to 2^31-1. Must be 0 with Alias, which
	// answers with its target's TTL (aws-facts 5.7). An ELB name has 60 s (1.1).
	TTL time.Duration `json:"-"`
	// A is the set of IPv4 addresses; a question for A without any gets NODATA.
	A []netip.Addr `json:"a,omitempty"`
	// AAAA is the set of IPv6 addresses.
	AAAA []netip.Addr `json:"aaaa,omitempty"`
	// Alias names another Name whose records are answered as this one's own, as a
	// Route 53 alias record does; an unset target is NODATA.
	Alias string `json:"alias,omitempty"`
	// CNAME puts a CNAME record into the answer, followed by what its target answers.
	CNAME string `json:"cname,omitempty"`
	// Order of the addresses; "" is OrderShuffle.
	Order Order `json:"order,omitempty"`
	// MaxAnswers is the most addresses in one answer, 1 to 1000; 0 is DefaultMaxAnswers.
	MaxAnswers int `json:"max_answers,omitempty"`
}

// normalize checks n and fills in its defaults; the result shares nothing with n.
func (n Name) normalize() (Name, *Error) {
	var err *Error
	if n.Name, err = hostname("name", n.Name); err != nil {
		return Name{}, err
	}
	if n.TTL < 0 || n.TTL > math.MaxInt32*time.Second || n.TTL%time.Second != 0 {
		return Name{}, invalid("ttl_seconds", "got %v, want whole seconds from 0 to %d", n.TTL, math.MaxInt32)
	}
	if n.A, err = addresses("a", n.A, netip.Addr.Is4, "IPv4"); err != nil {
		return Name{}, err
	}
	if n.AAAA, err = addresses("aaaa", n.AAAA, isIPv6, "IPv6"); err != nil {
		return Name{}, err
	}
	if err := n.normalizeTarget(); err != nil {
		return Name{}, err
	}
	switch n.Order {
	case "":
		n.Order = OrderShuffle
	case OrderShuffle, OrderRotate, OrderFixed:
	default:
		return Name{}, invalid("order", "got %q, want shuffle, rotate or fixed", n.Order)
	}
	if n.MaxAnswers == 0 {
		n.MaxAnswers = DefaultMaxAnswers
	}
	if n.MaxAnswers < 1 || n.MaxAnswers > maxMaxAnswers {
		return Name{}, invalid("max_answers", "got %d, want 1 to %d", n.MaxAnswers, maxMaxAnswers)
	}
	return n, nil
}

// normalizeTarget checks Alias and CNAME, each of which excludes all else.
func (n *Name) normalizeTarget() *Error {
	var err *Error
	hasAddresses := len(n.A)+len(n.AAAA) > 0
	switch {
	case n.Alias != "" && n.CNAME != "":
		return invalid("alias", "%q has alias and cname, want one of them", n.Name)
	case n.Alias != "" && hasAddresses:
		return invalid("alias", "%q has alias and addresses, want one of them", n.Name)
	case n.CNAME != "" && hasAddresses:
		return invalid("cname", "%q has cname and addresses, want one of them", n.Name)
	case n.Alias != "" && n.TTL != 0:
		return invalid("ttl_seconds", "got %v on an alias, want none: an alias has its target's TTL", n.TTL)
	case n.Alias != "":
		n.Alias, err = hostname("alias", n.Alias)
	case n.CNAME != "":
		n.CNAME, err = hostname("cname", n.CNAME)
	}
	return err
}

func (n Name) target() string {
	if n.Alias != "" {
		return n.Alias
	}
	return n.CNAME
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

func isIPv6(a netip.Addr) bool { return a.Is6() && !a.Is4In6() && a.Zone() == "" }

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
