package fakealb

import (
	"net/http"
	"slices"
	"time"

	"github.com/proxychaos/proxychaos/fakealb/cloud"
	"github.com/proxychaos/proxychaos/fakealb/rules"
	"github.com/proxychaos/proxychaos/fakealb/sticky"
	"github.com/proxychaos/proxychaos/fakealb/targets"
)

// toRuleGroup forwards to the target group of a rule: the one that the client is
// stuck to (3.4.6 D), or else the one that the weights chose.
func (s *Server) toRuleGroup(x *exchange, m rules.Match) response {
	if !m.Action.Stickiness.Enabled {
		return s.toGroup(x, m.Group)
	}
	group := m.Group
	stuck, ok := s.cookies.Read(x.req, sticky.GroupCookie)
	if ok && s.fresh(stuck, m.Action.Stickiness.DurationSeconds) &&
		slices.ContainsFunc(m.Action.TargetGroups, func(w rules.WeightedGroup) bool { return w.Name == stuck.Group }) {
		group = stuck.Group
	}
	r := s.toGroup(x, group)
	if x.targetStatus != 0 {
		r.setCookies(s.cookies.Set(sticky.GroupCookie, sticky.Session{Group: group, At: time.Now()}, s.expiry(), x.tls != nil))
	}
	return r
}

// toGroup forwards to a named target group, which is empty if all weights are 0.
func (s *Server) toGroup(x *exchange, group string) response {
	if x.v.pools[group] == nil || group == unnamed {
		return x.own(func() response { return x.v.lb.own(cloud.NoTarget, http.StatusServiceUnavailable) })
	}
	return s.fromGroup(x, group)
}

// session is the stickiness of one request to a target group.
type session struct {
	s     *Server
	x     *exchange
	group string
	a     targets.Attributes
	apps  []sticky.Session // of the application cookie
	// preferred is the target that the client is stuck to, empty for none.
	preferred string
}

// session reads what cookies say of a request to that group, nil if the group is
// not sticky.
func (s *Server) session(x *exchange, group string) *session {
	a := x.v.groups[group].Attributes
	if !a.Sticky {
		return nil
	}
	c := &session{s: s, x: x, group: x.v.lb.groupName(group), a: a}
	if a.StickyType == targets.StickyAppCookie {
		c.apps = s.cookies.ReadApp(x.req)
		// Both cookies have to come back (3.4.6 D).
		if i := c.app(); i >= 0 && sticky.Has(x.req, a.AppCookieName) && s.fresh(c.apps[i], a.AppCookieSeconds) {
			c.preferred = c.apps[i].Target
		}
		return c
	}
	if stuck, ok := s.cookies.Read(x.req, sticky.TargetCookie); ok && stuck.Group == c.group && s.fresh(stuck, a.LBCookieSeconds) {
		c.preferred = stuck.Target
	}
	return c
}

// target is the target that the request should go to, empty for any.
func (c *session) target() string {
	if c == nil {
		return ""
	}
	return c.preferred
}

// app finds the group in the application cookie.
func (c *session) app() int {
	return slices.IndexFunc(c.apps, func(a sticky.Session) bool { return a.Group == c.group })
}

// keep puts the cookies for the target that answered into its response. It counts
// the requests that found no session (6.1 D).
func (c *session) keep(r *response, from http.Header) {
	if c == nil {
		return
	}
	now := sticky.Session{Group: c.group, Target: c.x.target, At: time.Now()}
	stuck := c.preferred != "" && c.preferred == c.x.target
	if !stuck {
		c.s.metrics.count("NonStickyRequestCount", c.x.v, 1)
	}
	if c.a.StickyType != targets.StickyAppCookie {
		r.setCookies(c.s.cookies.Set(sticky.TargetCookie, now, c.s.expiry(), c.x.tls != nil))
		return
	}
	if !stuck {
		c.s.metrics.count("AppCookieNonStickinessCount", c.x.v, 1)
	}
	// Without a cookie of the application there is no session to begin (3.4.6 D).
	i := c.app()
	if !sticky.Sets(from, c.a.AppCookieName) && (i < 0 || !sticky.Has(c.x.req, c.a.AppCookieName)) {
		return
	}
	if i >= 0 {
		c.apps = slices.Delete(c.apps, i, i+1)
	}
	r.setCookies(c.s.cookies.SetApp(append(c.apps, now), c.s.expiry(), c.x.req.UserAgent()))
}

// fresh reports whether a session is not older than so many seconds of the ALB's
// time.
func (s *Server) fresh(c sticky.Session, seconds int) bool {
	return time.Since(c.At) <= s.scaled(time.Duration(seconds)*time.Second)
}

// expiry is when the client is to forget a cookie that is made now.
func (s *Server) expiry() time.Time { return time.Now().Add(s.scaled(sticky.Expiry)) }

// setCookies puts Set-Cookie fields before those of the target.
func (r *response) setCookies(values []string) {
	var fields []field
	for _, v := range values {
		fields = append(fields, field{"Set-Cookie", v})
	}
	r.trail = append(fields, r.trail...)
}
