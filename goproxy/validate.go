package goproxy

import (
	"errors"
	"fmt"
	"maps"
	"net"
	"net/url"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/proxychaos/proxychaos/goproxy/http1"
	"github.com/proxychaos/proxychaos/goproxy/resolve"
	"github.com/proxychaos/proxychaos/harness/meant"
)

// problem is something wrong with a config, at a path of keys and indices.
type problem struct {
	path []string
	text string
}

// Validate returns every problem as a line of one error, or nil.
func (c Config) Validate() error {
	var errs []error
	for _, p := range c.problems() {
		errs = append(errs, fmt.Errorf("%s: %s", strings.Join(p.path, "."), p.text))
	}
	return errors.Join(errs...)
}

func (c Config) problems() []problem {
	var all []problem
	add := func(text string, path ...string) { all = append(all, problem{path, text}) }
	if c.Listen != "" {
		if _, port, err := net.SplitHostPort(c.Listen); err != nil || !isPort(port) {
			add(fmt.Sprintf("%q is no listen address: want host:port or :port", c.Listen), "listen")
		}
	}
	checkServers(c.Resolvers, add, "resolvers")
	checkTrust(c, add)
	checkTraces(c.Traces, add)
	checkListeners(c, add)
	if c.DrainTimeout == Off {
		add("cannot be off", "drain_timeout")
	}
	if len(c.Routes) == 0 {
		add("no route: want at least one, such as {upstream: NAME}", "routes")
	}
	if len(c.Upstreams) == 0 {
		add("no upstream: want at least one with a url", "upstreams")
	}
	seen := map[string]int{}
	for i, r := range c.Routes {
		index := strconv.Itoa(i)
		checkRoute(r, c.Upstreams, func(text, key string) { add(text, "routes", index, key) })
		checkHeaders(r.Headers, func(text string, path ...string) {
			add(text, append([]string{"routes", index, "headers"}, path...)...)
		})
		key := r.Host + r.Path + " " + r.PathRegex
		if first, ok := seen[key]; ok {
			add(fmt.Sprintf("same host and path as routes.%d", first), "routes", index)
		} else {
			seen[key] = i
		}
	}
	for _, name := range slices.Sorted(maps.Keys(c.Upstreams)) {
		if !utf8.ValidString(name) {
			add(fmt.Sprintf("%q is no UTF-8, as names in metrics have to be", name), "upstreams", name)
		}
		checkUpstream(c.Upstreams[name], func(text string, path ...string) {
			add(text, append([]string{"upstreams", name}, path...)...)
		})
	}
	return all
}

func isPort(s string) bool {
	n, err := strconv.ParseUint(s, 10, 16)
	return err == nil && n < 65536
}

func checkServers(servers []string, add func(string, ...string), path ...string) {
	for i, s := range servers {
		if _, err := resolve.ParseServer(s); err != nil {
			add(err.Error(), append(slices.Clone(path), strconv.Itoa(i))...)
		}
	}
}

func checkRoute(r Route, upstreams map[string]Upstream, add func(text, key string)) {
	if r.Path != "" && !strings.HasPrefix(r.Path, "/") {
		add(fmt.Sprintf("%q does not begin with /", r.Path), "path")
	} else if !http1.ValidField("Location", r.Path) {
		add(fmt.Sprintf("%q has a control character", r.Path), "path")
	} else if forms, err := formsOf(strings.ReplaceAll(r.Path, "%", "%25")); err != nil || forms.clean != r.Path {
		add(fmt.Sprintf("%q matches no request: they are matched without dot segments, double slashes, backslashes and what follows a semicolon; want %q", r.Path, forms.clean), "path")
	}
	if strings.ContainsAny(r.Host, "/: ") || strings.Contains(strings.TrimPrefix(r.Host, "*."), "*") {
		add(fmt.Sprintf("%q is no host: want a name without port, or *.name", r.Host), "host")
	}
	checkRegex(r, add)
	if r.RewritePath != "" && !strings.HasPrefix(r.RewritePath, "/") {
		add(fmt.Sprintf("%q does not begin with /", r.RewritePath), "rewrite_path")
	} else if r.RewritePath != "" && !http1.ValidTarget(r.RewritePath) {
		add(fmt.Sprintf("%q has a character that a path cannot have: want it encoded, as %%20 for a space", r.RewritePath), "rewrite_path")
	} else if strings.Contains(r.RewritePath, "?") {
		add(fmt.Sprintf("%q has a query, but that of the request is left as it is: want a path, with %%3F for a question mark", r.RewritePath), "rewrite_path")
	}
	if r.Status != 0 {
		checkStatus(r, add)
		return
	}
	if _, ok := upstreams[r.Upstream]; !ok {
		add(fmt.Sprintf("there is no upstream %q%s", r.Upstream, meant.Hint(r.Upstream, slices.Sorted(maps.Keys(upstreams)))), "upstream")
	}
}

// checkStatus looks at a route that is answered without an upstream.
func checkStatus(r Route, add func(text, key string)) {
	if r.Status < 400 || r.Status > 599 {
		add(fmt.Sprintf("%d: want 400 to 599", r.Status), "status")
	}
	bare := Route{Host: r.Host, Path: r.Path, PathRegex: r.PathRegex, Status: r.Status}
	if !reflect.DeepEqual(r, bare) {
		add("a route with a status asks no upstream: leave out upstream, preserve_host, rewrite_path and headers", "status")
	}
}

func checkUpstream(u Upstream, add func(string, ...string)) {
	checkMembers(u, add)
	if (u.TLS.Cert == "") != (u.TLS.Key == "") {
		add("cert and key go together", "tls")
	}
	checkServers(u.Resolvers, add, "resolvers")
	if _, err := resolve.ParseFamily(u.DNS.Family); err != nil {
		add(err.Error(), "dns", "family")
	}
	full := u.withDefaults()
	checkProtocol(full, add)
	checkHealth(full, add)
	if full.DNS.TTLMin > full.DNS.TTLMax {
		add(fmt.Sprintf("ttl_min %v is above ttl_max %v", full.DNS.TTLMin, full.DNS.TTLMax), "dns", "ttl_min")
	}
	for _, d := range []struct {
		value Duration
		path  []string
	}{
		{u.DNS.TTLMin, []string{"dns", "ttl_min"}},
		{u.DNS.TTLMax, []string{"dns", "ttl_max"}},
		{u.DNS.Timeout, []string{"dns", "timeout"}},
		{u.Timeouts.Connect, []string{"timeouts", "connect"}},
		{u.Timeouts.TLS, []string{"timeouts", "tls"}},
		{u.Timeouts.Response, []string{"timeouts", "response"}},
		{u.Retries.Window, []string{"retries", "window"}},
		{u.Pool.IdleTimeout, []string{"pool", "idle_timeout"}},
		{u.Pool.Acquire, []string{"pool", "acquire"}},
		{u.Pool.TTL, []string{"pool", "ttl"}},
		{u.Ejection.Retry, []string{"ejection", "retry"}},
		{u.Ejection.RetryMax, []string{"ejection", "retry_max"}},
	} {
		if d.value == Off {
			add("cannot be off", d.path...)
		}
	}
	if u.Retries.Attempts < 0 || u.Retries.Attempts > maxAttempts {
		add(fmt.Sprintf("%d attempts: want 1 to %d", u.Retries.Attempts, maxAttempts), "retries", "attempts")
	}
	if u.Retries.MaxWaiting < 0 {
		add(fmt.Sprintf("%d requests: want 1 or more", u.Retries.MaxWaiting), "retries", "max_waiting")
	}
	for i, method := range u.Retries.HedgeMethods {
		if !slices.Contains(idempotent, method) {
			add(fmt.Sprintf("%q: want methods that may be sent again (RFC 9110, 9.2.2): %s", method, strings.Join(idempotent, ", ")), "retries", "hedge_methods", strconv.Itoa(i))
		}
	}
	if u.Retries.BudgetPercent < 0 || u.Retries.BudgetPercent > 100 {
		add(fmt.Sprintf("%d percent: want 1 to 100", u.Retries.BudgetPercent), "retries", "budget_percent")
	}
	checkPool(u, add)
}

// parseURL reads an upstream's url and fills in the scheme's port.
func parseURL(s string) (*url.URL, error) {
	u, err := url.Parse(s)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Hostname() == "" || !http1.ValidField("Host", u.Host) {
		return nil, fmt.Errorf("%q is not an upstream url: want http://host:port or https://host:port", s)
	}
	if (u.Path != "" && u.Path != "/") || u.RawQuery != "" || u.Fragment != "" || u.User != nil {
		return nil, fmt.Errorf("%q: an upstream url has scheme, host and port only", s)
	}
	if u.Port() == "" {
		port := "80"
		if u.Scheme == "https" {
			port = "443"
		}
		u.Host = net.JoinHostPort(u.Hostname(), port)
	}
	if port := u.Port(); !isPort(port) || port == "0" {
		return nil, fmt.Errorf("%q: port %s is not 1 to 65535", s, port)
	}
	u.Path = ""
	return u, nil
}
