package cloud

import (
	"cmp"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/proxychaos/proxychaos/fakealb/targets"
)

// gatewayServer is of an Application Gateway's own responses (azure.3 O).
const gatewayServer = "Microsoft-Azure-Application-Gateway/v2"

// azure is the Application Gateway v2, and the Standard Load Balancer beside it.
var azure = Cloud{
	Name:   "azure",
	Title:  "Azure Application Gateway v2",
	Server: gatewayServer,
	Own:    gatewayAnswer,
	Tell:   tellGateway,
	// azure.16 D
	PlainNames: true,
	Timers: Timers{
		Idle:      targets.Range{Default: 75, Min: 75, Max: 75},   // azure.6 D
		HTTP2Idle: 180,                                            // azure.7 D
		Response:  targets.Range{Default: 20, Min: 1, Max: 86400}, // azure.8 D
	},
	Targets: targets.Norms{
		Interval:  targets.Range{Default: 30, Min: 1, Max: 86400}, // azure.11 D
		Timeout:   targets.Range{Default: 30, Min: 1, Max: 86400}, // azure.11 D
		Healthy:   targets.Range{Default: 1, Min: 1, Max: 1},      // azure.12 D
		Unhealthy: targets.Range{Default: 3, Min: 1, Max: 20},     // azure.11 D
		Matcher:   "200-399",                                      // azure.13 D
		Draining:  targets.Range{Default: 30, Min: 1, Max: 3600},  // azure.14 D
		Retries:   1, RetriesLate: true,                           // azure.9 D
	},
	Network: &Network{
		Title:    "Azure Load Balancer",
		Idle:     targets.Range{Default: 240, Min: 240, Max: 6000}, // azure-lb.1 D
		MayReset: true,                                             // azure-lb.3 D
		Targets: targets.Norms{
			Interval:  targets.Range{Default: 5, Min: 5, Max: 300},  // azure-lb.4 D
			Timeout:   targets.Range{Default: 30, Min: 30, Max: 30}, // azure-lb.5 D
			Healthy:   targets.Range{Default: 1, Min: 1, Max: 1},    // azure-lb.4 D
			Unhealthy: targets.Range{Default: 1, Min: 1, Max: 20},   // azure-lb.4 D
			Matcher:   "200",                                        // azure-lb.5 D
			Draining:  targets.Range{Default: 0, Min: 0, Max: 3600}, // its flows live on after it
			LateCheck: true, FlowsOutlive: true,                     // azure-lb.5, azure-lb.6 D
		},
	},
	Addresses: 1, // azure.1 D
	Moves:     "Its address is static: the move of the name means that you point it at another gateway, or that the gateway was created anew.",
}

// gatewayStatuses are what an Application Gateway answers (azure.2, azure.4 D).
var gatewayStatuses = map[Cause]int{
	NoTarget: http.StatusBadGateway, Unreachable: http.StatusBadGateway, NoAnswer: http.StatusBadGateway,
	Late: http.StatusGatewayTimeout,
}

// gatewayWords are nginx's where they are not those of net/http (azure.5 O).
var gatewayWords = map[int]string{
	http.StatusServiceUnavailable: "Service Temporarily Unavailable",
	http.StatusGatewayTimeout:     "Gateway Time-out",
	http.StatusRequestTimeout:     "Request Time-out",
	http.StatusMethodNotAllowed:   "Not Allowed",
}

// gatewayAnswer is a response of an Application Gateway itself (azure.3, azure.5 O).
func gatewayAnswer(r Reason) Answer {
	status := r.statusOr(gatewayStatuses)
	reason := cmp.Or(gatewayWords[status], http.StatusText(status))
	text := fmt.Sprintf("%d %s", status, reason)
	return Answer{
		Status: status, Reason: reason, Lead: []Field{{"Server", gatewayServer}}, ContentType: "text/html",
		Body: []byte("<html>\r\n<head><title>" + text + "</title></head>\r\n<body>\r\n<center><h1>" + text +
			"</h1></center>\r\n<hr><center>" + gatewayServer + "</center>\r\n</body>\r\n</html>\r\n"),
		Close: status == http.StatusBadRequest || status == http.StatusRequestTimeout,
	}
}

// tellGateway is what targets of an Application Gateway get (azure.10 D).
func tellGateway(h http.Header, r Request) {
	const forwarded = "X-Forwarded-For"
	h.Set(forwarded, strings.Join(append(h.Values(forwarded), r.Client.String()), ", "))
	h.Set("X-Forwarded-Proto", r.Scheme)
	h.Set("X-Forwarded-Port", strconv.Itoa(int(r.Port)))
	h.Set("X-Original-Host", r.Host)
	h.Set("X-Original-Url", r.URI)
	id := make([]byte, 16)
	_, _ = rand.Read(id) // never fails
	h.Set("X-Appgw-Trace-Id", hex.EncodeToString(id))
}
