package fakedns_test

import (
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"github.com/proxychaos/proxychaos/fakedns"
)

func TestDigReadsEveryKindOfAnswer(t *testing.T) {
	many := elb("many.example", manyAddresses(100))
	many.MaxAnswers = 100
	srv := start(t, fakedns.Config{Names: []fakedns.Name{
		elb("app.example", old[:1]),
		{Name: "www.example", TTL: 300 * time.Second, CNAME: "app.example"},
		{Name: "apex.example", Alias: "app.example"},
		many,
	}})
	for _, c := range []struct {
		args string
		want []string
	}{
		{"app.example A", []string{"status: NOERROR", "ANSWER: 1,", "app.example.\t\t60\tIN\tA\t10.10.1.1", "flags: qr rd ra;"}},
		{"+tcp app.example A", []string{"10.10.1.1", "(TCP)"}},
		{"+norecurse app.example A", []string{"flags: qr aa;"}},
		{"+noedns app.example A", []string{"10.10.1.1"}},
		{"+edns=0 app.example A", []string{"EDNS: version: 0", "udp: 1232"}},
		{"app.example AAAA", []string{"status: NOERROR", "ANSWER: 0, AUTHORITY: 1", "900\tIN\tSOA", "1 7200 900 1209600 86400"}},
		{"aPP.ExaMPle A", []string{";aPP.ExaMPle.\t\t\tIN\tA", "\naPP.ExaMPle.\t\t60\tIN\tA\t10.10.1.1"}},
		{"wWw.exAMPLe A", []string{";wWw.exAMPLe.\t\t\tIN\tA", "\nwWw.exAMPLe.\t\t300\tIN\tCNAME\tapp.example.", "\napp.example.\t\t60\tIN\tA\t10.10.1.1"}},
		{"APEX.example A", []string{";APEX.example.\t\t\tIN\tA", "\nAPEX.example.\t\t60\tIN\tA"}},
		{"+tcp noWhere.Example AAAA", []string{";noWhere.Example.\t\tIN\tAAAA", "status: NXDOMAIN"}},
		{"nowhere.example A", []string{"status: NXDOMAIN", "SOA"}},
		{"www.example A", []string{"CNAME\tapp.example.", "ANSWER: 2,"}},
		{"apex.example A", []string{"apex.example.\t\t60\tIN\tA\t10.10.1.1", "ANSWER: 1,"}},
		{"+noedns +ignore many.example A", []string{"flags: qr tc rd ra;"}},
		{"+noedns many.example A", []string{"Truncated, retrying in TCP mode", "ANSWER: 100,"}},
		{"+bufsize=4096 many.example A", []string{"(UDP)", "ANSWER: 100,"}},
	} {
		t.Run(c.args, func(t *testing.T) {
			g := expect(t)
			out := dig(t, srv, strings.Fields(c.args)...)
			for _, want := range c.want {
				g.Expect(out).To(ContainSubstring(want))
			}
			g.Expect(out).NotTo(ContainSubstring("WARNING"))
		})
	}
}

func TestDigSeesAChangeAtOnce(t *testing.T) {
	g := expect(t)
	srv := start(t, fakedns.Config{Names: []fakedns.Name{elb("app.example", old)}})
	g.Expect(strings.Fields(dig(t, srv, "+short", "app.example"))).To(ConsistOf("10.10.1.1", "10.10.2.1", "10.10.3.1"))
	at := put(t, srv, elb("app.example", fresh))
	g.Expect(strings.Fields(dig(t, srv, "+short", "app.example"))).To(ConsistOf("10.20.1.1", "10.20.2.1", "10.20.3.1"))
	asked := queries(t, srv, fakedns.Filter{Name: "app.example", Since: at})
	g.Expect(asked).To(HaveLen(1))
	g.Expect(asked[0].Answers).To(ConsistOf(fresh))
}
