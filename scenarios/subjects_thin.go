package scenarios

import (
	"time"

	"github.com/proxychaos/proxychaos/harness"
	"github.com/proxychaos/proxychaos/harness/kind"
)

// thinSubjects are configs of the other proxies, each in a few scenarios; see telling.
var thinSubjects = []catalogued{
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
}
