package scenarios

import (
	"time"

	"github.com/proxychaos/proxychaos/harness"
	"github.com/proxychaos/proxychaos/harness/kind"
)

// subjectsOfOne are configs that were made for one scenario, or for a few of one kind.
var subjectsOfOne = []catalogued{
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
		Summary: "the article's three addresses with max_fails=0: no server is ever considered down",
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
		Summary: "worker_shutdown_timeout 1s: after a reload old workers have 1 s to finish their requests",
	}},
	{Subject: harness.Subject{
		Kind: kind.HAProxy, Name: "hard-stop-after", Config: "hard-stop-after.cfg", Role: harness.Pitfall, Scenarios: ofFew, Release: "testing",
		Summary: "hard-stop-after 1s: after a reload the old worker has 1 s to finish its requests",
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
