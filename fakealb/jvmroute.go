package fakealb

import (
	"crypto/rand"
	"net/http"
	"regexp"
	"strings"
)

// sessionCookie is what Tomcat calls the cookie of its sessions.
const sessionCookie = "JSESSIONID"

// routeWord is what a Node.JVMRoute may be.
var routeWord = regexp.MustCompile(`^[A-Za-z0-9_-]{0,64}$`)

// session is the field with which a built-in target of this route begins a session; false if it
// keeps none, or if the request has one of this route. What another route has begun is not
// known here: the targets do not share their sessions.
func (v view) session(req *http.Request) (field, bool) {
	if v.route == "" {
		return field{}, false
	}
	for _, c := range req.CookiesNamed(sessionCookie) {
		if strings.HasSuffix(c.Value, "."+v.route) {
			return field{}, false
		}
	}
	return field{"Set-Cookie", sessionCookie + "=" + rand.Text() + "." + v.route + "; Path=/; HttpOnly"}, true
}
