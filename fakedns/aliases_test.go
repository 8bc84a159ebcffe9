package fakedns_test

import (
	"errors"
	"testing"

	"github.com/miekg/dns"
	. "github.com/onsi/gomega"

	"github.com/proxychaos/proxychaos/fakedns"
)

// Each name that a client asks for has addresses of its own, and keeps its turn when
// the wildcard is pointed elsewhere.
func TestAliasesGiveEachNameItsOwn(t *testing.T) {
	g := expect(t)
	lb := func(name, addr string) fakedns.Name { return elb(name, addrs(addr)) }
	srv := start(t, fakedns.Config{Names: []fakedns.Name{
		{Name: fakedns.Wildcard, Aliases: []string{"one.elb", "two.elb", "rest.elb"}},
		lb("one.elb", "10.0.0.1"), lb("two.elb", "10.0.0.2"), lb("rest.elb", "10.0.0.3"),
		lb("other-one.elb", "10.1.0.1"), lb("other-two.elb", "10.1.0.2"),
	}})
	at := func(name string) any { return addressesOf(askA(t, srv, name)) }
	g.Expect(at("b.example")).To(Equal(addrs("10.0.0.1")), "the first that is asked for")
	g.Expect(at("a.example")).To(Equal(addrs("10.0.0.2")))
	g.Expect(at("B.Example.")).To(Equal(addrs("10.0.0.1")), "in any case")
	for _, later := range []string{"c.example", "d.example"} {
		g.Expect(at(later)).To(Equal(addrs("10.0.0.3")), "the last is for all the rest")
	}
	g.Expect(at("two.elb")).To(Equal(addrs("10.0.0.2")), "a name that is set takes no turn")
	put(t, srv, fakedns.Name{Name: fakedns.Wildcard, Aliases: []string{"other-one.elb", "other-two.elb"}})
	g.Expect(at("a.example")).To(Equal(addrs("10.1.0.2")))
	g.Expect(at("b.example")).To(Equal(addrs("10.1.0.1")))
	g.Expect(at("d.example")).To(Equal(addrs("10.1.0.2")))
}

// A question of any type takes the name's turn: dual-stack clients ask AAAA first.
func TestAliasesCountNamesAndNotQuestions(t *testing.T) {
	g := expect(t)
	srv := start(t, fakedns.Config{Names: []fakedns.Name{
		{Name: fakedns.Wildcard, Aliases: []string{"one.elb", "two.elb"}},
		elb("one.elb", addrs("10.0.0.1")), elb("two.elb", addrs("10.0.0.2")),
	}})
	g.Expect(addressesOf(ask(t, srv, "udp", question("a.example", dns.TypeAAAA)))).To(BeEmpty())
	g.Expect(addressesOf(askA(t, srv, "a.example"))).To(Equal(addrs("10.0.0.1")))
	g.Expect(addressesOf(askA(t, srv, "b.example"))).To(Equal(addrs("10.0.0.2")))
}

func TestWrongAliasesAreRefused(t *testing.T) {
	for name, n := range map[string]fakedns.Name{
		"no wildcard":  {Name: "a.example", Aliases: []string{"b.example"}},
		"alias too":    {Name: "*", Alias: "a.example", Aliases: []string{"b.example"}},
		"addresses":    {Name: "*", A: old, Aliases: []string{"b.example"}},
		"no name":      {Name: "*", Aliases: []string{"b.example", ""}},
		"leads to it":  {Name: "*", Aliases: []string{"b.example"}},
		"with a TTL":   {Name: "*", Aliases: []string{"b.elb"}, TTL: 1e9},
		"and a CNAME":  {Name: "*", CNAME: "c.example", Aliases: []string{"b.example"}},
		"far too many": {Name: "*", Aliases: make([]string, 1001)},
	} {
		t.Run(name, func(t *testing.T) {
			g := expect(t)
			_, err := fakedns.New(fakedns.Config{Names: []fakedns.Name{n}})
			var refused *fakedns.Error
			g.Expect(err).To(HaveOccurred())
			g.Expect(errors.As(err, &refused)).To(BeTrue(), "%v", err)
		})
	}
}
