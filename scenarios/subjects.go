package scenarios

import (
	"time"

	"github.com/proxychaos/proxychaos/harness"
	"github.com/proxychaos/proxychaos/harness/kind"
)

var catalogue = []catalogued{
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
	{Subject: harness.Subject{
		Kind: kind.Squid, Name: "accelerator", Config: "accelerator.conf", Role: harness.Pitfall, Scenarios: telling,
		Summary: "a cache_peer by name: looked up again by its TTL, dead as a whole after ten failed connects",
		Expect:  squidAccelerator,
	}},
	{Subject: harness.Subject{
		Kind: kind.Squid, Name: "without-reuse", Config: "without-reuse.conf", Role: harness.Fix, Scenarios: telling, Refresh: 3 * time.Second,
		Summary: "server_persistent_connections off, positive_dns_ttl 3 s, connect-timeout=1: a connection for every request",
		Expect:  squidWithoutReuse,
	}},
	{Subject: harness.Subject{
		Kind: kind.Nghttpx, Name: "static", Config: "static.conf", Role: harness.Pitfall, Scenarios: telling,
		Summary: "a host name in backend=: resolved once, at start",
		Expect:  nghttpxStatic,
	}},
	{Subject: harness.Subject{
		Kind: kind.Nghttpx, Name: "dns", Config: "dns.conf", Role: harness.Fix, Scenarios: telling, Refresh: 3 * time.Second,
		Summary: "backend=...;;dns, dns-cache-timeout=3s: looked up at run time",
		Expect:  nghttpxDNS,
	}},
	{Subject: harness.Subject{
		Kind: kind.Nghttpx, Name: "dns-timeouts", Config: "dns-timeouts.conf", Role: harness.Fix, Scenarios: telling, Refresh: 3 * time.Second,
		Summary: "backend=...;;dns, dns-cache-timeout=3s, dns-lookup-timeout=1s, backend-connect-timeout=1s",
		Expect:  nghttpxDNS,
	}},
	{Subject: harness.Subject{
		Kind: kind.Lighttpd, Name: "static", Config: "static.conf", Role: harness.Pitfall, Scenarios: telling,
		Summary: "a host name in proxy.server: resolved once, at start, to one address",
		Expect:  lighttpdStatic,
	}},
	{Subject: harness.Subject{
		Kind: kind.Lighttpd, Name: "addresses", Config: "addresses.conf", Role: harness.Fix, Scenarios: ofAddresses,
		Summary: "both addresses written down, round-robin, connect-timeout 1 s",
		Expect:  lighttpdAddresses,
	}},
	{Subject: harness.Subject{
		Kind: kind.H2O, Name: "reverse", Config: "reverse.conf", Role: harness.Pitfall, Scenarios: telling,
		Summary: "a host name in proxy.reverse.url: looked up for each connection, pooled ones keep the address for 2 s",
		Expect:  h2oReverse,
	}},
	{Subject: harness.Subject{
		Kind: kind.H2O, Name: "without-keepalive", Config: "without-keepalive.conf", Role: harness.Fix, Scenarios: telling,
		Summary: "proxy.timeout.keepalive 0: a look-up and a connection for every request",
		Expect:  h2oWithoutKeepalive,
	}},
	{Subject: harness.Subject{
		Kind: kind.Varnish, Name: "addresses", Config: "addresses.vcl", Role: harness.Pitfall, Scenarios: ofAddresses,
		Summary: "both addresses written down, behind a round-robin director",
		Expect:  varnishAddresses,
	}},
	{Subject: harness.Subject{
		Kind: kind.Varnish, Name: "probe", Config: "probe.vcl", Role: harness.Fix, Scenarios: ofAddresses,
		Summary: "both addresses written down, a probe of each every second, connect_timeout 1 s, and a second backend if one fails",
		Expect:  varnishProbe,
	}},
	{Subject: harness.Subject{
		Kind: kind.TrafficServer, Name: "own-ttl", Config: "own-ttl", Role: harness.Pitfall, Scenarios: telling,
		Summary: "hostdb.ttl_mode 1, hostdb.timeout 86400: an address is kept for a day, whatever its TTL",
		Expect:  trafficserverOwnTTL,
	}},
	{Subject: harness.Subject{
		Kind: kind.TrafficServer, Name: "default", Config: "default.config", Role: harness.Fix, Scenarios: telling,
		Summary: "a map line and Debian's records.config: looked up again by the TTL",
		Expect:  trafficserverDefault,
	}},
	{Subject: harness.Subject{
		Kind: kind.TrafficServer, Name: "stale", Config: "stale", Role: harness.Fix, Scenarios: telling,
		Summary: "serve_stale_for 3600, strict_round_robin, and a second try after 1 s",
		Expect:  trafficserverStale,
	}},
	{Subject: harness.Subject{
		Kind: kind.Pound, Name: "name", Config: "name.cfg", Role: harness.Pitfall, Scenarios: telling,
		Summary: "a host name in Address: resolved once, at start, to one address",
		Expect:  poundName,
	}},
	{Subject: harness.Subject{
		Kind: kind.Pound, Name: "resolve-first", Since: "4.14", Config: "resolve-first.cfg", Role: harness.Fix, Scenarios: telling,
		Summary: "Resolve first: the first address, looked up again by the TTL",
		Expect:  poundResolveFirst,
	}},
	{Subject: harness.Subject{
		Kind: kind.Pound, Name: "resolve-all", Since: "4.14", Config: "resolve-all.cfg", Role: harness.Fix, Scenarios: telling,
		Summary: "Resolve all, RetryInterval 1, ConnTO 1, Alive 5: a backend for each address",
		Expect:  poundResolveAll,
	}},
	{Subject: harness.Subject{
		Kind: kind.Traefik, Name: "host-name", Config: "host-name.yml", Role: harness.Pitfall, Scenarios: tellingAndAlias,
		Summary: "a host name in a server's url: pooled connections keep the address as long as its node answers",
		Expect:  traefikHostName,
	}},
	{Subject: harness.Subject{
		Kind: kind.Traefik, Name: "without-reuse", Config: "without-reuse.yml", Role: harness.Fix, Scenarios: tellingAndAlias,
		Summary: "maxIdleConnsPerHost -1: a look-up and a connection for every request",
		Expect:  traefikWithoutReuse,
	}},
	{Subject: harness.Subject{
		Kind: kind.Traefik, Name: "retry", Config: "retry.yml", Role: harness.Fix, Scenarios: tellingAndAlias,
		Summary: "maxIdleConnsPerHost -1, dialTimeout 500ms and the retry middleware: a look-up and a connection for every try",
		Expect:  traefikRetry,
	}},
	{Subject: harness.Subject{
		Kind: kind.Envoy, Name: "logical-dns", Config: "logical-dns.yaml", Role: harness.Pitfall, Scenarios: telling,
		Summary: "LOGICAL_DNS: the first address of the last answer is for new connections, and those that are open are kept",
		Expect:  envoyLogical,
	}},
	{Subject: harness.Subject{
		Kind: kind.Envoy, Name: "strict-dns", Config: "strict-dns.yaml", Role: harness.Fix, Scenarios: telling,
		Summary: "STRICT_DNS with respect_dns_ttl: a host for each address of the last answer",
		Expect:  envoyStrict,
	}},
	{Subject: harness.Subject{
		Kind: kind.Envoy, Name: "outliers", Config: "outliers.yaml", Role: harness.Fix, Scenarios: telling, Refresh: 3 * time.Second,
		Summary: "STRICT_DNS, dns_refresh_rate 3s, outlier detection, connect_timeout 0.5s, and three more tries",
		Expect:  envoyOutliers,
	}},
	{Subject: harness.Subject{
		Kind: kind.Nginx, Name: "variable-and-uri", Config: "variable-and-uri.conf", Role: harness.Pitfall, Scenarios: ofFew, Refresh: 3 * time.Second, Release: harness.Stable,
		Summary: "a variable in proxy_pass and $uri after it: the query string is not sent on",
	}},
	{Subject: harness.Subject{
		Kind: kind.Nginx, Name: "xff-remote-addr", Config: "xff-remote-addr.conf", Role: harness.Pitfall, Scenarios: ofFew, Refresh: 3 * time.Second, Release: harness.Stable,
		Summary: "a variable in proxy_pass, and X-Forwarded-For set to $remote_addr: the load balancer in front is taken for the client",
	}},
	{Subject: harness.Subject{
		Kind: kind.HAProxy, Name: "xff-src", Config: "xff-src.cfg", Role: harness.Pitfall, Scenarios: ofFew, Refresh: 3 * time.Second, Release: "testing",
		Summary: "server-template, and X-Forwarded-For set to %[src]: the load balancer in front is taken for the client",
	}},
	{Subject: harness.Subject{
		Kind: kind.Caddy, Name: "trusted-proxies", Config: "trusted-proxies.Caddyfile", Role: harness.Fix, Scenarios: ofFew, Refresh: 3 * time.Second, Release: "testing",
		Summary: "dynamic a, refresh 3s, and trusted_proxies: what the load balancer in front says of its client is believed",
	}},
	{Subject: harness.Subject{
		Kind: kind.Nginx, Name: "non-idempotent", Config: "non-idempotent.conf", Role: harness.Pitfall, Scenarios: ofFew, Release: harness.Stable,
		Summary: "proxy_next_upstream with non_idempotent: POSTs are sent again too",
	}},
	{Subject: harness.Subject{
		Kind: kind.Apache, Name: "cluster", Config: "cluster.conf", Role: harness.Pitfall, Scenarios: ofFew, Release: harness.Stable,
		Summary: "a balancer of two members with addresses, as article 004 has it: no time-outs of their own",
	}},
	{Subject: harness.Subject{
		Kind: kind.Apache, Name: "failonstatus", Config: "failonstatus.conf", Role: harness.Fix, Scenarios: ofFew, Release: harness.Stable,
		Summary: "the two members with failonstatus=500,503: who answers so is in error",
	}},
	{Subject: harness.Subject{
		Kind: kind.Nginx, Name: "cluster", Config: "cluster.conf", Role: harness.Pitfall, Scenarios: ofFew, Release: harness.Stable,
		Summary: "an upstream of three addresses, as article 004 has it: max_fails=1 fail_timeout=10s",
	}},
	{Subject: harness.Subject{
		Kind: kind.Nginx, Name: "cluster-max-fails", Config: "cluster-max-fails.conf", Role: harness.Fix, Scenarios: ofFew, Release: harness.Stable,
		Summary: "the article's three addresses with max_fails=0: no server is held to be down",
	}},
	{Subject: harness.Subject{
		Kind: kind.Nginx, Name: "cluster-next-upstream", Config: "cluster-next-upstream.conf", Role: harness.Fix, Scenarios: ofFew, Release: harness.Stable,
		Summary: "the article's three addresses with proxy_next_upstream for 500 and 503 too",
	}},
	{Subject: harness.Subject{
		Kind: kind.Apache, Name: "sticky", Config: "sticky.conf", Role: harness.Fix, Scenarios: ofFew, Release: harness.Stable,
		Summary: "stickysession=ROUTEID nofailover=Off, with a cookie of Apache's own",
	}},
	{Subject: harness.Subject{
		Kind: kind.Apache, Name: "sticky-nofailover", Config: "sticky-nofailover.conf", Role: harness.Pitfall, Scenarios: ofFew, Release: harness.Stable,
		Summary: "stickysession=ROUTEID nofailover=On: sessions are held to their member",
	}},
	{Subject: harness.Subject{
		Kind: kind.Apache, Name: "routeid-alone", Config: "routeid-alone.conf", Role: harness.Pitfall, Scenarios: ofFew, Release: harness.Stable,
		Summary: "the header with ROUTEID and no stickysession, as article 004 has it: no cookie is ever set",
	}},
	{Subject: harness.Subject{
		Kind: kind.HAProxy, Name: "cluster", Config: "cluster.cfg", Role: harness.Pitfall, Scenarios: ofFew, Release: "testing",
		Summary: "three servers with a cookie and health checks, as article 004 has them: timeout connect 5s, a check every 2 s",
	}},
	{Subject: harness.Subject{
		Kind: kind.HAProxy, Name: "cluster-timeouts", Config: "cluster-timeouts.cfg", Role: harness.Fix, Scenarios: ofFew, Release: "testing",
		Summary: "the article's three servers with timeout connect 1s, redispatch, and a check every 0.5 s",
	}},
	{Subject: harness.Subject{
		Kind: kind.HAProxy, Name: "sticky", Config: "sticky.cfg", Role: harness.Fix, Scenarios: ofFew, Release: "testing",
		Summary: "a cookie of HAProxy's own, redispatch, and a check every 0.5 s",
	}},
	{Subject: harness.Subject{
		Kind: kind.HAProxy, Name: "retry-all", Config: "retry-all.cfg", Role: harness.Pitfall, Scenarios: ofFew, Refresh: 3 * time.Second, Release: "testing",
		Summary: "retry-on all-retryable-errors: POSTs are sent again too",
	}},
	{Subject: harness.Subject{
		Kind: kind.Apache, Name: "websocket-upgrade", Config: "websocket-upgrade.conf", Role: harness.Fix, Scenarios: ofFew, Release: harness.Stable,
		Summary: "http:// members with upgrade=websocket: mod_proxy_http passes WebSockets on",
	}},
	{Subject: harness.Subject{
		Kind: kind.Apache, Name: "websocket-tunnel", Config: "websocket-tunnel.conf", Role: harness.Fix, Scenarios: ofFew, Release: harness.Stable,
		Summary: "requests with an Upgrade header are rewritten to ws:// members of mod_proxy_wstunnel",
	}},
	{Subject: harness.Subject{
		Kind: kind.Apache, Name: "member-timeout", Config: "member-timeout.conf", Role: harness.Pitfall, Scenarios: ofFew, Release: harness.Stable,
		Summary: "timeout=5 on each member, taken for the connect timeout: answers may take no longer either",
	}},
	{Subject: harness.Subject{
		Kind: kind.Apache, Name: "connectiontimeout", Config: "connectiontimeout.conf", Role: harness.Fix, Scenarios: ofFew, Release: harness.Stable,
		Summary: "connectiontimeout=1 on each member: for the connect alone",
	}},
	{Subject: harness.Subject{
		Kind: kind.Apache, Name: "weights", Config: "weights.conf", Role: harness.Pitfall, Scenarios: ofFew, Release: harness.Stable,
		Summary: "loadfactor=10, 10 and 5, as article 004 has it: a member in error is left out for 60 s",
	}},
	{Subject: harness.Subject{
		Kind: kind.Apache, Name: "weights-retry", Config: "weights-retry.conf", Role: harness.Fix, Scenarios: ofFew, Release: harness.Stable,
		Summary: "the same with retry=1",
	}},
	{Subject: harness.Subject{
		Kind: kind.Apache, Name: "weights-bytraffic", Config: "weights-bytraffic.conf", Role: harness.Pitfall, Scenarios: ofFew, Release: harness.Stable,
		Summary: "the same with lbmethod=bytraffic: a member that was away catches up",
	}},
	{Subject: harness.Subject{
		Kind: kind.Nginx, Name: "weights", Config: "weights.conf", Role: harness.Pitfall, Scenarios: ofFew, Release: harness.Stable,
		Summary: "weight=10, 10 and 5: a server that failed is left out for 10 s",
	}},
	{Subject: harness.Subject{
		Kind: kind.Nginx, Name: "weights-fail-timeout", Config: "weights-fail-timeout.conf", Role: harness.Fix, Scenarios: ofFew, Release: harness.Stable,
		Summary: "the same with fail_timeout=1s",
	}},
	{Subject: harness.Subject{
		Kind: kind.HAProxy, Name: "weights", Config: "weights.cfg", Role: harness.Fix, Scenarios: ofFew, Release: "testing",
		Summary: "weight 10, 10 and 5, redispatch, and a check every 0.5 s",
	}},
	{Subject: harness.Subject{
		Kind: kind.Apache, Name: "jsessionid", Config: "jsessionid.conf", Role: harness.Fix, Scenarios: ofFew, Release: harness.Stable,
		Summary: "stickysession=JSESSIONID|jsessionid and the jvmRoute of each member, with failover",
	}},
	{Subject: harness.Subject{
		Kind: kind.Apache, Name: "jsessionid-nofailover", Config: "jsessionid-nofailover.conf", Role: harness.Pitfall, Scenarios: ofFew, Release: harness.Stable,
		Summary: "stickysession=JSESSIONID nofailover=On, as article 004 has it: sessions are held to their member",
	}},
	{Subject: harness.Subject{
		Kind: kind.Nginx, Name: "hash-jsessionid", Config: "hash-jsessionid.conf", Role: harness.Pitfall, Scenarios: ofFew, Release: harness.Stable,
		Summary: "hash $cookie_JSESSIONID consistent, as article 004 has it: where a session is says its hash, not who began it",
	}},
	{Subject: harness.Subject{
		Kind: kind.HAProxy, Name: "server-timeout", Config: "server-timeout.cfg", Role: harness.Pitfall, Scenarios: ofFew, Release: "testing",
		Summary: "timeout server 5s: no answer may be longer in coming",
	}},
	{Subject: harness.Subject{
		Kind: kind.HAProxy, Name: "server-timeout-60", Config: "server-timeout-60.cfg", Role: harness.Fix, Scenarios: ofFew, Release: "testing",
		Summary: "the same with timeout server 60s",
	}},
	{Subject: harness.Subject{
		Kind: kind.Nginx, Name: "shutdown-timeout", Config: "shutdown-timeout.conf", Role: harness.Pitfall, Scenarios: ofFew, Release: harness.Stable,
		Summary: "worker_shutdown_timeout 1s: after a reload old workers have so long for what they have in hand",
	}},
	{Subject: harness.Subject{
		Kind: kind.HAProxy, Name: "hard-stop-after", Config: "hard-stop-after.cfg", Role: harness.Pitfall, Scenarios: ofFew, Release: "testing",
		Summary: "hard-stop-after 1s: after a reload the old worker has so long for what it has in hand",
	}},
	{Subject: harness.Subject{
		Kind: kind.HAProxy, Name: "jsessionid-prefix", Config: "jsessionid-prefix.cfg", Role: harness.Fix, Scenarios: ofFew, Release: "testing",
		Summary: "cookie JSESSIONID prefix: the name of the server is put before the session's",
	}},
	{Subject: harness.Subject{
		Kind: kind.Caddy, Name: "write-timeout", Config: "write-timeout.Caddyfile", Role: harness.Pitfall, Scenarios: ofFew, Release: "testing",
		Summary: "servers { timeouts { write 5s } }: no answer may take longer in all, however much of it has come",
	}},
	{Subject: harness.Subject{
		Kind: kind.GoProxy, Name: "weights", Config: "weights.yaml", Role: harness.Reference, Scenarios: ofFew,
		Summary: "the bundled proxy with members of load factors 10, 10 and 5",
	}},
	{Subject: harness.Subject{
		Kind: kind.GoProxy, Name: "jsessionid", Config: "jsessionid.yaml", Role: harness.Reference, Scenarios: ofFew,
		Summary: "the bundled proxy with sessions by the JSESSIONID of the members",
	}},
	{Subject: harness.Subject{
		Kind: kind.GoProxy, Name: "sticky", Config: "sticky.yaml", Role: harness.Reference, Scenarios: ofFew,
		Summary: "the bundled proxy with sessions by a cookie of its own",
	}},
	{Subject: harness.Subject{
		Kind: kind.GoProxy, Name: "members", Config: "members.yaml", Role: harness.Reference, Scenarios: ofFew,
		Summary: "the bundled proxy with two members that have addresses",
	}},
	{Subject: harness.Subject{
		Kind: kind.Nginx, Name: "two-resolvers", Config: "two-resolvers.conf", Role: harness.Pitfall, Scenarios: ofFew, Refresh: 3 * time.Second, Release: harness.Stable,
		Summary: "a variable in proxy_pass, and a forwarder of one's own beside the resolver of the VPC: they are asked in turn",
	}},
	{Subject: harness.Subject{
		Kind: kind.HAProxy, Name: "two-nameservers", Config: "two-nameservers.cfg", Role: harness.Fix, Scenarios: ofFew, Refresh: 3 * time.Second, Release: "testing",
		Summary: "server-template with a second nameserver: all are asked, and the first answer counts",
	}},
	{Subject: harness.Subject{
		Kind: kind.Nginx, Name: "tls-without-sni", Config: "tls-without-sni.conf", Role: harness.Pitfall, Scenarios: ofFew, TLS: true, Refresh: 3 * time.Second, Release: harness.Stable,
		Summary: "proxy_pass https://, certificates verified, and no proxy_ssl_server_name: no host is named in the handshake",
	}},
	{Subject: harness.Subject{
		Kind: kind.Apache, Name: "match", Config: "match.conf", Role: harness.Pitfall, Scenarios: ofFew, Release: harness.Stable,
		Summary: "ProxyPassMatch with a back-reference: a connection for every request (article 003)",
	}},
	{Subject: harness.Subject{
		Kind: kind.Apache, Name: "match-reuse", Config: "match-reuse.conf", Role: harness.Pitfall, Scenarios: ofFew, Release: harness.Stable,
		Summary: "ProxyPassMatch with a back-reference and enablereuse=on: URLs that are shorter than the pattern get a connection each",
	}},
	{Subject: harness.Subject{
		Kind: kind.Nginx, Name: "cluster-read-timeout", Config: "cluster-read-timeout.conf", Role: harness.Fix, Scenarios: ofFew, Release: harness.Stable,
		Summary: "the article's three addresses with proxy_read_timeout 500ms: the next server is tried",
	}},
	{Subject: harness.Subject{
		Kind: kind.HAProxy, Name: "cluster-retry", Config: "cluster-retry.cfg", Role: harness.Fix, Scenarios: ofFew, Release: "testing",
		Summary: "the article's three servers with timeout server 500ms and retry-on response-timeout",
	}},
	{Subject: harness.Subject{
		Kind: kind.Apache, Name: "cluster-https", Config: "cluster-https.conf", Role: harness.Pitfall, Scenarios: ofFew, TLS: true, Release: harness.Stable,
		Summary: "a balancer of two members with HTTPS, as article 004 has it for tests: no certificate is verified",
	}},
	{Subject: harness.Subject{
		Kind: kind.Nginx, Name: "cluster-https", Config: "cluster-https.conf", Role: harness.Pitfall, Scenarios: ofFew, TLS: true, Release: harness.Stable,
		Summary: "an upstream of two addresses over HTTPS: no certificate is verified unless it is told to",
	}},
	{Subject: harness.Subject{
		Kind: kind.Nginx, Name: "cluster-https-verified", Config: "cluster-https-verified.conf", Role: harness.Fix, Scenarios: ofFew, TLS: true, Release: harness.Stable,
		Summary: "an upstream of two addresses over HTTPS with proxy_ssl_verify and a name to compare: the next server is tried",
	}},
	{Subject: harness.Subject{
		Kind: kind.HAProxy, Name: "cluster-https", Config: "cluster-https.cfg", Role: harness.Pitfall, Scenarios: ofFew, TLS: true, Release: "testing",
		Summary: "two servers with ssl verify none",
	}},
	{Subject: harness.Subject{
		Kind: kind.HAProxy, Name: "cluster-https-verified", Config: "cluster-https-verified.cfg", Role: harness.Fix, Scenarios: ofFew, TLS: true, Release: "testing",
		Summary: "two servers with ssl verify required, a name to compare, and redispatch",
	}},
	{Subject: harness.Subject{
		Kind: kind.GoProxy, Name: "members-https", Config: "members-https.yaml", Role: harness.Reference, Scenarios: ofFew, TLS: true,
		Summary: "the bundled proxy with two members over HTTPS, and a name to verify",
	}},
	{Subject: harness.Subject{
		Kind: kind.GoProxy, Name: "tls", Config: "tls.yaml", Role: harness.Reference, TLS: true, Scenarios: ofTLS,
		Summary: "the bundled proxy over HTTPS, with its defaults: certificates are verified",
		Expect:  tlsHolds,
	}},
	{Subject: harness.Subject{
		Kind: kind.GoProxy, Name: "default", Config: "default.yaml", Role: harness.Reference,
		Summary: "the bundled proxy, with its defaults",
		Expect:  reference,
	}},
}
