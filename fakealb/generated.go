package fakealb

import (
	"fmt"
	"maps"
	"net/http"
	"slices"

	"github.com/proxychaos/proxychaos/fakealb/read"
)

// Status codes that only an ALB has.
const (
	// statusClientGone is for the record only: the client left while its request
	// was pending (2.4.1 D).
	statusClientGone       = 460
	statusProtocolMismatch = 464
	statusIdentityProvider = 561 // it answered with an error (2.4.1 D)
	statusKeysUnusable     = 562 // those that JWTs are verified with (2.4.1 D)
)

// generatedKind is what varies between an ALB's own responses.
type generatedKind struct {
	reason  string // in the status line and in the body
	bare    bool   // without a body and a content type
	closing bool   // with Connection: close
}

// generatedKinds are an ALB's own responses. Observed (O): 400, 403, 464, 502,
// 503, 504. The words of the others, and the form of 463, 561 and 562, are guessed (G) after
// nginx, whose words the observed ones are (2.4); so is which of them close.
var generatedKinds = map[int]generatedKind{
	http.StatusBadRequest:              {reason: "Bad Request", closing: true},
	http.StatusUnauthorized:            {reason: "Authorization Required"},
	http.StatusForbidden:               {reason: "Forbidden"},
	http.StatusMethodNotAllowed:        {reason: "Not Allowed"},
	http.StatusRequestTimeout:          {reason: "Request Time-out", closing: true},
	http.StatusRequestEntityTooLarge:   {reason: "Request Entity Too Large", closing: true},
	http.StatusRequestURITooLong:       {reason: "Request-URI Too Large", closing: true},
	read.StatusTooManyForwarded:        {bare: true},
	statusProtocolMismatch:             {bare: true},
	http.StatusInternalServerError:     {reason: "Internal Server Error", closing: true},
	http.StatusNotImplemented:          {reason: "Not Implemented", closing: true},
	http.StatusBadGateway:              {reason: "Bad Gateway"},
	http.StatusServiceUnavailable:      {reason: "Service Temporarily Unavailable"},
	http.StatusGatewayTimeout:          {reason: "Gateway Time-out"},
	http.StatusHTTPVersionNotSupported: {reason: "HTTP Version Not Supported"},
	http.StatusInsufficientStorage:     {reason: "Insufficient Storage"},
	statusIdentityProvider:             {bare: true},
	statusKeysUnusable:                 {bare: true},
}

// serverField is of the load balancer's own responses only (2.4 O).
var serverField = field{"Server", "awselb/2.0"}

// generatedStatuses lists the statuses of generatedKinds.
func generatedStatuses() []int { return slices.Sorted(maps.Keys(generatedKinds)) }

// generated is a response of the load balancer itself, byte for byte (2.4).
func generated(status int, style ErrorBody) response {
	kind := generatedKinds[status]
	r := response{status: status, reason: kind.reason, lead: []field{serverField}}
	if !kind.bare {
		r = page(status, kind.reason, style)
	}
	r.close = kind.closing
	return r
}

// page is a response with a page that says its status and reason.
func page(status int, reason string, style ErrorBody) response {
	r := response{status: status, reason: reason, lead: []field{serverField}}
	open := "<body>"
	if style == ErrorBodyPre2020 {
		open = `<body bgcolor="white">`
	}
	text := fmt.Sprintf("%d %s", status, reason)
	r.contentType = "text/html"
	r.body = []byte("<html>\r\n<head><title>" + text + "</title></head>\r\n" + open +
		"\r\n<center><h1>" + text + "</h1></center>\r\n</body>\r\n</html>\r\n")
	return r
}
