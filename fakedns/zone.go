package fakedns

import (
	"net/netip"
	"slices"
	"strings"
)

// Zone is the nodes of a load balancer in one Availability Zone; at rest that is one
// address of each type (aws-facts 1.3).
type Zone struct {
	// Name is one label, such as "ap-northeast-1a". Behind it stands the name of the
	// load balancer, spelled as the zone names of ELB are (1.12).
	Name string       `json:"name"`
	A    []netip.Addr `json:"a,omitempty"`
	AAAA []netip.Addr `json:"aaaa,omitempty"`
	// Shifted leaves the zone out of the load balancer's answers, whatever the health
	// of the others: a zonal shift, or AWS taking the zone out (1.16).
	Shifted bool `json:"shifted,omitempty"`
}

// Health is what Route 53 takes a [Name] for.
type Health string

// The states of health.
const (
	HealthHealthy   Health = "healthy"
	HealthUnhealthy Health = "unhealthy"
)

// addresses are all that n may give to a client without a view of its own.
func (n *Name) addresses() addressSet {
	if len(n.Zones) == 0 {
		return addressSet{n.A, n.AAAA}
	}
	var all addressSet
	for _, z := range n.Zones {
		if !z.Shifted {
			all.four = append(all.four, z.A...)
			all.six = append(all.six, z.AAAA...)
		}
	}
	return all
}

// usable leaves the unhealthy out, unless all are.
func (n *Name) usable(addrs []netip.Addr) []netip.Addr {
	unhealthy := func(a netip.Addr) bool { return slices.Contains(n.Unhealthy, a) }
	if healthy := slices.DeleteFunc(slices.Clone(addrs), unhealthy); len(healthy) > 0 {
		return healthy
	}
	return addrs
}

// implied are the names that a name with zones brings with it.
func (n *Name) implied() []Name {
	if len(n.Zones) == 0 {
		return nil
	}
	names := []Name{{Name: "dualstack." + n.Name, Alias: n.Name, MaxAnswers: n.MaxAnswers, Propagation: n.Propagation}}
	for _, z := range n.Zones {
		names = append(names, Name{
			Name: zoneName(z.Name, n.Name), TTL: n.TTL, TTLMode: n.TTLMode, A: z.A, AAAA: z.AAAA,
			Order: n.Order, MaxAnswers: n.MaxAnswers, Propagation: n.Propagation, Interleave: n.Interleave,
		})
	}
	return names
}

// zoneName is the name of one zone's nodes. ELB turns two labels of an ALB's name
// round: app-1.eu-west-1.elb.amazonaws.com has eu-west-1a.app-1.elb.eu-west-1.amazonaws.com.
func zoneName(zone, name string) string {
	const suffix = ".elb.amazonaws.com"
	if front, ok := strings.CutSuffix(name, suffix); ok {
		if dot := strings.LastIndexByte(front, '.'); dot > 0 {
			name = front[:dot] + ".elb" + front[dot:] + ".amazonaws.com"
		}
	}
	return zone + "." + name
}

// normalizeZones checks Zones and Unhealthy.
func (n *Name) normalizeZones() *Error {
	if len(n.Zones) > 0 && len(n.A)+len(n.AAAA) > 0 {
		return invalid("zones", "%q has zones and addresses of its own, want one of them", n.Name)
	}
	if first, _, _ := strings.Cut(n.Name, "."); len(n.Zones) > 0 && first == Wildcard {
		return invalid("zones", "given for the wildcard %q, want a name of one load balancer", n.Name)
	}
	n.Zones = slices.Clone(n.Zones)
	var all addressSet
	for i := range n.Zones {
		z := &n.Zones[i]
		if err := z.normalize(n.Name, n.Zones[:i]); err != nil {
			return within(indexed("zones", i), err)
		}
		all = addressSet{append(all.four, z.A...), append(all.six, z.AAAA...)}
	}
	if len(n.Zones) > 0 {
		if _, _, err := addressSets(all.four, all.six); err != nil {
			return within("zones", err)
		}
	}
	return n.normalizeUnhealthy(append(all.four, all.six...))
}

func (z *Zone) normalize(name string, before []Zone) *Error {
	var err *Error
	if strings.Contains(z.Name, ".") {
		return invalid("name", "got %q, want one label such as ap-northeast-1a", z.Name)
	}
	if z.Name, err = hostname("name", z.Name); err != nil {
		return err
	}
	if slices.ContainsFunc(before, func(o Zone) bool { return o.Name == z.Name }) {
		return invalid("name", "%q is given twice", z.Name)
	}
	for _, implied := range []string{zoneName(z.Name, name), "dualstack." + name} {
		if _, err := hostname("name", implied); err != nil {
			return invalid("name", "%q makes %q, which is no DNS name: want shorter ones", z.Name, implied)
		}
	}
	z.A, z.AAAA, err = addressSets(z.A, z.AAAA)
	return err
}

// normalizeUnhealthy checks that what is called unhealthy is there.
func (n *Name) normalizeUnhealthy(zoned []netip.Addr) *Error {
	n.Unhealthy = slices.Clone(n.Unhealthy)
	known := slices.Concat(n.A, n.AAAA, zoned)
	for _, v := range n.Views {
		known = slices.Concat(known, v.A, v.AAAA)
	}
	for i, a := range n.Unhealthy {
		if !slices.Contains(known, a) {
			return invalid(indexed("unhealthy", i), "%s is none of the addresses of %q, want one of them", a, n.Name)
		}
	}
	return nil
}
