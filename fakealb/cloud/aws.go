package cloud

import (
	"fmt"
	"maps"
	"net/http"
	"slices"

	"github.com/proxychaos/proxychaos/fakealb/read"
	"github.com/proxychaos/proxychaos/fakealb/targets"
)

// Status codes that only an ALB has.
const (
	// StatusClientGone is for the record only: the client left while its request
	// was pending (2.4.1 D).
	StatusClientGone       = 460
	StatusProtocolMismatch = 464
	StatusIdentityProvider = 561 // it answered with an error (2.4.1 D)
	StatusKeysUnusable     = 562 // those that JWTs are verified with (2.4.1 D)
)

// albServer is of an ALB's own responses only (2.4 O).
const albServer = "awselb/2.0"

// aws is the Application Load Balancer, and the Network Load Balancer beside it.
var aws = Cloud{
	Name:   AWS,
	Title:  "AWS Application Load Balancer",
	Server: albServer,
	Own:    albAnswer,
	Timers: Timers{
		Idle:     targets.Range{Default: 60, Min: 1, Max: 4000},      // 2.1.1 D
		Lifetime: targets.Range{Default: 3600, Min: 60, Max: 604800}, // 2.1.2 D
	},
	Targets: targets.AWS,
	Network: &Network{
		Title:   "AWS Network Load Balancer",
		Idle:    targets.Range{Default: 350, Min: 60, Max: 6000}, // 4.2 D
		Targets: targets.AWSNetwork,
	},
}

// albKind is what varies between an ALB's own responses.
type albKind struct {
	reason  string // in the status line and in the body
	bare    bool   // without a body and a content type
	closing bool   // with Connection: close
}

// albKinds are an ALB's own responses. Observed (O): 400, 403, 464, 502,
// 503, 504. The words of the others, and the form of 463, 561 and 562, are guessed (G) after
// nginx, whose words the observed ones are (2.4); so is which of them close.
var albKinds = map[int]albKind{
	http.StatusBadRequest:              {reason: "Bad Request", closing: true},
	http.StatusUnauthorized:            {reason: "Authorization Required"},
	http.StatusForbidden:               {reason: "Forbidden"},
	http.StatusMethodNotAllowed:        {reason: "Not Allowed"},
	http.StatusRequestTimeout:          {reason: "Request Time-out", closing: true},
	http.StatusRequestEntityTooLarge:   {reason: "Request Entity Too Large", closing: true},
	http.StatusRequestURITooLong:       {reason: "Request-URI Too Large", closing: true},
	read.StatusTooManyForwarded:        {bare: true},
	StatusProtocolMismatch:             {bare: true},
	http.StatusInternalServerError:     {reason: "Internal Server Error", closing: true},
	http.StatusNotImplemented:          {reason: "Not Implemented", closing: true},
	http.StatusBadGateway:              {reason: "Bad Gateway"},
	http.StatusServiceUnavailable:      {reason: "Service Temporarily Unavailable"},
	http.StatusGatewayTimeout:          {reason: "Gateway Time-out"},
	http.StatusHTTPVersionNotSupported: {reason: "HTTP Version Not Supported"},
	http.StatusInsufficientStorage:     {reason: "Insufficient Storage"},
	StatusIdentityProvider:             {bare: true},
	StatusKeysUnusable:                 {bare: true},
}

// IsOwn reports whether a load balancer can be made to answer with a status by itself.
func IsOwn(status int) bool { return albKinds[status] != albKind{} }

// OwnStatuses are the statuses of IsOwn.
func OwnStatuses() []int { return slices.Sorted(maps.Keys(albKinds)) }

// albAnswer is a response of an ALB itself, byte for byte (2.4).
func albAnswer(r Reason) Answer {
	status := r.statusOr(nil)
	kind := albKinds[status]
	a := Answer{Status: status, Reason: kind.reason, Lead: []Field{{"Server", albServer}}}
	if !kind.bare {
		a = ALBPage(status, kind.reason, r.Old)
	}
	a.Close = kind.closing
	return a
}

// ALBPage is a response of an ALB with a page that says its status and reason. Old asks
// for the body that it had until 2020.
func ALBPage(status int, reason string, old bool) Answer {
	open := "<body>"
	if old {
		open = `<body bgcolor="white">`
	}
	text := fmt.Sprintf("%d %s", status, reason)
	return Answer{
		Status: status, Reason: reason, Lead: []Field{{"Server", albServer}}, ContentType: "text/html",
		Body: []byte("<html>\r\n<head><title>" + text + "</title></head>\r\n" + open +
			"\r\n<center><h1>" + text + "</h1></center>\r\n</body>\r\n</html>\r\n"),
	}
}
