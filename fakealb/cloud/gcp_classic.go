package cloud

import (
	"fmt"
	"net/http"

	"github.com/proxychaos/proxychaos/fakealb/targets"
)

// gcpClassic is Google Cloud's classic Application Load Balancer, which came before the global
// external one, and which GKE makes of an Ingress.
var gcpClassic = Cloud{
	Name:  "gcp-classic",
	Title: "Google Cloud classic Application Load Balancer",
	Own:   classicAnswer,
	Adds:  []Field{viaGoogle},
	Tell:  tellGoogle,
	Timers: Timers{
		Idle:     targets.Range{Default: 610, Min: 610, Max: 610},             // gcp-classic.4 D
		Response: googleTimers.Response, WholeResponse: true, TargetIdle: 600, // gcp-classic.5 D
	},
	Targets:   googleTargets,
	Addresses: 1, // gcp-classic.5 D
	Moves:     gcp.Moves,
}

// classicStatuses are what it answers (gcp-classic.1 D, gcp-classic.3 O).
var classicStatuses = map[Cause]int{
	NoTarget: http.StatusBadGateway, Unreachable: http.StatusBadGateway, NoAnswer: http.StatusBadGateway,
	Late: http.StatusBadGateway,
}

// classicAnswer is a response of the load balancer itself: that of 502 byte for byte
// (gcp-classic.2 O). Other statuses get the same page with their own title (G).
func classicAnswer(r Reason) Answer {
	status := r.statusOr(classicStatuses)
	return Answer{
		Status: status, Reason: http.StatusText(status), ContentType: "text/html; charset=UTF-8",
		Trail: []Field{{"Referrer-Policy", "no-referrer"}},
		Body: []byte(fmt.Sprintf(`
<html><head>
<meta http-equiv="content-type" content="text/html;charset=utf-8">
<title>%d Server Error</title>
</head>
<body text=#000000 bgcolor=#ffffff>
<h1>Error: Server Error</h1>
<h2>The server encountered a temporary error and could not complete your request.<p>Please try again in 30 seconds.</h2>
<h2></h2>
</body></html>
`, status)),
		Close: status == http.StatusBadRequest,
	}
}
