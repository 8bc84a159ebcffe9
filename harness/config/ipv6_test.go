package config

import (
	"net/netip"
	"testing"

	. "github.com/onsi/gomega"

	"github.com/proxychaos/proxychaos/harness/kind"
)

func TestIPv6(t *testing.T) {
	for name, tc := range map[string]struct {
		kind    kind.Name
		content string
		want    string // no address if it is empty
	}{
		"proxy_pass":             {kind.Nginx, "proxy_pass http://[2001:db8::10]:8080;", "2001:db8::10"},
		"upstream":               {kind.Nginx, "upstream a { server [fd00:1::5]:80; }", "fd00:1::5"},
		"a variable":             {kind.Nginx, "set $b [2001:db8::10]:8080; proxy_pass http://$b;", "2001:db8::10"},
		"behind a listen":        {kind.Nginx, "server { listen [2001:db8::1]:80; location / { proxy_pass http://[2001:db8::10]; } }", "2001:db8::10"},
		"ProxyPass":              {kind.Apache, "ProxyPass / http://[2001:db8::10]/", "2001:db8::10"},
		"BalancerMember":         {kind.Apache, "BalancerMember http://[2001:db8::10]:8080 retry=0", "2001:db8::10"},
		"HAProxy":                {kind.HAProxy, "  server a [2001:db8::10]:80 check", "2001:db8::10"},
		"HAProxy, bare":          {kind.HAProxy, "  server a 2001:db8::10:80 check", "2001:db8::10"},
		"HAProxy, ipv6@":         {kind.HAProxy, "  server a ipv6@2001:db8::10:80", "2001:db8::10"},
		"HAProxy, ipv6@ and []":  {kind.HAProxy, "  server a ipv6@[2001:db8::10]:80", "2001:db8::10"},
		"Caddy":                  {kind.Caddy, ":80 {\n  reverse_proxy [2001:db8::10]:8080\n}", "2001:db8::10"},
		"goproxy":                {kind.GoProxy, "    url: http://[2001:db8::10]:8080", "2001:db8::10"},
		"listen on all":          {kind.Nginx, "listen [::]:80 default_server;", ""},
		"listen on one":          {kind.Nginx, "listen [2001:db8::1]:80;", ""},
		"bind":                   {kind.HAProxy, "  bind [2001:db8::1]:80", ""},
		"a virtual host":         {kind.Apache, "<VirtualHost [2001:db8::1]:80>", ""},
		"a resolver":             {kind.Nginx, "resolver [fd00:ec2::253] [fd00:ec2::253]:53 valid=3s;", ""},
		"a resolver in lines":    {kind.Nginx, "resolver [fd00:ec2::253]\n  [fd00:ec2::254];", ""},
		"a resolver by its port": {kind.Caddy, "resolvers_of_ours [fd00:ec2::253]:53", ""},
		"a nameserver":           {kind.HAProxy, "  nameserver vpc [fd00:ec2::253]:5353", ""},
		"clients":                {kind.Nginx, "set_real_ip_from [2001:db8::1];", ""},
		"a log":                  {kind.Nginx, "access_log syslog:server=[2001:db8::5]:12345; error_log syslog:server=[2001:db8::5];", ""},
		"HAProxy's log":          {kind.HAProxy, "  log [2001:db8::5]:10514 local0", ""},
		"loopback":               {kind.Nginx, "proxy_pass http://[::1]:3000;", ""},
		"of one link":            {kind.Nginx, "proxy_pass http://[fe80::1]:3000;", ""},
		"IPv4 in IPv6":           {kind.Nginx, "proxy_pass http://[::ffff:10.0.0.1]:3000;", ""},
		"IPv4":                   {kind.HAProxy, "  server a 10.0.0.1:80", ""},
		"a class of characters":  {kind.Nginx, "location ~ ^/[a-f:]/x { }", ""},
		"a comment":              {kind.Nginx, "# proxy_pass http://[2001:db8::10];", ""},
		"a server_name":          {kind.Nginx, "server_name [2001:db8::1];", ""},
	} {
		t.Run(name, func(t *testing.T) {
			var want []netip.Addr
			if tc.want != "" {
				want = []netip.Addr{netip.MustParseAddr(tc.want)}
			}
			NewWithT(t).Expect(of(tc.kind, tc.content).IPv6()).To(Equal(want))
		})
	}
}

// Whatever stands in a configuration, what is found in it is an address that a network can
// lead to, and each stands once.
func FuzzIPv6(f *testing.F) {
	for _, seed := range []string{
		"proxy_pass http://[2001:db8::10]:8080;", "server a ipv6@2001:db8::10:80", "server a [::ffff:1.2.3.4]:80", "[fe80::1%eth0]:1",
		"server [[fd00::1]]:80;", "server a :::::80", "[fd00::1][fd00::1]:99999",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, content string) {
		seen := map[netip.Addr]bool{}
		for _, a := range of(kind.HAProxy, content).IPv6() {
			if !a.Is6() || a.Is4In6() || !a.IsGlobalUnicast() || a.Zone() != "" || seen[a] {
				t.Errorf("%q: got %s", content, a)
			}
			seen[a] = true
		}
	})
}
