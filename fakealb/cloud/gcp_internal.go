package cloud

import (
	"net/http"

	"github.com/proxychaos/proxychaos/fakealb/targets"
)

// gcpInternal is Google Cloud's regional internal Application Load Balancer, which is made
// of managed Envoys (gcp-internal.1 D).
var gcpInternal = Cloud{
	Name:  "gcp-internal",
	Title: "Google Cloud internal Application Load Balancer",
	Own:   envoyAnswer,
	Adds:  []Field{viaGoogle},
	Tell:  tellGoogle,
	Timers: Timers{
		Idle:     targets.Range{Default: 610, Min: 5, Max: 1200},              // gcp-internal.6 D
		Response: googleTimers.Response, WholeResponse: true, TargetIdle: 600, // gcp-internal.7 D
	},
	Targets:   googleTargets,
	Addresses: 1, // gcp-internal.2 D
	Moves:     "It has one internal address, of its forwarding rule, and keeps it: the move of the name means that you point it at another load balancer.",
}

// envoyStatuses are what Envoy answers (gcp-internal.3, gcp-internal.4 S, gcp-internal.5 O).
var envoyStatuses = map[Cause]int{
	NoTarget: http.StatusServiceUnavailable, Unreachable: http.StatusServiceUnavailable, NoAnswer: http.StatusServiceUnavailable,
	Late: http.StatusGatewayTimeout,
}

// envoyTexts are the bodies of these answers.
var envoyTexts = map[Cause]string{
	NoTarget:    "no healthy upstream",
	Unreachable: "upstream connect error or disconnect/reset before headers. reset reason: connection failure",
	NoAnswer:    "upstream connect error or disconnect/reset before headers. reset reason: connection termination",
	Late:        "upstream request timeout",
}

// envoyAnswer is a response of Envoy itself. What it refuses has no body (G).
func envoyAnswer(r Reason) Answer {
	status := r.statusOr(envoyStatuses)
	a := Answer{
		Status: status, Reason: http.StatusText(status),
		Body: []byte(envoyTexts[r.Cause]), Close: status == http.StatusBadRequest,
	}
	if len(a.Body) > 0 {
		a.ContentType = "text/plain"
	}
	return a
}
