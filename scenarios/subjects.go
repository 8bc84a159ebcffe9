package scenarios

import (
	"slices"
	"time"

	"github.com/proxychaos/proxychaos/harness"
	"github.com/proxychaos/proxychaos/harness/kind"
)

// catalogue is every subject, in the order of the reports.
var catalogue = slices.Concat(subjectsOfAll, thinSubjects, subjectsOfOne)

// subjectsOfAll are configs of the main proxies. They run in every scenario that suits them.
var subjectsOfAll = []catalogued{
	{Subject: harness.Subject{
		Kind: kind.Apache, Name: "pooled", Config: "pooled.conf", Role: harness.Pitfall,
		Summary: "ProxyPass with no parameters: pooled connections keep the address",
		Expect:  apachePooled,
	}, on: map[string]expectations{apacheNoRefresh: apacheForever}},
	{Subject: harness.Subject{
		Kind: kind.Apache, Name: "disablereuse", Config: "disablereuse.conf", Role: harness.Fix,
		Summary: "retry=0 disablereuse=On: a look-up and a connection for every request",
		Expect:  apacheEachRequest,
	}},
	{Subject: harness.Subject{
		Kind: kind.Apache, Name: "smax-ttl", Config: "smax-ttl.conf", Role: harness.Fix,
		Summary: "retry=10 smax=0 ttl=5, and children that end after 1,000 connections",
		Expect:  apachePooled,
	}, on: map[string]expectations{apacheNoRefresh: apacheForever}},
	{Subject: harness.Subject{
		Kind: kind.Apache, Name: "addressttl", Since: "2.4.59", Config: "addressttl.conf", Role: harness.Fix, Refresh: 2 * time.Second, Release: harness.Stable,
		Summary: "addressttl=2: the address is looked up again, pooled connections follow",
		Expect:  apacheAddressTTL,
	}},
	{Subject: harness.Subject{
		Kind: kind.Nginx, Name: "static", Config: "static.conf", Role: harness.Pitfall,
		Summary: "a host name in proxy_pass: resolved once, at start",
		Expect:  nginxOnce,
	}},
	{Subject: harness.Subject{
		Kind: kind.Nginx, Name: "resolver-only", Config: "resolver-only.conf", Role: harness.Pitfall,
		Summary: "resolver ... valid=3s and no variable: the resolver is never asked",
		Expect:  nginxOnce,
	}},
	{Subject: harness.Subject{
		Kind: kind.Nginx, Name: "variable", Config: "variable.conf", Role: harness.Fix, Refresh: 3 * time.Second,
		Summary: "a variable in proxy_pass: looked up at run time, every 3 s",
		Expect:  nginxVariable,
	}},
	{Subject: harness.Subject{
		Kind: kind.Nginx, Name: "upstream-resolve", Since: "1.27.3", Config: "upstream-resolve.conf", Role: harness.Fix, Refresh: 3 * time.Second, Release: "testing",
		Summary: "upstream { zone; server ... resolve; }: looked up in the background, every 3 s",
		Expect:  nginxResolve,
	}},
	{Subject: harness.Subject{
		Kind: kind.Nginx, Name: "upstream-resolve-timeout", Since: "1.27.3", Config: "upstream-resolve-timeout.conf", Role: harness.Fix, Scenarios: ofFew, Refresh: 3 * time.Second, Release: "testing",
		Summary: "upstream { zone; server ... resolve; } and resolver_timeout 2s: so long nginx waits before it asks again after an answer that failed",
	}},
	{Subject: harness.Subject{
		Kind: kind.Apache, Name: "tls", Config: "tls.conf", Role: harness.Pitfall, TLS: true, Scenarios: ofTLS, Release: harness.Stable,
		Summary: "ProxyPass https://, certificates verified: a handshake that fails is not tried at another node",
		Expect:  apacheTLS,
	}},
	{Subject: harness.Subject{
		Kind: kind.Nginx, Name: "tls-default", Config: "tls-default.conf", Role: harness.Pitfall, TLS: true, Scenarios: ofTLS, Refresh: 3 * time.Second,
		Summary: "proxy_pass https:// with nginx's defaults: certificates are not verified, a handshake may take 60 s",
		Expect:  nginxTLSDefault,
	}},
	{Subject: harness.Subject{
		Kind: kind.Nginx, Name: "tls-once", Config: "tls-once.conf", Role: harness.Pitfall, TLS: true, Scenarios: ofFew, Release: harness.Stable,
		Summary: "a host name in proxy_pass https://: resolved once, at start, and no certificate is verified",
	}},
	{Subject: harness.Subject{
		Kind: kind.Nginx, Name: "tls", Config: "tls.conf", Role: harness.Fix, TLS: true, Scenarios: ofTLS, Refresh: 3 * time.Second,
		Summary: "proxy_pass https://, certificates verified, proxy_connect_timeout 1s: the next node is tried",
		Expect:  tlsHolds,
	}},
	{Subject: harness.Subject{
		Kind: kind.HAProxy, Name: "static", Config: "static.cfg", Role: harness.Pitfall,
		Summary: "a host name in a server line, init-addr libc and no resolvers: resolved once, at start",
		Expect:  haproxyOnce,
	}},
	{Subject: harness.Subject{
		Kind: kind.HAProxy, Name: "one-server", Config: "one-server.cfg", Role: harness.Pitfall, Refresh: 3 * time.Second,
		Summary: "one server line with resolvers: one address at a time, looked up every 3 s",
		Expect:  haproxyOneServer,
	}, on: map[string]expectations{"oldstable": haproxyOneServerPooled}},
	{Subject: harness.Subject{
		Kind: kind.HAProxy, Name: "server-template", Config: "server-template.cfg", Role: harness.Fix, Refresh: 3 * time.Second,
		Summary: "server-template with resolvers, health checks and redispatch: a slot for each address, looked up every 3 s",
		Expect:  haproxyTemplate,
	}, on: map[string]expectations{"oldstable": haproxyTemplatePooled}},
	{Subject: harness.Subject{
		Kind: kind.Caddy, Name: "host-name", Config: "host-name.Caddyfile", Role: harness.Pitfall,
		Summary: "a host name in reverse_proxy: pooled connections keep the address as long as its node answers",
		Expect:  caddyHostName,
	}},
	{Subject: harness.Subject{
		Kind: kind.Caddy, Name: "dynamic-a", Config: "dynamic-a.Caddyfile", Role: harness.Fix, Refresh: 3 * time.Second,
		Summary: "dynamic a, refresh 3s, and a second try within 3 s: an upstream for each address",
		Expect:  caddyDynamic,
	}},
	{Subject: harness.Subject{
		Kind: kind.Caddy, Name: "h2c", Config: "h2c.Caddyfile", Role: harness.Pitfall, Scenarios: ofHTTP2,
		Summary: "h2c:// and a host name: up to 128 requests share one HTTP/2 connection, which keeps the address",
		Expect:  caddyH2C,
	}},
	{Subject: harness.Subject{
		Kind: kind.Caddy, Name: "h2c-dynamic", Config: "h2c-dynamic.Caddyfile", Role: harness.Fix, Scenarios: ofHTTP2, Refresh: 3 * time.Second,
		Summary: "versions h2c and dynamic a, refresh 3s: an HTTP/2 connection for each address that the name has",
		Expect:  caddyH2CDynamic,
	}},
	{Subject: harness.Subject{
		Kind: kind.Apache, Name: "keepalive-5", Config: "keepalive-5.conf", Role: harness.Pitfall, Scenarios: asTarget, Release: harness.Stable,
		Summary: "KeepAliveTimeout 5, Apache's default, behind an ALB that keeps connections for 60 s",
		Expect:  closesEarly,
	}},
	{Subject: harness.Subject{
		Kind: kind.Apache, Name: "keepalive-65", Config: "keepalive-65.conf", Role: harness.Fix, Scenarios: asTarget, Release: harness.Stable,
		Summary: "KeepAliveTimeout 65: longer than the ALB in front keeps a connection",
		Expect:  keepsLonger,
	}},
	{Subject: harness.Subject{
		Kind: kind.Nginx, Name: "keepalive-15", Config: "keepalive-15.conf", Role: harness.Pitfall, Scenarios: asTarget, Release: harness.Stable,
		Summary: "keepalive_timeout 15s, behind an ALB that keeps connections for 60 s",
		Expect:  closesEarly,
	}},
	{Subject: harness.Subject{
		Kind: kind.Nginx, Name: "keepalive-75", Config: "keepalive-75.conf", Role: harness.Fix, Scenarios: asTarget, Release: harness.Stable,
		Summary: "nginx's default of 75 s: longer than the ALB in front keeps a connection",
		Expect:  keepsLonger,
	}},
	{Subject: harness.Subject{
		Kind: kind.Nginx, Name: "so-keepalive", Config: "so-keepalive.conf", Role: harness.Fix, Scenarios: ofFew, Release: harness.Stable,
		Summary: "nginx's default of 75 s, and listen ... so_keepalive: TCP keepalives every 20 s",
	}},
	{Subject: harness.Subject{
		Kind: kind.HAProxy, Name: "keepalive-30", Config: "keepalive-30.cfg", Role: harness.Pitfall, Scenarios: asTarget, Release: "testing",
		Summary: "timeout client 30s and no timeout http-keep-alive, behind an ALB that keeps connections for 60 s",
		Expect:  closesEarly,
	}},
	{Subject: harness.Subject{
		Kind: kind.HAProxy, Name: "keepalive-65", Config: "keepalive-65.cfg", Role: harness.Fix, Scenarios: asTarget, Release: "testing",
		Summary: "timeout client and timeout http-keep-alive 65s: longer than the ALB in front keeps a connection",
		Expect:  keepsLonger,
	}},
	{Subject: harness.Subject{
		Kind: kind.GoProxy, Name: "keepalive-75", Config: "keepalive-75.yaml", Role: harness.Reference, Scenarios: asTarget,
		Summary: "the bundled proxy behind an ALB, with its default of 75 s",
		Expect:  keepsLonger,
	}},
	{Subject: harness.Subject{
		Kind: kind.Apache, Name: "prefork-few", Config: "prefork-few.conf", Role: harness.Pitfall, Scenarios: ofFew, Release: harness.Stable,
		Summary: "prefork with 10 processes and MaxKeepAliveRequests 100, a TLS target of an ALB",
	}},
	{Subject: harness.Subject{
		Kind: kind.Apache, Name: "prefork-keepalive-requests", Config: "prefork-keepalive-requests.conf", Role: harness.Pitfall, Scenarios: ofFew, Release: harness.Stable,
		Summary: "prefork with 10 processes and MaxKeepAliveRequests 10000, the half of article 001's change that is no cure",
	}},
	{Subject: harness.Subject{
		Kind: kind.Apache, Name: "prefork-many", Config: "prefork-many.conf", Role: harness.Fix, Scenarios: ofFew, Release: harness.Stable,
		Summary: "prefork with 64 processes and MaxKeepAliveRequests 10000: article 001's change",
	}},
	{Subject: harness.Subject{
		Kind: kind.Nginx, Name: "ipv6-off", Config: "ipv6-off.conf", Role: harness.Fix, Scenarios: ofFew, Release: harness.Stable, Refresh: 3 * time.Second,
		Summary: "a variable in proxy_pass and resolver ... ipv6=off: AAAA records are not asked for",
	}},
	{Subject: harness.Subject{
		Kind: kind.HAProxy, Name: "prefer-ipv4", Config: "prefer-ipv4.cfg", Role: harness.Fix, Scenarios: ofFew, Release: "testing", Refresh: 3 * time.Second,
		Summary: "one server line with resolvers and resolve-prefer ipv4",
	}},
}
