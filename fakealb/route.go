package fakealb

import "net/http"

// route answers a request that the load balancer does not refuse.
func (s *Server) route(x *exchange) response {
	switch {
	case x.v.pools[unnamed] != nil:
		return s.fromGroup(x, unnamed)
	case x.v.lb.Targets == 0:
		return x.own(func() response { return generated(http.StatusServiceUnavailable, x.v.lb.ErrorBody) })
	}
	return x.own(func() response { return s.builtIn(x) })
}
