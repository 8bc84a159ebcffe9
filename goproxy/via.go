package goproxy

import (
	"crypto/rand"
	"net/http"
	"strconv"
	"strings"

	"github.com/proxychaos/proxychaos/goproxy/http1"
)

// version is that of HTTP which a request came by.
type version int

const (
	version10 version = iota
	version11
	version2
	versions // how many there are
)

// via is how a proxy names itself in Via fields (RFC 9110, 7.6.3): by a pseudonym
// that it draws at its start, so that it knows a request that comes back to it.
type via struct {
	name   string
	values [versions]string
}

func newVia() *via {
	name := "goproxy-" + rand.Text()[:16] // 80 bits
	return &via{name, [versions]string{"1.0 " + name, "1.1 " + name, "2 " + name}}
}

// isIn reports whether a Via field says that the request passed this proxy.
func (v *via) isIn(value string) bool { return strings.Contains(value, v.name) }

var errLoop = &http1.Error{Status: http.StatusLoopDetected, Reason: "the request passed this proxy before: an upstream leads back to it"}

// endsHere answers a request that says with Max-Forwards that it goes no further,
// and reports whether it did (RFC 9110, 7.6.2). Of the methods that are served only
// OPTIONS can.
func (r *request) endsHere() (done bool, err error) {
	if r.Method != http.MethodOptions {
		return false, nil
	}
	for value := range r.Header.Values("Max-Forwards") {
		if n, err := strconv.ParseUint(value, 10, 64); err == nil && n == 0 {
			return true, r.client.answer(r, http.StatusOK, "goproxy: Max-Forwards is 0, so no upstream was asked")
		}
	}
	return false, nil
}

// oneForwardLess is the value of Max-Forwards for the next hop.
func (r *request) oneForwardLess(value string) string {
	n, err := strconv.ParseUint(value, 10, 64)
	if err != nil || n == 0 || r.Method != http.MethodOptions {
		return value
	}
	return strconv.FormatUint(n-1, 10)
}
