package migrate

import (
	"maps"
	"net/http"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"

	crossplane "github.com/nginxinc/nginx-go-crossplane"

	"github.com/proxychaos/proxychaos/goproxy"
)

// settings takes in what blocks hand down, and returns the rest.
func (n *nginx) settings(all crossplane.Directives, s scope) (scope, crossplane.Directives) {
	s.vars = maps.Clone(s.vars)
	s.changes = cloneHeaders(goproxy.Headers{Request: s.changes}).Request
	s.hosts, s.listens = slices.Clone(s.hosts), slices.Clone(s.listens)
	all = n.withDebians(all)
	has := func(name string) bool {
		return slices.ContainsFunc(all, func(d *crossplane.Directive) bool { return d.Directive == name })
	}
	// nginx forgets those of outer blocks.
	if has("proxy_set_header") {
		s.headers = map[string]string{}
	}
	if has("add_header") {
		s.changes.Add = nil
	}
	var rest crossplane.Directives
	for _, d := range all {
		switch {
		case n.setting(d, &s):
		case slices.Contains([]string{"http", "server", "upstream", "location", "proxy_pass"}, d.Directive):
			rest = append(rest, d)
		default:
			n.unknown(d, &s)
		}
	}
	return s, rest
}

// harmlessNginx are directives that close nothing when they are left out.
var harmlessNginx = regexp.MustCompile(`^(user|worker_\w+|pid|daemon|events|load_module|error_log|access_log|log_\w+|types\w*|default_type|sendfile\w*|tcp_\w+|server_tokens|server_names?_hash\w*|gzip\w*|charset|root|index|error_page|map|map_hash\w*|geo|split_clients|keepalive_\w+|client_(max_body_size|body_\w+|header_\w+)|large_client_header_buffers|send_timeout|reset_timedout_connection|limit_(req|conn)_?\w*|limit_rate\w*|proxy_(buffer\w*|busy_buffers_size|request_buffering|send_timeout|max_temp_file_size|temp_\w+|headers_hash\w*|ignore_client_abort|intercept_errors|socket_keepalive|next_upstream_timeout|ssl_(protocols|ciphers|session_reuse|verify_depth)|cache\w*|pass_header)|ssl_(protocols|ciphers|prefer_server_ciphers|session_\w+|dhparam|ecdh_curve|stapling\w*|buffer_size)|http2\w*|resolver_timeout|expires|etag|autoindex|stream|merge_slashes|variables_hash\w*)$`)

// harmlessFiles are well-known files of machines that close nothing.
var harmlessFiles = []string{"mime.types", "proxy.conf.default", "fastcgi_params", "fastcgi.conf", "uwsgi_params", "scgi_params", "options-ssl-nginx.conf", "options-ssl-apache.conf"}

// unknown decides about a directive that is not carried over: unless it is
// known to be harmless, no location that it counts for is open.
func (n *nginx) unknown(d *crossplane.Directive, s *scope) {
	off := len(d.Args) == 1 && d.Args[0] == "off"
	switch {
	case d.Directive == "include" && len(d.Args) == 1 && slices.Contains(harmlessFiles, path.Base(d.Args[0])):
		n.note(at(d), "%s is not here: what stands in it is not in the draft", d.Args[0])
	case d.Directive == "include":
		n.close(at(d), "%s is not here: what it closes is unknown, so that no location around it is open in this draft", strings.Join(d.Args, " "))
		s.closedBy = d
	case d.Directive == "limit_req" || d.Directive == "limit_conn":
		n.close(at(d), "what it refuses is served in this draft: goproxy limits no client")
	case harmlessNginx.MatchString(d.Directive):
		n.note(at(d), "goproxy has nothing for it, and it closes nothing")
	case d.Directive == "allow" && len(d.Args) == 1 && d.Args[0] == "all",
		off && slices.Contains([]string{"auth_basic", "auth_request", "ssl_verify_client"}, d.Directive):
	case d.Directive == "return":
		n.returns(d, s)
	case d.Directive == "ssl" && len(d.Args) == 1:
		s.secure = d.Args[0] == "on"
	default:
		s.closedBy = d
	}
}

// returns reads a return: it answers every request of its block.
func (n *nginx) returns(d *crossplane.Directive, s *scope) {
	status, err := strconv.Atoi(strings.Join(d.Args[:min(1, len(d.Args))], ""))
	switch {
	case err == nil && len(d.Args) == 1 && status >= 400 && status <= 599 && status != 444:
		s.status = status
	case err == nil && status == 444:
		s.status = http.StatusForbidden
	default:
		s.status = http.StatusForbidden
		n.close(at(d), "it answers 403 in this draft: goproxy does not answer %q by itself", strings.Join(d.Args, " "))
	}
}

// setting reads one directive and reports whether it is one that is handed down.
func (n *nginx) setting(d *crossplane.Directive, s *scope) bool {
	arg := ""
	if len(d.Args) > 0 {
		arg = d.Args[0]
	}
	up := &s.upstream
	switch d.Directive {
	case "set":
		if len(d.Args) == 2 {
			put(&s.vars, strings.TrimPrefix(arg, "$"), d.Args[1])
		}
	case "listen":
		s.listens = append(s.listens, d)
	case "server_name":
		n.serverNames(d, s)
	case "resolver":
		n.resolver(d, up)
	case "proxy_connect_timeout":
		n.duration(d, &up.Timeouts.Connect)
	case "proxy_read_timeout":
		n.duration(d, &up.Timeouts.Response, &up.Timeouts.Body)
	case "proxy_set_header":
		if len(d.Args) == 2 {
			put(&s.headers, arg, d.Args[1])
		}
	case "add_header":
		n.addHeader(d, s)
	case "proxy_hide_header":
		s.changes.Remove = append(s.changes.Remove, arg)
	case "proxy_next_upstream_tries":
		if tries, err := strconv.Atoi(arg); err == nil {
			up.Retries.Attempts = tries
		}
	case "proxy_next_upstream":
		if arg == "off" {
			up.Retries.Attempts = 1
		} else {
			n.note(at(d), "goproxy tries again whatever can be sent twice; failonstatus lists statuses")
		}
	case "proxy_ssl_verify":
		s.verify = arg == "on"
	case "proxy_ssl_trusted_certificate":
		up.TLS.CA = arg
	case "proxy_ssl_name":
		up.TLS.ServerName = arg
	case "proxy_ssl_certificate":
		up.TLS.Cert = arg
	case "proxy_ssl_certificate_key":
		up.TLS.Key = arg
	case "ssl_certificate":
		s.cert = arg
	case "ssl_certificate_key":
		s.key = arg
	case "proxy_http_version", "proxy_ssl_server_name", "proxy_buffering", "proxy_ssl_session_reuse":
		n.note(at(d), "goproxy speaks HTTP/1.1 with SNI and holds nothing back by itself")
	case "proxy_redirect", "proxy_cookie_path", "proxy_cookie_domain":
		if addsToCookies(d.Args) {
			n.close(at(d), addsNothing, strings.Join(d.Args, " "))
			break
		}
		n.note(at(d), "goproxy does this for every route by itself")
	default:
		return false
	}
	return true
}

// addsToCookies reports whether a rule for the paths of cookies, of nginx's or Apache's,
// is used to add attributes such as Secure behind them.
func addsToCookies(args []string) bool { return len(args) == 2 && strings.Contains(args[1], ";") }

const addsNothing = "cookies go on as the upstream sets them, without what this adds: goproxy adds no attributes (%s)"

func (n *nginx) serverNames(d *crossplane.Directive, s *scope) {
	for _, name := range d.Args {
		switch {
		case name == "_" || name == "":
		case strings.HasPrefix(name, "~") || strings.HasSuffix(name, ".*") || strings.ContainsAny(name, "$/: ") || strings.Contains(strings.TrimPrefix(name, "*."), "*"):
			s.odd = name
			n.note(at(d), "%s: goproxy has names and *.name", name)
		case strings.HasPrefix(name, "."):
			s.hosts = append(s.hosts, strings.ToLower(name[1:]), strings.ToLower("*"+name))
		default:
			s.hosts = append(s.hosts, strings.ToLower(name))
		}
	}
}

func (n *nginx) resolver(d *crossplane.Directive, up *goproxy.Upstream) {
	up.Resolvers = nil
	for _, arg := range d.Args {
		valid, isValid := strings.CutPrefix(arg, "valid=")
		switch {
		case isValid:
			if t, err := nginxTime(valid); err == nil {
				up.DNS.TTLMax = t
			}
		case arg == "ipv6=off":
			up.DNS.Family = "ipv4"
		case arg == "ipv4=off":
			up.DNS.Family = "ipv6"
		case strings.Contains(arg, "="):
			n.note(at(d), "%s: goproxy has nothing for it", arg)
		default:
			up.Resolvers = append(up.Resolvers, arg)
		}
	}
}

func (n *nginx) addHeader(d *crossplane.Directive, s *scope) {
	if len(d.Args) < 2 {
		return
	}
	value, ok := nginxValue(d.Args[1])
	if !ok {
		n.note(at(d), "goproxy has no such variable as in %q", d.Args[1])
		return
	}
	put(&s.changes.Add, d.Args[0], value)
}

// ownNginx are headers that goproxy sends by itself, with the values that mean
// the same.
var ownNginx = map[string][]string{
	"x-forwarded-for":   {"$proxy_add_x_forwarded_for"},
	"x-forwarded-proto": {"$scheme"},
	"x-forwarded-host":  {"$host", "$http_host"},
	"upgrade":           {"$http_upgrade"},
	"connection":        {"upgrade", "$connection_upgrade", ""},
}

// replacesOwn reports whether a header that goproxy sends by itself is to have a
// value in its place. What a client says of the addresses before it, nginx passes on
// with one value only.
func (n *nginx) replacesOwn(where place, name string, value *string) bool {
	_, known := nginxValue(*value)
	switch lower := strings.ToLower(name); {
	case lower == "upgrade" || lower == "connection":
		return false
	case !known && lower == "x-forwarded-for":
		n.note(where, "proxy_set_header %s: goproxy has no such variable as in %q; it sends the address of the client", name, *value)
		*value = "$remote_addr"
		return true
	}
	return known
}

// setHeaders takes over proxy_set_header and add_header.
func (n *nginx) setHeaders(where place, s scope, r *goproxy.Route) {
	r.Headers.Response = s.changes
	for _, name := range slices.Sorted(maps.Keys(s.headers)) {
		value := resolveVars(s.headers[name], s.vars)
		lower := strings.ToLower(name)
		if lower == "host" {
			switch value {
			case "$host", "$http_host", "$host:$server_port":
				r.PreserveHost = true
			case "$proxy_host":
			default:
				n.close(where, "Host: goproxy sends the upstream's own name, or with preserve_host the client's, and not %q", value)
			}
			continue
		}
		if own, is := ownNginx[lower]; is && slices.Contains(own, value) {
			continue
		} else if is && !n.replacesOwn(where, name, &value) {
			n.note(where, "proxy_set_header %s: goproxy sends its own", name)
			continue
		}
		if value == "" {
			r.Headers.Request.Remove = append(r.Headers.Request.Remove, name)
			continue
		}
		value, ok := nginxValue(value)
		if !ok {
			n.note(where, "proxy_set_header %s: goproxy has no such variable as in %q; it removes the client's", name, s.headers[name])
			r.Headers.Request.Remove = append(r.Headers.Request.Remove, name)
			continue
		}
		put(&r.Headers.Request.Set, name, value)
	}
}

var nginxVariable = regexp.MustCompile(`\$\{?([A-Za-z0-9_]+)\}?`)

// nginxValue translates a value with variables and reports whether goproxy has
// them all.
func nginxValue(text string) (string, bool) {
	ok := true
	names := map[string]string{
		"remote_addr": "client_ip", "scheme": "scheme", "host": "host", "request_uri": "path", "uri": "path",
	}
	text = nginxVariable.ReplaceAllStringFunc(strings.ReplaceAll(text, "%", "%%"), func(v string) string {
		name := nginxVariable.FindStringSubmatch(v)[1]
		header, isHeader := strings.CutPrefix(name, "http_")
		cookie, isCookie := strings.CutPrefix(name, "cookie_")
		switch {
		case names[name] != "":
			return "%{" + names[name] + "}"
		case isHeader && name != "http_host":
			return "%{header:" + strings.ReplaceAll(header, "_", "-") + "}"
		case isCookie:
			return "%{cookie:" + cookie + "}"
		}
		ok = false
		return v
	})
	return text, ok
}
