package judge

import (
	"github.com/proxychaos/proxychaos/harness/kind"
)

// change is what to change in a configuration so that a cause goes away.
type change struct {
	code string    // of the finding
	kind kind.Name // of the proxy; empty for any
	// since is the first version that it is for, before the first that it is no longer for;
	// empty if there is none.
	since, before string
	say           string // Markdown: what stands between backticks is written as it is
}

// changes are tried in this order: the first that fits is the advice. docs/findings.md has
// them as tables, and TestDocsSayWhatToChange compares the two. What is said of a
// proxy was seen in runs here (docs/proxy-behaviour.md) unless the text says otherwise.
var changes = []change{
	{code: ResolvedOnce, kind: kind.Nginx, since: "1.27.3", say: "name the backend in an `upstream` block with `zone` and `server NAME resolve;`, and add a `resolver`. A `resolver` line alone does nothing"},
	{code: ResolvedOnce, kind: kind.Nginx, before: "1.27.3", say: "put the name into a variable, use that in `proxy_pass` (in place of an `upstream` block), and add a `resolver`. Every request then has a connection of its own. A `resolver` line alone does nothing"},
	{code: ResolvedOnce, kind: kind.Apache, since: "2.4.59", say: "add `addressttl=` to `ProxyPass`, with a short `connectiontimeout=`"},
	{code: ResolvedOnce, kind: kind.Apache, before: "2.4.59", say: "add `disablereuse=On retry=0` to `ProxyPass`. Every request then costs a look-up and a connection"},
	{code: ResolvedOnce, kind: kind.HAProxy, say: "add a `resolvers` section, and replace `server` by a `server-template` that has `resolvers` and `check`"},
	{code: ResolvedOnce, kind: kind.Caddy, say: "use `dynamic a` in `reverse_proxy`"},

	{code: PooledOld, kind: kind.Apache, since: "2.4.59", say: "add `addressttl=` to `ProxyPass`: connections then end when the address changes"},
	{code: PooledOld, kind: kind.Apache, before: "2.4.59", say: "add `disablereuse=On retry=0` to `ProxyPass`. Every request then costs a look-up and a connection"},
	{code: PooledOld, kind: kind.Nginx, say: "limit how long a connection lives with `keepalive_time` in the `upstream` block (not run here)"},
	{code: PooledOld, kind: kind.HAProxy, before: "3.2", say: "use HAProxy 3.2, which closes idle connections to an address that it has left; 2.6 goes on with them (versions in between were not run)"},
	{code: PooledOld, kind: kind.Caddy, say: "use `dynamic a` in `reverse_proxy`"},

	{code: HealedItself, kind: kind.Apache, say: "shorten `connectiontimeout=`, then ensure that the name is followed in time (`addressttl=`)"},
	{code: HealedItself, kind: kind.Nginx, say: "shorten `proxy_connect_timeout`, then ensure that the name is followed in time (`valid=` of the `resolver`)"},
	{code: HealedItself, say: "shorten the connect timeout, then ensure that the name is followed in time"},

	{code: FollowedDNS, kind: kind.Apache, say: "if requests failed, shorten `addressttl=`: the nodes ended before Apache asked DNS again"},
	{code: FollowedDNS, kind: kind.Nginx, say: "if requests failed, shorten `valid=` of the `resolver`: the nodes ended before nginx asked DNS again"},

	{code: StruckNodes, kind: kind.Nginx, say: "put the nodes into an `upstream` block, which remembers those that failed; a variable in `proxy_pass` does not. Shorten `proxy_connect_timeout`"},
	{code: StruckNodes, kind: kind.Apache, say: "leave out `disablereuse=On`: with it Apache does not remember which nodes failed. Shorten `connectiontimeout=`"},
	{code: StruckNodes, kind: kind.HAProxy, say: "use a `server-template` with `check`: a `server` has one address, and keeps it while DNS does. Shorten `timeout connect`"},
	{code: StruckNodes, kind: kind.Caddy, say: "shorten `dial_timeout`: `dynamic a` does not remember which nodes failed"},
	{code: StruckNodes, say: "shorten the connect timeout: it bounds what a request can lose"},

	{code: DNSOutage, kind: kind.Nginx, since: "1.27.3", say: "use an `upstream` block with `zone` and `resolve`: it keeps its addresses, unless the answer says that there are none (NXDOMAIN, no data)"},
	{code: DNSOutage, kind: kind.Nginx, before: "1.27.3", say: "use nginx 1.27.3 or later, with `zone` and `resolve` in an `upstream` block: a variable in `proxy_pass` keeps no address"},
	{code: DNSOutage, kind: kind.Apache, say: "there is no setting for it: `addressttl=` and `disablereuse=On` keep no address"},
	{code: DNSOutage, kind: kind.Caddy, say: "there is no setting for it with `dynamic a`; `grace_period`, which keeps the last answer, is for `dynamic srv` only"},

	{code: KeepAliveRace, kind: kind.Apache, say: "set `KeepAliveTimeout 65`: longer than the load balancer in front keeps a connection, which is 60 s unless it was set"},
	{code: KeepAliveRace, kind: kind.Nginx, say: "leave `keepalive_timeout` at its default of 75 s: longer than the load balancer in front keeps a connection, which is 60 s unless it was set"},
	{code: KeepAliveRace, kind: kind.HAProxy, say: "set `timeout client 65s` and `timeout http-keep-alive 65s`: longer than the load balancer in front keeps a connection, which is 60 s unless it was set"},
	{code: KeepAliveRace, say: "keep idle connections of clients longer than the load balancer in front does, which is 60 s unless it was set"},

	{code: FlowForgotten, kind: kind.Apache, say: "set `KeepAliveTimeout` shorter than the load balancer's idle timeout, which is 350 s unless it was set"},
	{code: FlowForgotten, kind: kind.Nginx, say: "set `keepalive_timeout` shorter than the load balancer's idle timeout, which is 350 s unless it was set, or have nginx send TCP keepalives: `listen 80 so_keepalive=20s:20s:3;`"},
	{code: FlowForgotten, kind: kind.HAProxy, say: "set `timeout client` and `timeout http-keep-alive` shorter than the load balancer's idle timeout, which is 350 s unless it was set, or add `option clitcpka` and `clitcpka-idle 20s` (not run here)"},
	{code: FlowForgotten, say: "close idle connections of clients sooner than the load balancer forgets them, which is after 350 s unless it was set, or send TCP keepalives"},

	{code: TargetFlap, kind: kind.Apache, say: "raise `MaxRequestWorkers`, and `ServerLimit` with it: each connection that the load balancer keeps holds a process of prefork. `MaxKeepAliveRequests` alone ends nothing"},
	{code: TargetFlap, say: "raise how many connections the proxy serves at a time"},

	{code: QueryLost, kind: kind.Nginx, say: "write `$uri$is_args$args` or `$request_uri` after the variable in `proxy_pass`, or nothing"},

	{code: ClientLost, kind: kind.Nginx, say: "write `proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for`, or leave the line out: `$remote_addr` is the load balancer in front"},
	{code: ClientLost, kind: kind.HAProxy, say: "leave out `http-request set-header X-Forwarded-For %[src]`: `option forwardfor` adds a header and keeps the one that came"},
	{code: ClientLost, kind: kind.Caddy, say: "name the networks of the load balancer in front, such as `servers { trusted_proxies static private_ranges }` among the global options"},

	{code: MovedSessions, kind: kind.Apache, say: "set `stickysession=` to the name of the cookie, and `route=` on each member; the `Header add Set-Cookie` line alone sets no cookie"},

	{code: LostSessions, kind: kind.Apache, say: "set `nofailover=Off`; these sessions then begin anew on another node"},
	{code: LostSessions, kind: kind.HAProxy, say: "add `option redispatch`, and shorten `inter` of the health checks"},

	{code: NotStarted, kind: kind.Nginx, since: "1.27.3", say: "name the backend in an `upstream` block with `zone` and `server NAME resolve;`, with a `resolver` and `resolver_timeout 2s`: nginx then starts without an address, and asks again soon"},
	{code: NotStarted, kind: kind.Nginx, before: "1.27.3", say: "put the name into a variable, use that in `proxy_pass`, and add a `resolver`: nginx then starts without an address"},
	{code: NotStarted, kind: kind.HAProxy, say: "add a `resolvers` section, and `init-addr none` to the `server-template` or `server`"},

	{code: ProxyDied, say: "use another version, and report the crash to its authors; have a service manager restart the proxy"},

	{code: StaleAnswers, say: "name one resolver, or several that have the same zone"},

	{code: OpensConnections, kind: kind.Apache, say: "use `ProxyPass` where no pattern is needed; a `ProxyPassMatch` with `$1` keeps connections with `enablereuse=on` only, and for URLs that are as long as its own"},
	{code: OpensConnections, kind: kind.Nginx, say: "name the backend in an `upstream` block: nginx 1.29.7 and later then keeps connections; earlier ones need `keepalive`, `proxy_http_version 1.1` and an empty `Connection` header too (not run here)"},

	{code: SlowAnswers, kind: kind.Nginx, say: "set `proxy_read_timeout`, with several servers in the `upstream` block: the next one is tried"},
	{code: SlowAnswers, kind: kind.HAProxy, say: "set `timeout server`, with `retry-on response-timeout` and `option redispatch 1`"},

	{code: CutByReload, kind: kind.Nginx, say: "leave out `worker_shutdown_timeout`, or set it to longer than any request takes"},
	{code: CutByReload, kind: kind.HAProxy, say: "leave out `hard-stop-after`, or set it to longer than any request takes"},

	{code: CutShort, kind: kind.Apache, say: "leave out `timeout=` on the members, which bounds the wait for an answer too, and use `connectiontimeout=`, which is for the connect alone"},
	{code: CutShort, kind: kind.Nginx, say: "raise `proxy_read_timeout`, in a `location` of its own for what takes long"},
	{code: CutShort, kind: kind.HAProxy, say: "raise `timeout server` for what takes long, in a backend of its own, and leave out `on-marked-down shutdown-sessions`"},
	{code: CutShort, kind: kind.Caddy, say: "leave out `write` in `timeouts`: it bounds the whole answer"},

	{code: SocketsDenied, kind: kind.Nginx, say: "add `proxy_http_version 1.1`, `proxy_set_header Upgrade $http_upgrade` and `proxy_set_header Connection \"upgrade\"`"},
	{code: SocketsDenied, kind: kind.Apache, say: "add `upgrade=websocket` to each `http://` member; the balancer does not take it"},
	{code: SocketsDenied, kind: kind.HAProxy, say: "add `option redispatch 1`, and shorten `inter` of the health checks"},

	{code: UnevenShares, kind: kind.Apache, say: "set `retry=1` on each member, which is otherwise left out for 60 s after an error, and leave out `lbmethod=bytraffic`"},
	{code: UnevenShares, kind: kind.Nginx, say: "shorten `fail_timeout=` on each server: one that failed is left out for 10 s"},

	{code: RefusedByProxy, say: "raise the limit for the run, or send fewer requests (`RATE=`) or other ones (`URL_PATH=`, `HOST_HEADER=`)"},

	{code: LeftLate, say: "shorten the connect timeout and let the proxy try a second address; shorten its refresh"},

	{code: HeldDown, kind: kind.Nginx, say: "set `max_fails=0` on the servers of the `upstream` block, if nginx should keep trying nodes that failed"},
	{code: HeldDown, kind: kind.HAProxy, say: "use `option redispatch` and health checks"},
}

// Change says what to change in the configuration of a proxy so that the cause of a finding
// goes away, as Markdown without a full stop. It is empty if nothing is known. The version is
// the one that the proxy says of itself.
func Change(code string, proxy kind.Name, version string) string {
	for _, c := range changes {
		if c.code == code && (c.kind == "" || c.kind == proxy) && c.isFor(version) {
			return c.say
		}
	}
	return ""
}

func (c change) isFor(version string) bool {
	return (c.since == "" || kind.CompareVersions(version, c.since) >= 0) &&
		(c.before == "" || kind.CompareVersions(version, c.before) < 0)
}
