package fakealb

import (
	"net/http"
	"testing"
)

// The head of a built-in target's response, as it is written for each request.
func BenchmarkResponseHead(b *testing.B) {
	r := response{
		status: http.StatusOK, reason: "OK", contentType: "text/plain; charset=utf-8", date: "Fri, 20 Nov 2026 16:00:00 GMT",
		trail: []field{{"Server", "fakealb-target"}, {HeaderNode, "198.18.0.21"}, {HeaderLoadBalancer, "blue"}},
		body:  []byte("fakealb lb=blue node=198.18.0.21 target=t1 received=0 seq=7\n"),
	}
	var room []byte
	b.ReportAllocs()
	for b.Loop() {
		room = r.head(room[:0], http.MethodGet, false)
	}
}
