package fakealb

import (
	"net/http"
	"strings"

	"github.com/proxychaos/proxychaos/fakealb/cloud"
	"github.com/proxychaos/proxychaos/fakealb/targets"
)

// isGRPC reports whether a request is a gRPC call.
func isGRPC(req *http.Request) bool {
	return strings.HasPrefix(req.Header.Get("Content-Type"), "application/grpc")
}

// mismatched reports whether a target group of a protocol version does not take
// what the client speaks. Then the answer is 464 (2.4.1 D).
func mismatched(req *http.Request, version string) bool {
	switch version {
	case targets.VersionGRPC:
		return req.ProtoMajor != 2 || req.Method != http.MethodPost
	case targets.VersionHTTP2:
		return req.ProtoMajor != 2
	}
	return isGRPC(req)
}

// protocolMismatch is the answer to a request that is mismatched. A stream is not
// read to its end, which may be far.
func (x *exchange) protocolMismatch() response {
	answer := func() response { return x.v.lb.refused(cloud.StatusProtocolMismatch) }
	if x.req.ProtoMajor == 2 {
		return answer()
	}
	return x.own(answer)
}

// noTargetGRPC is the answer to a gRPC call where no target can be used: a head
// alone, of status 502 (2.4 O1).
func noTargetGRPC() response {
	return response{
		status: http.StatusBadGateway, lead: []field{{"Server", "awselb/2.0"}}, contentType: "application/grpc",
		trail: []field{{"Grpc-Status", "14"}, {"Grpc-Message", "unavailable"}},
	}
}

// keepTrailers lets a target of HTTP/2 know that the client takes trailers, which
// servers of gRPC may insist on.
func keepTrailers(out, in *http.Request, version string) {
	if version != targets.VersionHTTP1 && in.Header.Get("Te") == "trailers" {
		out.Header.Set("Te", "trailers")
	}
}

// groupVersion is the protocol version of a target group.
func (lb LoadBalancer) groupVersion(name string) string {
	if name == unnamed {
		return lb.TargetGroup.ProtocolVersion
	}
	for _, g := range lb.TargetGroups {
		if g.Name == name {
			return g.ProtocolVersion
		}
	}
	return targets.VersionHTTP1
}
