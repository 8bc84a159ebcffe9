package fakealb

import (
	"errors"
	"iter"
	"maps"
	"net/http"
	"net/netip"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/proxychaos/proxychaos/fakealb/record"
	"github.com/proxychaos/proxychaos/fakealb/targets"
	"github.com/proxychaos/proxychaos/harness/control"
)

// maxRequestBytes bounds the body of a control request.
const maxRequestBytes = 1 << 20

// Handler is the control API, for embedding in another server.
func (s *Server) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /v1/version", func(w http.ResponseWriter, _ *http.Request) { answer(w, version(), nil) })
	mux.HandleFunc("GET /v1/status", s.getStatus)
	mux.HandleFunc("GET /v1/openapi.yaml", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/yaml")
		_, _ = w.Write(OpenAPI)
	})
	mux.HandleFunc("GET /v1/ca", s.getCA)
	mux.HandleFunc("PUT /v1/default-certificate", s.handlePutDefaultCertificate)
	mux.HandleFunc("GET /v1/load-balancers", s.getLoadBalancers)
	mux.HandleFunc("PUT /v1/load-balancers/{name}", s.handlePutLoadBalancer)
	mux.HandleFunc("DELETE /v1/load-balancers/{name}", s.handleDeleteLoadBalancer)
	mux.HandleFunc("GET /v1/load-balancers/{name}/dns", s.getDNS)
	mux.HandleFunc("GET /v1/load-balancers/{name}/target-health", s.getTargetHealth)
	mux.HandleFunc("GET /v1/load-balancers/{name}/target-groups", s.getTargetGroups)
	mux.HandleFunc("PUT /v1/load-balancers/{name}/target-groups/{group}", s.handlePutTargetGroup)
	mux.HandleFunc("DELETE /v1/load-balancers/{name}/target-groups/{group}", s.handleDeleteTargetGroup)
	mux.HandleFunc("PUT /v1/load-balancers/{name}/target-groups/{group}/targets", s.handleRegisterTarget)
	mux.HandleFunc("DELETE /v1/load-balancers/{name}/target-groups/{group}/targets/{target}", s.handleDeregisterTarget)
	mux.HandleFunc("GET /v1/nodes", s.getNodes)
	mux.HandleFunc("PUT /v1/nodes/{addr}", s.handlePutNode)
	mux.HandleFunc("DELETE /v1/nodes/{addr}", s.handleDeleteNode)
	mux.HandleFunc("GET /v1/nodes/{addr}/targets", s.getTargets)
	mux.HandleFunc("PUT /v1/nodes/{addr}/fault", s.handlePutFault)
	mux.HandleFunc("DELETE /v1/nodes/{addr}/fault", s.handleDeleteFault)
	mux.HandleFunc("PUT /v1/faults", s.handlePutFaults)
	mux.HandleFunc("POST /v1/reset", s.handleReset)
	mux.HandleFunc("GET /v1/history", s.getHistory)
	mux.HandleFunc("GET /v1/events", s.getEvents)
	mux.Handle("GET /metrics", s.metrics.handler())
	mux.HandleFunc("GET /v1/records/attempts", func(w http.ResponseWriter, _ *http.Request) { stream(s, w, s.attempts.All()) })
	mux.HandleFunc("GET /v1/records/connections", func(w http.ResponseWriter, _ *http.Request) { stream(s, w, s.connections.All()) })
	mux.HandleFunc("GET /v1/records/packets", func(w http.ResponseWriter, _ *http.Request) { stream(s, w, s.packets.All()) })
	mux.HandleFunc("GET /v1/records/checks", func(w http.ResponseWriter, _ *http.Request) { stream(s, w, s.checks.all()) })
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		answer(w, nil, control.Errorf(http.StatusNotFound, CodeNotFound, "", "got %s %s, which is no call of this API", r.Method, r.URL.Path))
	})
	return control.Guard(mux, func(w http.ResponseWriter, message string) {
		answer(w, nil, control.Errorf(http.StatusForbidden, CodeForbidden, "", "%s", message))
	})
}

func version() Version {
	v := Version{Name: "fakealb", Version: "devel", API: "v1", Notice: notice}
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" && info.Main.Version != "(devel)" {
		v.Version = info.Main.Version
	}
	return v
}

func (s *Server) getStatus(w http.ResponseWriter, _ *http.Request) {
	st := Status{
		Network: s.config.Network, Interface: s.iface, Ports: s.config.Ports, AnyPort: s.config.AnyPort, TimeScale: s.config.TimeScale,
		Uptime: s.since(time.Now()), Timers: s.timers(),
		Capture: s.capture != nil, AcceptErrors: s.acceptErrors.Load(), Attempts: s.attempts.Len(), Connections: s.connections.Len(), Packets: s.packets.Len(),
	}
	if s.capture != nil {
		var err error
		if st.CaptureDropped, err = s.capture.Dropped(); err != nil {
			answer(w, nil, networkError(err))
			return
		}
	}
	answer(w, st, nil)
}

func (s *Server) getCA(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/x-pem-file")
	_, _ = w.Write(s.CA())
}

func (s *Server) getLoadBalancers(w http.ResponseWriter, _ *http.Request) {
	s.mu.Lock()
	list := slices.SortedFunc(maps.Values(s.balancers), func(a, b LoadBalancer) int { return strings.Compare(a.Name, b.Name) })
	s.mu.Unlock()
	answer(w, orEmpty(list), nil)
}

func (s *Server) handlePutLoadBalancer(w http.ResponseWriter, r *http.Request) {
	var lb LoadBalancer
	if err := decode(w, r, &lb); err != nil {
		answer(w, nil, err)
		return
	}
	if lb.Name != "" && lb.Name != r.PathValue("name") {
		answer(w, nil, badField("name", "got %q in the body and %q in the path, want the same, or none in the body", lb.Name, r.PathValue("name")))
		return
	}
	lb.Name = r.PathValue("name")
	lb, err := s.checked(lb) // before the lock is held
	if err != nil {
		answer(w, nil, err)
		return
	}
	s.answerChange(w, func() (Applied, error) { return s.putLoadBalancer(lb) })
}

func (s *Server) handleDeleteLoadBalancer(w http.ResponseWriter, r *http.Request) {
	s.answerChange(w, func() (Applied, error) { return s.deleteLoadBalancer(r.PathValue("name")) })
}

func (s *Server) getNodes(w http.ResponseWriter, _ *http.Request) {
	s.mu.Lock()
	list := []Node{}
	for _, n := range s.nodes {
		v := n.view()
		list = append(list, Node{Addr: n.addr, LoadBalancer: v.lb.Name, Zone: v.zone, ControlPlaneLag: v.lag, JVMRoute: v.route, Fault: v.fault.Kind})
	}
	s.mu.Unlock()
	slices.SortFunc(list, func(a, b Node) int { return a.Addr.Compare(b.Addr) })
	answer(w, list, nil)
}

func (s *Server) handlePutNode(w http.ResponseWriter, r *http.Request) {
	addr, err := pathAddr(r)
	if err != nil {
		answer(w, nil, err)
		return
	}
	var n Node
	if err := decode(w, r, &n); err != nil {
		answer(w, nil, err)
		return
	}
	if n.Addr.IsValid() && n.Addr != addr {
		answer(w, nil, badField("addr", "got %s in the body and %s in the path, want the same, or none in the body", n.Addr, addr))
		return
	}
	n.Addr = addr
	s.answerChange(w, func() (Applied, error) { return s.putNode(n) })
}

func (s *Server) handleDeleteNode(w http.ResponseWriter, r *http.Request) {
	addr, err := pathAddr(r)
	if err != nil {
		answer(w, nil, err)
		return
	}
	s.answerChange(w, func() (Applied, error) { return s.deleteNode(addr) })
}

// getTargets lists the health of targets as one node sees it.
func (s *Server) getTargets(w http.ResponseWriter, r *http.Request) {
	addr, err := pathAddr(r)
	if err != nil {
		answer(w, nil, err)
		return
	}
	s.mu.Lock()
	n := s.nodes[addr]
	if n == nil {
		err = s.unknownNode("addr", addr)
	}
	s.mu.Unlock()
	list := []targets.Health{}
	if n != nil {
		if pool := n.view().pools[unnamed]; pool != nil {
			list = pool.Health()
		}
	}
	answer(w, list, err)
}

func (s *Server) handlePutFault(w http.ResponseWriter, r *http.Request) {
	addr, err := pathAddr(r)
	if err != nil {
		answer(w, nil, err)
		return
	}
	var f FaultSetting
	if err := decode(w, r, &f); err != nil {
		answer(w, nil, err)
		return
	}
	s.answerChange(w, func() (Applied, error) { return s.setFaults([]netip.Addr{addr}, f) })
}

func (s *Server) handleDeleteFault(w http.ResponseWriter, r *http.Request) {
	addr, err := pathAddr(r)
	if err != nil {
		answer(w, nil, err)
		return
	}
	s.answerChange(w, func() (Applied, error) { return s.setFaults([]netip.Addr{addr}, noFault) })
}

func (s *Server) handlePutFaults(w http.ResponseWriter, r *http.Request) {
	var f FaultRequest
	if err := decode(w, r, &f); err != nil {
		answer(w, nil, err)
		return
	}
	if len(f.Nodes) == 0 {
		answer(w, nil, badField("nodes", "got no node, want at least one address"))
		return
	}
	s.answerChange(w, func() (Applied, error) { return s.setFaults(f.Nodes, f.FaultSetting) })
}

func (s *Server) handleReset(w http.ResponseWriter, _ *http.Request) { s.answerChange(w, s.reset) }

func (s *Server) getHistory(w http.ResponseWriter, _ *http.Request) {
	s.mu.Lock()
	list := slices.Clone(s.history)
	s.mu.Unlock()
	answer(w, orEmpty(list), nil)
}

func (s *Server) answerChange(w http.ResponseWriter, f func() (Applied, error)) {
	a, err := s.change(f)
	answer(w, a, err)
}

// stream writes rows as NDJSON. The status is sent before the first row, so a
// write that fails can only be logged; the client sees the stream cut.
func stream[T record.Attempt | record.Connection | record.Packet | record.Check](s *Server, w http.ResponseWriter, rows iter.Seq[T]) {
	w.Header().Set("Content-Type", "application/x-ndjson")
	if err := record.Write(w, rows); err != nil {
		s.log.Warn("fakealb: records not sent to the end", "error", err)
		panic(http.ErrAbortHandler) // cuts the response, so that it is not taken for whole
	}
}

// decode reads one JSON value with known fields only. This API tells a body that it cannot
// read from a field that is wrong.
func decode(w http.ResponseWriter, r *http.Request, into any) error {
	err := control.Decode(http.MaxBytesReader(w, r.Body, maxRequestBytes), into)
	var wrong *Error
	if errors.As(err, &wrong) && wrong.Code == control.CodeInvalid {
		wrong.Code = CodeBadRequest
	}
	return err
}

func pathAddr(r *http.Request) (netip.Addr, error) {
	addr, err := netip.ParseAddr(r.PathValue("addr"))
	if err != nil {
		return addr, badField("addr", "got %q, want an IP address", r.PathValue("addr"))
	}
	return addr, nil
}

// answer writes value, or err in its stead: what has no code is the network's.
func answer(w http.ResponseWriter, value any, err error) {
	var known *Error
	if err != nil && !errors.As(err, &known) {
		err = networkError(err)
	}
	control.Answer(w, value, err)
}

func orEmpty[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}
