package wayin

import (
	"maps"
	"net/http"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/proxychaos/proxychaos/harness/load"
	"github.com/proxychaos/proxychaos/harness/recording"
)

// What an ALB in front of the proxy says of its own listener, besides X-Forwarded-For.
const (
	forwardedProto = "X-Forwarded-Proto"
	forwardedPort  = "X-Forwarded-Port"
)

// browser is what a browser says of itself: who calls itself a program, or says nothing of
// what it takes, is turned away by many.
var browser = map[string]string{
	"User-Agent":      "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36",
	"Accept":          "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
	"Accept-Language": "en-US,en;q=0.5",
}

// way is one way: a port, with TLS or without, and what is asked for there, as it comes
// from clients that used proto.
func (s *Search) way(addr netip.AddrPort, secure bool, host string, paths []string, proto string) recording.Way {
	target, port := "http://", "80"
	if secure {
		target = "https://"
	}
	if proto == "https" {
		port = "443"
	}
	headers := maps.Clone(browser)
	headers[forwardedProto], headers[forwardedPort] = proto, port
	for name, value := range s.Headers {
		headers[http.CanonicalHeaderKey(name)] = value
	}
	return recording.Way{Target: target + addr.String(), Host: host, Paths: slices.Clone(paths), Headers: headers}
}

func sameWay(a, b recording.Way) bool {
	return a.Target == b.Target && a.Host == b.Host && slices.Equal(a.Paths, b.Paths) && maps.Equal(a.Headers, b.Headers)
}

// Port is where a way goes to.
func Port(way recording.Way) uint16 {
	_, address, _ := strings.Cut(way.Target, "://")
	at, _ := netip.ParseAddrPort(address) // it was made of one
	return at.Port()
}

// FromHTTPS says whether clients of a way used HTTPS towards the load balancer in front.
func FromHTTPS(way recording.Way) bool { return way.Headers[forwardedProto] == "https" }

func secure(way recording.Way) bool { return strings.HasPrefix(way.Target, "https://") }

// askedHosts are the one that the user named, or those to try.
func (s *Search) askedHosts() []string {
	if s.Host != "" {
		return []string{s.Host}
	}
	return distinct(append([]string{DefaultHost}, s.Hints.Hosts...))
}

// askedPaths are those that the user named, all together, or one after the other those to
// try.
func (s *Search) askedPaths() [][]string {
	if len(s.Paths) > 0 {
		return [][]string{s.Paths}
	}
	var each [][]string
	for _, path := range distinct(append([]string{DefaultPath}, s.Hints.Paths...)) {
		each = append(each, []string{path})
	}
	return each
}

func distinct(all []string) []string {
	var found []string
	for _, one := range all {
		if !slices.Contains(found, one) {
			found = append(found, one)
		}
	}
	return found
}

// everyPort are all ports, plain and over TLS.
func (s *Search) everyPort() []recording.Way {
	var ways []recording.Way
	for _, addr := range s.chosen {
		ways = append(ways,
			s.way(addr, false, s.askedHosts()[0], s.askedPaths()[0], "http"),
			s.way(addr, true, s.askedHosts()[0], s.askedPaths()[0], "https"))
	}
	return ways
}

// everyHostOrPath are all hosts with the first path, and all paths with the first host.
func (s *Search) everyHostOrPath() []recording.Way {
	return s.within(func(host, path int) bool { return host == 0 || path == 0 })
}

func (s *Search) everyHostAndPath() []recording.Way {
	return s.within(func(int, int) bool { return true })
}

// within are ways to the ports that may lead to more: with the hosts and paths that are
// wanted, by their places.
func (s *Search) within(wanted func(host, path int) bool) []recording.Way {
	var ways []recording.Way
	for _, addr := range s.chosen {
		for _, secure := range []bool{false, true} {
			for _, proto := range s.protos(addr.Port(), secure) {
				for h, host := range s.askedHosts() {
					for p, paths := range s.askedPaths() {
						if wanted(h, p) {
							ways = append(ways, s.way(addr, secure, host, paths, proto))
						}
					}
				}
			}
		}
	}
	return ways
}

// protos are the schemes that clients may have used whose requests come to a port; none
// if it leads nowhere. If a plain one sends clients to HTTPS, both are possible.
func (s *Search) protos(number uint16, tls bool) []string {
	switch plain, safe := s.speaks(number, false), s.speaks(number, true); {
	case tls && (safe == load.Answered || safe == load.Closed && plain != load.Answered):
		return []string{"https"}
	case tls || safe == load.Answered || plain != load.Answered && plain != load.Closed:
		return nil
	}
	protos := []string{"http"}
	for _, t := range s.tried {
		if u, redirects := t.location(); redirects && u.Scheme == "https" && Port(t.way) == number && !secure(t.way) {
			return append(protos, "https")
		}
	}
	return protos
}

// speaks gives the result of the tries at a port, plain or over TLS: Answered if there was
// any answer in that protocol, else Closed, Silent or the like.
func (s *Search) speaks(number uint16, tls bool) string {
	said := load.NotTried
	for _, t := range s.tried {
		if Port(t.way) != number || secure(t.way) != tls {
			continue
		}
		switch t.came.Came {
		case load.Answered, load.Cached, load.Nameless, load.Alert:
			return load.Answered
		case load.NotTried:
		default:
			said = t.came.Came
		}
	}
	return said
}

// redirected are the ways to which answers lead: the place that they name, and the same
// place again as it looks to a client that has come over HTTPS to a load balancer in front.
func (s *Search) redirected() []recording.Way {
	var ways []recording.Way
	for _, t := range s.tried {
		u, redirects := t.location()
		if !redirects {
			continue
		}
		host, paths := s.Host, s.Paths
		if host == "" {
			host = u.Hostname()
		}
		if len(paths) == 0 {
			paths = []string{u.RequestURI()}
		}
		for _, addr := range s.chosen {
			switch same := addr.Port() == Port(t.way); {
			case u.Scheme == "https" && same && !secure(t.way):
				ways = append(ways, s.way(addr, false, t.way.Host, t.way.Paths, "https"), s.way(addr, false, host, paths, "https"))
				fallthrough
			case u.Scheme == "https":
				ways = append(ways, s.way(addr, true, host, paths, "https"))
			case same:
				ways = append(ways, s.way(addr, secure(t.way), host, paths, u.Scheme))
			}
		}
	}
	return ways
}

// numbered finds the number of a request in the query of a redirect.
var numbered = regexp.MustCompile(`([?&])proxychaos=x\d+(&|$)`)

// location is where an answer sends its client, and whether it does.
func (t tried) location() (*url.URL, bool) {
	if t.came.Came != load.Answered || t.came.Code < 300 || t.came.Code > 399 || t.came.Location == "" {
		return nil, false
	}
	base, err := url.Parse(t.way.Origin() + t.came.Path)
	if err != nil {
		return nil, false
	}
	u, err := base.Parse(unnumbered(t.came.Location))
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" {
		return nil, false
	}
	u.Fragment = ""
	return u, true
}

// unnumbered is a URL without the number of the request that it answers.
func unnumbered(location string) string {
	return strings.TrimRight(numbered.ReplaceAllString(location, "$1"), "?&")
}

// statusText is a status as people say it: 404 "Not Found", or what the page says.
func statusText(came load.Trial) string {
	text := strconv.Itoa(came.Code)
	title := strings.TrimSpace(strings.TrimPrefix(came.Title, text))
	if title == "" {
		title = http.StatusText(came.Code)
	}
	return text + " (" + title + ")"
}
