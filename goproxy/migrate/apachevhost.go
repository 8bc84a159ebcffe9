package migrate

import (
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/proxychaos/proxychaos/goproxy"
)

// vhostDirectives are those that apply to a whole virtual host. An empty
// reason means that goproxy does the same.
var vhostDirectives = map[string]func(*apache, *vhost, directive){
	"servername": func(_ *apache, v *vhost, d directive) { v.name(d.args) },
	"serveralias": func(_ *apache, v *vhost, d directive) {
		v.name(d.args)
	},
	"listen":            func(_ *apache, v *vhost, d directive) { v.listen(d) },
	"proxypreservehost": func(_ *apache, v *vhost, d directive) { v.preserveHost = on(d) },
	"proxyrequests": func(a *apache, _ *vhost, d directive) {
		if on(d) {
			a.note(d.place, "goproxy is a reverse proxy only")
		}
	},
	"proxytimeout": func(a *apache, v *vhost, d directive) {
		if t, ok := a.seconds(d.place, d.name, strings.Join(d.args, "")); ok {
			v.timeout = t
		}
	},
	"proxypassreverse": builtIn,
	"proxypassreversecookiepath": func(a *apache, v *vhost, d directive) {
		if addsToCookies(d.args) {
			a.close(d.place, addsNothing, strings.Join(d.args, " "))
			return
		}
		builtIn(a, v, d)
	},
	"proxypassreversecookiedomain": builtIn,
	"sslproxyengine":               func(*apache, *vhost, directive) {},
	"sslproxyverify": func(_ *apache, v *vhost, d directive) {
		v.tls.InsecureSkipVerify = len(d.args) == 1 && strings.EqualFold(d.args[0], "none")
	},
	"sslproxycheckpeername": checkPeer,
	"sslproxycheckpeercn":   checkPeer,
	"sslproxycacertificatefile": func(_ *apache, v *vhost, d directive) {
		v.tls.CA = strings.Join(d.args, " ")
	},
	"sslengine":             func(_ *apache, v *vhost, d directive) { v.secure = on(d) },
	"sslcertificatefile":    func(_ *apache, v *vhost, d directive) { v.cert = strings.Join(d.args, " ") },
	"sslcertificatekeyfile": func(_ *apache, v *vhost, d directive) { v.key = strings.Join(d.args, " ") },
	"requestheader":         func(a *apache, v *vhost, d directive) { a.header(d, v, &v.headers.Request) },
	"header":                func(a *apache, v *vhost, d directive) { a.header(d, v, &v.headers.Response) },
	"allowencodedslashes": func(a *apache, _ *vhost, d directive) {
		if !strings.EqualFold(strings.Join(d.args, ""), "NoDecode") {
			a.note(d.place, "goproxy passes encoded slashes on as they are")
		}
	},
}

func on(d directive) bool { return len(d.args) == 1 && strings.EqualFold(d.args[0], "on") }

func (v *vhost) name(names []string) {
	for _, name := range names {
		_, after, hasScheme := strings.Cut(name, "://")
		if hasScheme {
			name = after
		}
		name, _, _ = strings.Cut(name, ":")
		name = strings.ToLower(name)
		if strings.ContainsAny(name, "*?") {
			v.patterns = append(v.patterns, name)
		}
		if name == "" || strings.ContainsAny(name, "/ ?$") || strings.Contains(strings.TrimPrefix(name, "*."), "*") {
			v.odd = name + " (a pattern)"
			continue
		}
		v.hosts = append(v.hosts, name)
	}
}

// leaveNames takes names from s that a pattern of an earlier virtual host matches:
// Apache takes the first one that does.
func (a *apache) leaveNames(s *site) {
	s.hosts = slices.DeleteFunc(s.hosts, func(host string) bool {
		for _, earlier := range a.sites {
			shared := slices.ContainsFunc(s.listens, earlier.on)
			i := slices.IndexFunc(earlier.patterns, func(pattern string) bool {
				matched, err := path.Match(pattern, host)
				return matched || err != nil
			})
			if shared && i >= 0 {
				a.note(s.place, "Apache never gets to it for %s: %s of line %d comes first", host, earlier.patterns[i], earlier.line)
				return true
			}
		}
		return false
	})
}

func builtIn(a *apache, _ *vhost, d directive) {
	a.note(d.place, "goproxy does this for every route by itself")
}

func checkPeer(a *apache, _ *vhost, d directive) {
	if !on(d) {
		a.note(d.place, "goproxy verifies the name, unless insecure_skip_verify is set, or against tls.server_name")
	}
}

// routeCookie is Apache's own way to set a cookie to the member's route.
var routeCookie = regexp.MustCompile(`^([^=;\s]+)=\.%\{BALANCER_WORKER_ROUTE\}e`)

// apacheVariables are those of mod_headers that goproxy has too.
var apacheVariables = strings.NewReplacer("%%", "%%", "%{REMOTE_ADDR}e", "%{client_ip}", "%{REMOTE_ADDR}s", "%{client_ip}", "%{REQUEST_SCHEME}e", "%{scheme}")

// header reads RequestHeader and Header.
func (a *apache) header(d directive, v *vhost, to *goproxy.HeaderChange) {
	args := d.args
	if len(args) > 0 && (strings.EqualFold(args[0], "always") || strings.EqualFold(args[0], "onsuccess")) {
		args = args[1:]
	}
	if len(args) > 2 && strings.EqualFold(args[len(args)-1], "early") {
		args = args[:len(args)-1]
	}
	request := to == &v.headers.Request
	if len(args) >= 2 && strings.EqualFold(args[0], "unset") {
		to.Remove = append(to.Remove, args[1])
		if len(args) > 2 {
			a.note(d.place, "goproxy has no conditions on headers: it is always removed")
		}
		return
	}
	if len(args) < 3 {
		a.note(d.place, "goproxy sets, adds and removes headers, nothing else")
		return
	}
	action, name, value := strings.ToLower(args[0]), args[1], args[2]
	if m := routeCookie.FindStringSubmatch(value); m != nil && strings.EqualFold(name, "Set-Cookie") {
		v.routeCookie, v.cookieAt = m[1], d.place
		return
	}
	value = apacheVariables.Replace(value)
	switch {
	case action != "set" && action != "add" && request:
		a.close(d.place, "the header goes on as the client sent it: goproxy sets, adds and removes headers, nothing else")
	case action != "set" && action != "add":
		a.close(d.place, "the header goes on as the upstream sent it: goproxy sets, adds and removes headers, nothing else")
	case len(args) > 3 && request && action == "set":
		to.Remove = append(to.Remove, name)
		a.note(d.place, "goproxy has no conditions on headers: it removes the client's")
	case len(args) > 3:
		a.note(d.place, "goproxy has no conditions on headers")
	case strings.Contains(strings.NewReplacer("%%", "", "%{client_ip}", "", "%{scheme}", "").Replace(value), "%"):
		// What the client sends under that name must not pass for the value.
		to.Remove = append(to.Remove, name)
		a.note(d.place, "goproxy has no such variable as in %q; it removes the header that is there", value)
	case strings.EqualFold(name, "Host"):
		a.note(d.place, "goproxy sends the upstream's own name, or with preserve_host the client's")
	case strings.EqualFold(name, "X-Forwarded-Proto") && request && value == "%{scheme}":
		a.note(d.place, "goproxy sends it by itself: the scheme of the client")
	case action == "set":
		put(&to.Set, name, value)
	default:
		put(&to.Add, name, value)
	}
}
