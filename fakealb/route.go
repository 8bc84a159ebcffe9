package fakealb

import (
	"net"
	"net/http"

	"github.com/proxychaos/proxychaos/fakealb/cloud"
	"github.com/proxychaos/proxychaos/fakealb/rules"
)

// routing is what the rules made of a request, as the access log tells it.
type routing struct {
	priority  int    // of the rule; 0 for the default (6.2 D, field 21)
	action    string // field 23; empty where no rule was asked
	redirect  string // field 24: the URL
	evaluated int    // rules that were looked at
}

// route answers a request that the load balancer does not refuse.
func (s *Server) route(x *exchange) response {
	x.routing.action = rules.Forward
	table := x.v.tables[x.c.port]
	if table == nil {
		return s.toDefault(x)
	}
	req := x.ruleRequest()
	match := table.Match(&req)
	x.routing.priority, x.routing.evaluated = match.Priority, match.Evaluated
	if match.Action == nil {
		return s.toDefault(x)
	}
	x.routing.action = match.Action.Type
	switch match.Action.Type {
	case rules.Fixed:
		return x.own(func() response { return fixed(match.Action.FixedResponse) })
	case rules.ToURL:
		url := match.Action.Redirect.URL(&req)
		return x.own(func() response { return x.redirected(url, match.Action.Redirect.Status()) })
	}
	return s.toRuleGroup(x, match)
}

// toDefault forwards to the targets of the load balancer's short form.
func (s *Server) toDefault(x *exchange) response {
	if x.v.pools[unnamed] != nil {
		return s.fromGroup(x, unnamed)
	}
	x.group = x.v.lb.Name
	if x.v.lb.Targets == 0 {
		return x.own(func() response { return x.v.lb.own(cloud.NoTarget, http.StatusServiceUnavailable) })
	}
	return x.own(func() response { return s.builtIn(x) })
}

// ruleRequest is what rules see of the request.
func (x *exchange) ruleRequest() rules.Request {
	host := x.req.Host
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	protocol := string(ProtocolHTTP)
	if x.tls != nil {
		protocol = string(ProtocolHTTPS)
	}
	return rules.Request{
		Protocol: protocol, Host: host, Port: x.c.port, Method: x.req.Method,
		Path: x.req.URL.EscapedPath(), Query: x.req.URL.RawQuery, Header: x.req.Header, Source: x.c.peer.Addr(),
	}
}

// fixed is a fixed response. The character set in its content type is observed
// (2.4 O).
func fixed(f *rules.FixedResponse) response {
	return response{
		status: f.StatusCode, reason: http.StatusText(f.StatusCode),
		lead: []field{{"Server", cloud.Of(cloud.AWS).Server}}, contentType: f.ContentType + "; charset=utf-8",
		body: []byte(f.MessageBody),
	}
}

// redirected sends the client to a URL, or answers 507 if that is too long
// (2.4.1 D).
func (x *exchange) redirected(url string, status int) response {
	if len(url) > rules.MaxURL {
		return x.v.lb.refused(http.StatusInsufficientStorage)
	}
	x.routing.redirect = url
	r := generated(cloud.ALBPage(status, http.StatusText(status), x.v.lb.ErrorBody == ErrorBodyPre2020))
	if status == http.StatusFound {
		r.reason = "Moved Temporarily" // in the status line only (2.4 O)
	}
	r.trail = []field{{"Location", url}}
	return r
}
