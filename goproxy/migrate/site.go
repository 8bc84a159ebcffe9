package migrate

import (
	"cmp"
	"net/http"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"github.com/proxychaos/proxychaos/goproxy"
)

// site is a server of nginx's or a virtual host of Apache's.
type site struct {
	place
	hosts     []string
	patterns  []string // of Apache's, in whose order sites are tried
	odd       string   // a name that goproxy cannot match, or ""
	listens   []listener
	cert, key string
	routes    []goproxy.Route // without host
	barred    bool            // no path of it may be open
}

// add adds a route. Of two for the same paths the closed one is kept.
func (s *site) add(r goproxy.Route) {
	i := slices.IndexFunc(s.routes, func(o goproxy.Route) bool { return o.Path == r.Path && o.PathRegex == r.PathRegex })
	switch {
	case i < 0:
		s.routes = append(s.routes, r)
	case r.Status != 0:
		s.routes[i] = r
	}
}

// closeAll leaves nothing open.
func (s *site) closeAll() { s.routes = []goproxy.Route{{Status: http.StatusForbidden}} }

// ordered puts closed expressions first: goproxy takes the first that matches.
func ordered(routes []goproxy.Route) []goproxy.Route {
	routes = slices.Clone(routes)
	rank := func(r goproxy.Route) int {
		if r.Status != 0 && r.PathRegex != "" {
			return 0
		}
		return 1
	}
	slices.SortStableFunc(routes, func(a, b goproxy.Route) int { return rank(a) - rank(b) })
	return routes
}

func proxies(routes []goproxy.Route) bool {
	return slices.ContainsFunc(routes, func(r goproxy.Route) bool { return r.Status == 0 })
}

// on reports whether the site is on l.
func (s *site) on(l listener) bool { return slices.ContainsFunc(s.listens, l.same) }

// at reports whether the site has the address and port of l, with TLS or without.
func (s *site) at(l listener) bool {
	return slices.ContainsFunc(s.listens, func(o listener) bool { return o.host == l.host && o.port == l.port })
}

// standard returns the site that takes foreign names on l.
func (d *draft) standard(l listener) *site {
	var first *site
	for _, s := range d.sites {
		if !s.on(l) {
			continue
		}
		first = cmp.Or(first, s)
		for _, o := range s.listens {
			if o.same(l) && o.standard {
				return s
			}
		}
	}
	return first
}

// serve makes the routes of all sites. A host gets routes only if every
// listener that the draft takes over gives its requests to the same ones.
func (d *draft) serve() {
	plain, secure := d.choose(false), d.choose(true)
	taken := slices.Concat(plain, secure)
	d.cfg.Listen = loopbackPlain
	if len(plain) > 0 {
		d.cfg.Listen = d.listen(plain, loopbackPlain)
	}
	served := d.served(taken, len(plain) > 0)
	if len(secure) > 0 {
		d.cfg.TLS = &goproxy.ListenTLS{Listen: d.listen(secure, loopbackSecure)}
		for _, s := range served {
			pair := goproxy.Certificate{Cert: s.cert, Key: cmp.Or(s.key, s.cert)}
			if s.cert != "" && s.on(secure[0]) && !slices.Contains(d.cfg.TLS.Certificates, pair) {
				d.cfg.TLS.Certificates = append(d.cfg.TLS.Certificates, pair)
			}
		}
	}
	tables := map[string][]goproxy.Route{"": d.foreign(taken, served)}
	hosts := []string{""}
	wildcard := false
	for _, s := range served {
		for _, host := range s.hosts {
			if !slices.Contains(hosts, host) {
				hosts = append(hosts, host)
				tables[host] = d.table(host, taken, served)
			}
			wildcard = wildcard || strings.HasPrefix(host, "*.")
		}
	}
	general := false // routes that a host's own do not hide
	for host, routes := range tables {
		general = general || (host == "" || strings.HasPrefix(host, "*.")) && proxies(routes)
	}
	for _, host := range hosts {
		routes := tables[host]
		if host != "" && len(served) == 1 && !wildcard && reflect.DeepEqual(routes, tables[""]) {
			continue
		}
		whole := slices.ContainsFunc(routes, func(r goproxy.Route) bool { return r.Path == "" && r.PathRegex == "" })
		if host != "" && general && !whole {
			routes = append(slices.Clone(routes), goproxy.Route{Status: http.StatusNotFound})
		}
		if !proxies(routes) && (host == "" || !general) {
			continue
		}
		for _, r := range routes {
			r.Host = host
			d.cfg.Routes = append(d.cfg.Routes, r)
		}
	}
}

// served returns the sites of the listeners that are taken over, and names
// what is different with the others.
func (d *draft) served(taken []listener, plain bool) []*site {
	var out []*site
	for _, s := range d.sites {
		isTaken := func(l listener) bool { return s.on(l) }
		if !slices.ContainsFunc(taken, isTaken) {
			switch {
			case len(s.listens) > 0 && proxies(s.routes):
				d.close(s.place, "nothing of it is in this draft: goproxy has one listener for HTTP and one for HTTPS with a certificate, and %s is neither", s.listens[0].address())
			case len(s.listens) > 0:
				d.close(s.place, "nothing of it is in this draft: no site on %s has an open route to an upstream", s.listens[0].address())
			}
			continue
		}
		out = append(out, s)
		onPlain := slices.ContainsFunc(taken, func(l listener) bool { return !l.secure && s.on(l) })
		onSecure := slices.ContainsFunc(taken, func(l listener) bool { return l.secure && s.on(l) })
		switch {
		case !proxies(s.routes):
		case plain && !onPlain:
			d.close(s.place, "this draft serves it on %s too, without TLS: goproxy has the same routes on both listeners", d.cfg.Listen)
		case !onSecure && slices.ContainsFunc(taken, func(l listener) bool { return l.secure }):
			d.close(s.place, "this draft serves it with TLS too: goproxy has the same routes on both listeners")
		}
	}
	return out
}

// foreign returns the routes for names that no site has.
func (d *draft) foreign(taken []listener, served []*site) []goproxy.Route {
	var routes []goproxy.Route
	for i, l := range taken {
		s := d.standard(l)
		for _, o := range served {
			if o != s && o.odd != "" {
				d.close(o.place, "names without a site get no upstream in this draft: goproxy cannot tell them from %s", o.odd)
				return nil
			}
		}
		if i > 0 && !reflect.DeepEqual(routes, ordered(s.routes)) {
			d.note(s.place, "names without a site get no upstream in this draft: they are of different sites on %s and %s", taken[0].address(), l.address())
			return nil
		}
		routes = ordered(s.routes)
	}
	return routes
}

// table returns the routes for a host that a site names.
func (d *draft) table(host string, taken []listener, served []*site) []goproxy.Route {
	var routes []goproxy.Route
	found := false
	names := func(s *site) bool { return slices.Contains(s.hosts, host) }
	for _, l := range taken {
		i := slices.IndexFunc(served, func(s *site) bool { return s.on(l) && names(s) })
		if i < 0 {
			if i = slices.IndexFunc(served, names); i >= 0 && !d.reaches(served[i], l) {
				d.close(served[i].place, "host %s answers 403 in this draft: it is not on %s, and goproxy has the same routes on both listeners", host, l.address())
				return []goproxy.Route{{Status: http.StatusForbidden}}
			}
			continue
		}
		s := served[i]
		if found && !reflect.DeepEqual(routes, ordered(s.routes)) {
			d.close(s.place, "host %s answers 403 in this draft: its sites on %s and %s differ, and goproxy has the same routes on both", host, taken[0].address(), l.address())
			return []goproxy.Route{{Status: http.StatusForbidden}}
		}
		routes, found = ordered(s.routes), true
		if j := slices.IndexFunc(served, func(o *site) bool { return o != s && o.odd != "" }); j >= 0 && strings.HasPrefix(host, "*.") {
			d.close(served[j].place, "host %s answers 403 in this draft: goproxy cannot tell it from %s", host, served[j].odd)
			return []goproxy.Route{{Status: http.StatusForbidden}}
		}
	}
	return routes
}

// closedPrefix are the routes that close every path which begins with prefix,
// also within a segment.
func closedPrefix(prefix string, status int) []goproxy.Route {
	if prefix == "/" || prefix == "" {
		return []goproxy.Route{{Status: status}}
	}
	routes := []goproxy.Route{{Path: prefix, Status: status}}
	if !strings.HasSuffix(prefix, "/") {
		routes = append(routes, goproxy.Route{PathRegex: "^" + regexp.QuoteMeta(prefix) + "[^/]", Status: status})
	}
	return routes
}
