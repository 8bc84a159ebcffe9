package cloud

import (
	"crypto/rand"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"net/http"
	"strings"

	"github.com/proxychaos/proxychaos/fakealb/targets"
)

// gcp is Google Cloud's global external Application Load Balancer, which is made of Google
// Front Ends and answers as Envoy does.
var gcp = Cloud{
	Name:      "gcp",
	Title:     "Google Cloud global external Application Load Balancer",
	Own:       frontEndAnswer,
	Adds:      []Field{viaGoogle},
	Tell:      tellGoogle,
	Timers:    googleTimers,
	Targets:   googleTargets,
	Addresses: 1, // gcp.1 D
	Moves:     "Its address is anycast and does not change as it scales: the move of the name means that you point it at another load balancer.",
}

// viaGoogle is added to requests and responses (gcp.9 D).
var viaGoogle = Field{"Via", "1.1 google"}

var googleTimers = Timers{
	Idle:          targets.Range{Default: 610, Min: 5, Max: 1200}, // gcp.5 D
	Response:      targets.Range{Default: 30, Min: 1, Max: 86400}, // gcp.7 D
	WholeResponse: true,                                           // gcp.7 D
	TargetIdle:    600,                                            // gcp.6 D
}

var googleTargets = targets.Norms{
	Interval:  targets.Range{Default: 5, Min: 1, Max: 300},  // gcp.11 D
	Timeout:   targets.Range{Default: 5, Min: 1, Max: 300},  // gcp.11 D
	Healthy:   targets.Range{Default: 2, Min: 1, Max: 10},   // gcp.11 D
	Unhealthy: targets.Range{Default: 2, Min: 1, Max: 10},   // gcp.11 D
	Matcher:   "200",                                        // gcp.12 D
	Draining:  targets.Range{Default: 0, Min: 0, Max: 3600}, // gcp.13, gcp.14 D
}

// frontEndAnswer is a response of the load balancer itself: what Envoy answers (gcp.2 D,
// gcp.3, gcp.4 O, gcp.20 O1), with a Via field (gcp.21 O1).
func frontEndAnswer(r Reason) Answer {
	a := envoyAnswer(r)
	a.Trail = append(a.Trail, viaGoogle)
	return a
}

// tellGoogle is what targets of Google's proxies get (gcp.8, gcp.9, gcp.10 D).
func tellGoogle(h http.Header, r Request) {
	const forwarded, trace = "X-Forwarded-For", "X-Cloud-Trace-Context"
	h.Set(forwarded, strings.Join(append(h.Values(forwarded), r.Client.Addr().String()+","+r.Node.String()), ","))
	h.Set("X-Forwarded-Proto", r.Scheme)
	h.Add(viaGoogle.Name, viaGoogle.Value)
	if h.Get(trace) == "" {
		h.Set(trace, googleTrace())
	}
}

// googleTrace is a trace of 32 hex digits, "/" and a span in decimal digits.
func googleTrace() string {
	id := make([]byte, 24)
	_, _ = rand.Read(id) // never fails
	return hex.EncodeToString(id[:16]) + "/" + fmt.Sprint(binary.BigEndian.Uint64(id[16:]))
}
