package fakedns_test

import (
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"
	. "github.com/onsi/gomega"

	"github.com/proxychaos/proxychaos/fakedns"
)

// Config.Missing is about what wildcards would answer for, and takes no turn of theirs.
func TestMissingNames(t *testing.T) {
	srv := start(t, fakedns.Config{
		Missing: func(name string) bool { return strings.HasSuffix(name, "gone.example") || name == "set.example" },
		Names: []fakedns.Name{
			{Name: "*", Aliases: []string{"one.example", "two.example"}},
			{Name: "one.example", TTL: time.Minute, A: addrs("10.0.0.1")},
			{Name: "two.example", TTL: time.Minute, A: addrs("10.0.0.2")},
			{Name: "set.example", TTL: time.Minute, A: addrs("10.0.0.3")},
			{Name: "below.gone.example", TTL: time.Minute, A: addrs("10.0.0.4")},
		},
	})
	for _, tc := range []struct {
		name  string
		qtype uint16
		rcode int
		want  string
	}{
		{"a.gone.example.", dns.TypeA, dns.RcodeNameError, ""},
		{"A.Gone.Example.", dns.TypeSRV, dns.RcodeNameError, ""},
		{"first.example.", dns.TypeA, dns.RcodeSuccess, "10.0.0.1"},
		{"b.gone.example.", dns.TypeAAAA, dns.RcodeNameError, ""},
		{"second.example.", dns.TypeA, dns.RcodeSuccess, "10.0.0.2"},
		{"set.example.", dns.TypeA, dns.RcodeSuccess, "10.0.0.3"},
		{"below.gone.example.", dns.TypeA, dns.RcodeSuccess, "10.0.0.4"},
		{"gone.example.", dns.TypeA, dns.RcodeNameError, ""},
	} {
		g := NewWithT(t)
		query := new(dns.Msg)
		query.SetQuestion(tc.name, tc.qtype)
		answer, _, err := (&dns.Client{Timeout: patience}).Exchange(query, srv.Addrs()[0].String())
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(dns.RcodeToString[answer.Rcode]).To(Equal(dns.RcodeToString[tc.rcode]), tc.name)
		if tc.want == "" {
			g.Expect(answer.Answer).To(BeEmpty(), tc.name)
			g.Expect(answer.Ns).To(HaveLen(1), tc.name)
			continue
		}
		g.Expect(answer.Answer).To(HaveLen(1), tc.name)
		g.Expect(answer.Answer[0].(*dns.A).A.String()).To(Equal(tc.want), tc.name)
	}
}
