package control

import (
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"strings"
)

// Guard keeps web pages away from an API that asks for no password: it passes to next
// what a page of another origin cannot have sent. A browser on the machine can reach the
// API, and runs the programs of whatever page it shows.
//
// It refuses a Host that is neither an IP address nor a name without a dot,
// such as localhost or a service of Docker Compose: a page can point a name of
// its own at the API's address (DNS rebinding), and is then of the same origin.
// It also refuses requests of another origin, as [http.CrossOriginProtection]
// tells them from others. That lets GET, HEAD and OPTIONS pass, since a page
// cannot read their answers: they must not change anything. Nor can a page show an
// answer in a frame, where a click that is meant for the page would be one on a
// switch of the API.
//
// refuse writes the answer in the API's own form. Its status is 403, and
// message says what was wrong with the request.
func Guard(next http.Handler, refuse func(w http.ResponseWriter, message string)) http.Handler {
	origin := http.NewCrossOriginProtection()
	origin.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		refuse(w, fmt.Sprintf("got a %s of a web page of another origin (Origin %.100q), want one of a program or of this address", r.Method, r.Header.Get("Origin")))
	}))
	checked := origin.Handler(next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Security-Policy", "frame-ancestors 'none'")
		if !ownHost(r.Host) {
			refuse(w, fmt.Sprintf("got Host %.100q, want an IP address or a name without a dot, such as localhost", r.Host))
			return
		}
		checked.ServeHTTP(w, r)
	})
}

// ownHost says whether nobody but the operator can give a machine this name.
func ownHost(host string) bool {
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	if _, err := netip.ParseAddr(strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")); err == nil {
		return true
	}
	return host != "" && !strings.Contains(host, ".")
}
