package fakealb

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/proxychaos/proxychaos/fakealb/cloud"
	"github.com/proxychaos/proxychaos/fakealb/policy"
	"github.com/proxychaos/proxychaos/fakealb/read"
)

// hopByHop are the fields that concern one connection. An ALB strips Connection;
// what it does with the others is not documented (2.5.7 D, 2.5.10 G).
var hopByHop = []string{"Connection", "Keep-Alive", "Proxy-Connection", "Te", "Trailer", "Transfer-Encoding", "Upgrade"}

func isHopByHop(name string) bool { return slices.Contains(hopByHop, name) }

// targetRequest is the head of the request as targets get it (2.5).
func (x *exchange) targetRequest() *http.Request {
	out := x.req.Clone(x.context())
	out.Close, out.Body = x.once, nil
	plain := x.v.lb.Attributes.DropInvalidHeaders || cloud.Of(x.v.lb.Cloud).PlainNames
	for name := range out.Header {
		if isHopByHop(name) || name == "Expect" || plain && !read.IsPlainName(name) {
			delete(out.Header, name)
		}
	}
	if out.ProtoMajor == 2 {
		// Go's server leaves them in the header, and its client would write them beside
		// its own: it knows them by their names in mixed case only.
		out.Header.Del("Content-Length")
		out.Header.Del("Host")
	}
	if wantsUpgrade(x.req) {
		out.Header.Set("Connection", "Upgrade")
		out.Header.Set("Upgrade", x.req.Header.Get("Upgrade"))
	}
	x.c.setMutual(out.Header)
	if tell := cloud.Of(x.v.lb.Cloud).Tell; tell != nil {
		tell(out.Header, cloud.Request{
			Client: x.c.peer, Node: x.c.node.addr, Port: x.c.port, Scheme: x.scheme(), Host: x.req.Host, URI: x.req.RequestURI,
		})
	} else {
		x.setForwarded(out.Header)
		x.setTLS(out.Header)
		out.Header.Set("X-Amzn-Trace-Id", x.traceID())
	}
	if _, ok := out.Header["User-Agent"]; !ok {
		out.Header["User-Agent"] = nil // otherwise Go's transport adds its own
	}
	x.setHost(out)
	out.RequestURI = read.EncodeTarget(out.RequestURI)
	return out
}

// setForwarded tells the target about the client (2.5.1, 2.5.2 D).
func (x *exchange) setForwarded(h http.Header) {
	const name = "X-Forwarded-For"
	switch attributes := x.v.lb.Attributes; attributes.XFFMode {
	case xffRemove:
		h.Del(name)
	case xffAppend:
		client := x.c.peer.Addr().String()
		if attributes.XFFClientPort {
			client = x.c.peer.String()
		}
		h.Set(name, strings.Join(append(h.Values(name), client), ", "))
	}
	h.Set("X-Forwarded-Proto", x.scheme())
	h.Set("X-Forwarded-Port", strconv.Itoa(int(x.c.port)))
}

// scheme is http, or https if the client spoke TLS.
func (x *exchange) scheme() string {
	if x.tls != nil {
		return "https"
	}
	return "http"
}

// setTLS tells the target about the client's TLS, in OpenSSL's words (2.5.8 D).
func (x *exchange) setTLS(h http.Header) {
	if x.tls == nil || !x.v.lb.Attributes.TLSHeaders {
		return
	}
	h.Set("X-Amzn-Tls-Version", policy.VersionName(x.tls.Version))
	h.Set("X-Amzn-Tls-Cipher-Suite", policy.CipherName(x.tls.CipherSuite))
}

// setHost sets the Host that the target gets (2.5.5 D).
func (x *exchange) setHost(out *http.Request) {
	preserve := x.v.lb.Attributes.PreserveHost || cloud.Of(x.v.lb.Cloud).Name != cloud.AWS
	switch {
	case !preserve || x.req.Host == "":
		out.Host = x.targetHost()
	case len(x.hosts) > 0:
		out.Host = x.hosts[0]
		if len(x.hosts) > 1 {
			out.Header["host"] = x.hosts[1:] // Host itself Go's client leaves out
		}
	}
}

// targetHost is the host in lower case, without any port on the listener ports 80
// and 443, and with the listener's port if it has none on others (2.5.5 D).
func (x *exchange) targetHost() string {
	host := x.req.Host
	if host == "" || x.req.URL.IsAbs() {
		host = x.v.lb.DNSName
	}
	name, port, err := net.SplitHostPort(host)
	if err != nil {
		name, port = strings.Trim(host, "[]"), ""
	}
	if strings.Contains(name, ":") {
		name = "[" + name + "]"
	}
	name = strings.ToLower(name)
	switch {
	case x.c.port == 80 || x.c.port == 443:
		return name
	case port == "":
		port = strconv.Itoa(int(x.c.port))
	}
	return name + ":" + port
}

// maxTracedHead is how long the fields of a request may be before its
// X-Amzn-Trace-Id is written anew with its root only: 7 KB (2.5.3 D).
const maxTracedHead = 7 << 10

// traceID is the X-Amzn-Trace-Id of the request (2.5.3 D): a new root, or the
// present fields with our own Self in front.
func (x *exchange) traceID() string {
	if x.trace == "" {
		present := x.req.Header.Get("X-Amzn-Trace-Id")
		if present != "" && fieldBytes(x.req.Header) > maxTracedHead {
			present = ""
		}
		x.trace = extendTrace(present, newTrace(time.Now()))
	}
	return x.trace
}

func extendTrace(present, fresh string) string {
	var kept []string
	hasRoot := false
	for part := range strings.SplitSeq(present, ";") {
		part = strings.TrimSpace(part)
		if part == "" || strings.HasPrefix(part, "Self=") {
			continue
		}
		hasRoot = hasRoot || strings.HasPrefix(part, "Root=")
		kept = append(kept, part)
	}
	ours := "Root=" + fresh
	if hasRoot {
		ours = "Self=" + fresh
	}
	return strings.Join(append([]string{ours}, kept...), ";")
}

// newTrace is "1-", the time in 8 hex digits, "-", 24 random hex digits.
func newTrace(now time.Time) string {
	id := make([]byte, 12)
	_, _ = rand.Read(id) // never fails
	return fmt.Sprintf("1-%08x-%s", uint32(now.Unix()), hex.EncodeToString(id))
}

// invalidNames is the metric that counts a request with invalid field names, empty
// for none (2.5.4, 6.1 D).
func (x *exchange) invalidNames() string {
	switch {
	case x.names.Broken, x.names.Odd && x.v.lb.Attributes.DropInvalidHeaders:
		return "DroppedInvalidHeaderRequestCount"
	case x.names.Odd:
		return "ForwardedInvalidHeaderRequestCount"
	}
	return ""
}
