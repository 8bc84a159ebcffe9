package migrate

import (
	"net/url"
	"strconv"
	"strings"
	"time"

	crossplane "github.com/nginxinc/nginx-go-crossplane"

	"github.com/proxychaos/proxychaos/goproxy"
)

// target makes the upstream of a proxy_pass and returns its name and the path
// after the server, which the whole path of the request may follow.
func (n *nginx) target(d *crossplane.Directive, s scope) (name, uri string, whole, ok bool) {
	text := resolveVars(d.Args[0], s.vars)
	// The request's own path, in any spelling, is the same as none.
	for _, own := range []string{"$uri$is_args$args", "$request_uri", "$uri"} {
		if cut, found := strings.CutSuffix(text, own); found {
			text, whole = cut, true
			if own != "$request_uri" {
				n.note(at(d), "$uri is decoded by nginx: goproxy sends the path as the client wrote it")
			}
			break
		}
	}
	if strings.Contains(text, "$") {
		n.note(at(d), "goproxy needs a name that is known before the request: %s", text)
		return "", "", false, false
	}
	server, uri, err := memberURL(text)
	if err != nil {
		n.note(at(d), "%v", err)
		return "", "", false, false
	}
	u, err := url.Parse(server)
	if err != nil {
		n.note(at(d), "%v", err)
		return "", "", false, false
	}
	up := s.upstream
	up.TLS.ServerName = resolveVars(up.TLS.ServerName, s.vars)
	name = u.Hostname()
	if block := n.upstreams[u.Host]; block != nil {
		name = u.Host
		if s.headers["Host"] == "" {
			n.note(at(d), "nginx sends the name of the upstream block, %s, as Host; goproxy each server's own", u.Host)
		}
		if !n.fill(block, u.Scheme, &up) {
			return "", "", false, false
		}
	} else {
		up.URL = server
		if up.TLS.ServerName == u.Hostname() {
			up.TLS.ServerName = "" // the default
		}
	}
	if u.Scheme != "https" {
		up.TLS = goproxy.UpstreamTLS{}
	} else if !s.verify {
		n.note(at(d), "nginx does not verify the upstream's certificate without proxy_ssl_verify; goproxy does, unless insecure_skip_verify is set")
	}
	return n.upstream(name, up), uri, whole, true
}

// resolveVars puts in what set directives say. A name that none says is left as it is.
func resolveVars(text string, vars map[string]string) string {
	return nginxVariable.ReplaceAllStringFunc(text, func(v string) string {
		if value, ok := vars[nginxVariable.FindStringSubmatch(v)[1]]; ok {
			return value
		}
		return v
	})
}

// fill reads an upstream block.
func (n *nginx) fill(block *crossplane.Directive, scheme string, up *goproxy.Upstream) bool {
	up.Balance = "byrequests"
	for _, d := range block.Block {
		switch d.Directive {
		case "server":
			n.member(d, scheme, up)
		case "least_conn":
			up.Balance = "bybusyness"
		case "random":
			up.Balance = "leastconn"
		case "ip_hash":
			up.Balance, up.HashKey = "hash", "%{client_ip}"
		case "hash":
			key, ok := nginxValue(strings.Join(d.Args[:min(1, len(d.Args))], ""))
			if !ok {
				n.note(at(d), "goproxy has no such variable")
				continue
			}
			up.Balance, up.HashKey = "hash", key
		case "keepalive":
			if idle, err := strconv.Atoi(strings.Join(d.Args, "")); err == nil {
				up.Pool.MaxIdle = idle
			}
		case "keepalive_timeout":
			n.duration(d, &up.Pool.IdleTimeout)
		case "keepalive_time":
			n.duration(d, &up.Pool.MaxAge)
		case "zone":
		default:
			n.note(at(d), "goproxy has nothing for it")
		}
	}
	if len(up.Members) == 0 {
		n.note(at(block), "it has no server that goproxy can ask")
	}
	return len(up.Members) > 0
}

func (n *nginx) member(d *crossplane.Directive, scheme string, up *goproxy.Upstream) {
	if len(d.Args) == 0 || strings.HasPrefix(d.Args[0], "unix:") {
		n.note(at(d), "goproxy connects to addresses and names")
		return
	}
	m := goproxy.Member{URL: scheme + "://" + d.Args[0]}
	for _, param := range d.Args[1:] {
		key, value, _ := strings.Cut(param, "=")
		number, err := strconv.Atoi(value)
		switch {
		case key == "resolve":
		case key == "backup":
			m.Backup = true
		case key == "weight" && err == nil:
			m.LoadFactor = number
		case key == "max_conns" && err == nil:
			up.Pool.Max = number
		case key == "route":
			m.Route = value
		case key == "down":
			n.note(at(d), "it is down: goproxy's members are switched while it runs, over its admin page")
			return
		case key == "fail_timeout" || key == "slow_start":
			to := &up.Ejection.Retry
			if key == "slow_start" {
				to = &up.SlowStart
			}
			if t, err := nginxTime(value); err == nil {
				*to = t
			} else {
				n.note(at(d), "%s: %v", param, err)
			}
		default:
			n.note(at(d), "%s: goproxy has nothing for it", param)
		}
	}
	up.Members = append(up.Members, m)
}

// duration reads a directive with one time.
func (n *nginx) duration(d *crossplane.Directive, to ...*goproxy.Duration) {
	t, err := nginxTime(strings.Join(d.Args[:min(1, len(d.Args))], ""))
	if err != nil {
		n.note(at(d), "%v", err)
		return
	}
	for _, v := range to {
		*v = t
	}
}

// nginxTime reads a time of nginx's: seconds, or with units.
func nginxTime(text string) (goproxy.Duration, error) {
	if _, err := strconv.Atoi(text); err == nil {
		text += "s"
	}
	d, err := time.ParseDuration(text)
	if err == nil && d <= 0 {
		return 0, strconv.ErrRange
	}
	return goproxy.Duration(d), err
}
