package goproxy

import (
	"fmt"
	"maps"
	"net"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/proxychaos/proxychaos/goproxy/http1"
	"github.com/proxychaos/proxychaos/harness/meant"
)

// routeName is what survives in a cookie and in a path unchanged, without the
// dot that ends the session's own part.
var routeName = regexp.MustCompile(`^[A-Za-z0-9_-]+$`)

// ownHeaders are set by the proxy for every request or response.
var ownHeaders = []string{"Connection", "Content-Length", "Host", "Transfer-Encoding", "Upgrade"}

func checkListeners(c Config, add func(string, ...string)) {
	if c.TLS != nil {
		if _, port, err := net.SplitHostPort(c.TLS.address()); err != nil || !isPort(port) {
			add(fmt.Sprintf("%q is no listen address: want host:port or :port", c.TLS.Listen), "tls", "listen")
		}
		if len(c.TLS.Certificates) == 0 {
			add("no certificate: want at least one {cert, key}", "tls")
		}
		for i, pair := range c.TLS.Certificates {
			if pair.Cert == "" || pair.Key == "" {
				add("want both cert and key", "tls", "certificates", strconv.Itoa(i))
			}
		}
	}
	if c.Clients.MaxConnections < 0 {
		add(fmt.Sprintf("%d connections: want 1 or more, or 0 for no limit", c.Clients.MaxConnections), "clients", "max_connections")
	}
	for _, d := range []struct {
		value Duration
		key   string
	}{
		{c.Clients.HeaderTimeout, "header_timeout"},
		{c.Clients.BodyTimeout, "body_timeout"},
		{c.Clients.SendTimeout, "send_timeout"},
		{c.Clients.IdleTimeout, "idle_timeout"},
	} {
		if d.value == Off {
			add("cannot be off", "clients", d.key)
		}
	}
	if c.Admin != "" {
		if _, err := adminAddress(c.Admin); err != nil {
			add(err.Error(), "admin")
		}
	}
}

func checkMembers(u Upstream, add func(string, ...string)) {
	switch {
	case u.URL != "" && len(u.Members) > 0:
		add("url and members exclude each other", "members")
	case len(u.Members) == 0:
		if _, err := parseURL(u.URL); err != nil {
			add(err.Error(), "url")
		}
	}
	routes := map[string]bool{}
	for i, m := range u.Members {
		index := strconv.Itoa(i)
		if _, err := parseURL(m.URL); err != nil {
			add(err.Error(), "members", index, "url")
		}
		if m.LoadFactor < 0 || m.LoadFactor > 100 {
			add(fmt.Sprintf("%d: want 1 to 100", m.LoadFactor), "members", index, "loadfactor")
		}
		if m.Route != "" && !routeName.MatchString(m.Route) {
			add(fmt.Sprintf("%q: want letters, digits, - and _", m.Route), "members", index, "route")
		}
		if routes[m.Route] {
			add(fmt.Sprintf("%q is another member's route", m.Route), "members", index, "route")
		}
		routes[m.Route] = m.Route != ""
	}
	delete(routes, "")
	checkBalance(u, add)
	cookie, _, _ := strings.Cut(u.StickySession, "|")
	switch {
	case u.StickySession == "" && (u.SetRouteCookie || u.NoFailover || u.SessionIdle != 0):
		add("set_route_cookie, session_idle and nofailover need stickysession", "stickysession")
	case u.StickySession != "" && !http1.ValidField(cookie, ""):
		add(fmt.Sprintf("%q is no cookie name", cookie), "stickysession")
	case u.StickySession != "" && len(routes) == 0:
		add("no member has a route", "stickysession")
	}
	for i, status := range u.FailOnStatus {
		if status < 400 || status > 599 {
			add(fmt.Sprintf("%d: want 400 to 599", status), "failonstatus", strconv.Itoa(i))
		}
	}
}

func checkBalance(u Upstream, add func(string, ...string)) {
	if u.Balance != "" && !slices.Contains(balances, u.Balance) {
		add(fmt.Sprintf("%q is no way to balance%s", u.Balance, meant.Hint(u.Balance, balances)), "balance")
	}
	if (u.Balance == byHash) != (u.HashKey != "") {
		add(fmt.Sprintf("balance: %s and hash_key go together", byHash), "hash_key")
	}
	if p := u.ProxyProtocol; p != "" && p != "v1" && p != "v2" {
		add(fmt.Sprintf("%q is no version of the PROXY protocol: want v1 or v2", p), "proxy_protocol")
	}
	if u.ProxyProtocol != "" && u.Protocol != "" && u.Protocol != protocolHTTP1 {
		add("is for protocol http1: HTTP/2 has many clients on one connection", "proxy_protocol")
	}
	if _, err := parseFormat(u.HashKey, requestVariables); err != nil {
		add(err.Error(), "hash_key")
	}
	spares := 0
	for _, m := range u.Members {
		if m.Backup {
			spares++
		}
	}
	if spares > 0 && spares == len(u.Members) {
		add("every member is a backup: want one that is not", "members")
	}
}

// checkProtocol holds the protocol against the urls.
func checkProtocol(u Upstream, add func(string, ...string)) {
	schemes := map[string]string{protocolHTTP1: "", protocolH2: "https", protocolH2C: "http"}
	scheme, ok := schemes[u.Protocol]
	if !ok {
		add(fmt.Sprintf("%q is no protocol: want %s, %s or %s", u.Protocol, protocolHTTP1, protocolH2, protocolH2C), "protocol")
		return
	}
	for _, m := range u.Members {
		if target, err := parseURL(m.URL); err == nil && scheme != "" && target.Scheme != scheme {
			add(fmt.Sprintf("%s is for %s urls, and %s is none: HTTP/2 is %s with TLS and %s without", u.Protocol, scheme, m.URL, protocolH2, protocolH2C), "protocol")
		}
	}
}

func checkHeaders(h Headers, add func(string, ...string)) {
	for _, d := range []struct {
		direction string
		change    HeaderChange
		known     map[string]variable
	}{{"request", h.Request, requestVariables}, {"response", h.Response, responseVariables}} {
		check := func(name string, path ...string) {
			path = append([]string{d.direction}, path...)
			if !http1.ValidField(name, "") {
				add(fmt.Sprintf("%q is no header name", name), path...)
			}
			if slices.Contains(ownHeaders, http.CanonicalHeaderKey(name)) {
				add(fmt.Sprintf("%s is the proxy's own", name), path...)
			}
		}
		for i, name := range d.change.Remove {
			check(name, "remove", strconv.Itoa(i))
		}
		for _, e := range []struct {
			key    string
			values map[string]string
		}{{"set", d.change.Set}, {"add", d.change.Add}} {
			for _, name := range slices.Sorted(maps.Keys(e.values)) {
				check(name, e.key, name)
				if http1.OfConnection(name) && !slices.Contains(ownHeaders, http.CanonicalHeaderKey(name)) {
					add(fmt.Sprintf("%s is about one connection of HTTP/1, and HTTP/2 must not have it: only remove takes it", name), d.direction, e.key, name)
				}
				if !http1.ValidField(name, e.values[name]) {
					add("the value has characters that a header cannot have", d.direction, e.key, name)
				}
				if _, err := parseFormat(e.values[name], d.known); err != nil {
					add(err.Error(), d.direction, e.key, name)
				}
			}
		}
	}
}
