package rules

import (
	"strconv"
	"strings"
)

// MaxURL is how long the URL of a redirect may be: a longer one is answered 507
// (2.4.1 D).
const MaxURL = 8 << 10

// URL is where a redirect sends the request. The port is always named.
func (r *Redirect) URL(req *Request) string {
	put := strings.NewReplacer(
		"#{protocol}", strings.ToLower(req.Protocol),
		"#{host}", req.Host,
		"#{port}", strconv.Itoa(int(req.Port)),
		"#{path}", strings.TrimPrefix(req.Path, "/"),
		"#{query}", req.Query,
	)
	url := put.Replace(strings.ToLower(r.Protocol)) + "://" + put.Replace(r.Host) + ":" + put.Replace(r.Port) + put.Replace(r.Path)
	if query := put.Replace(r.Query); query != "" {
		url += "?" + query
	}
	return url
}

// Status is 301 or 302.
func (r *Redirect) Status() int {
	if r.StatusCode == "HTTP_302" {
		return 302
	}
	return 301
}
