package pod

import (
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"time"

	"github.com/proxychaos/proxychaos/harness/control"
)

// Health says that the agent has taken the namespace over.
type Health struct {
	Notice  string    `json:"notice"`
	Started time.Time `json:"started"`
}

const notice = "TEST ONLY: a proxychaos pod agent; keep it off any network that is not its own"

// handler is the control API; fakedns's own is under /dns/.
func (a *Agent) handler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/dns/", http.StripPrefix("/dns", a.dns.Handler()))
	mux.HandleFunc("GET /v1/health", func(w http.ResponseWriter, _ *http.Request) {
		control.Answer(w, Health{Notice: notice, Started: a.started}, nil)
	})
	mux.HandleFunc("GET /v1/listeners", a.getListeners)
	mux.HandleFunc("GET /v1/processes", a.getProcesses)
	mux.HandleFunc("GET /v1/logs", func(w http.ResponseWriter, _ *http.Request) { control.Answer(w, a.logFiles().logs(), nil) })
	mux.HandleFunc("PUT /v1/literals", func(w http.ResponseWriter, r *http.Request) {
		var req LiteralsRequest
		perform(w, r, &req, func() (any, error) { return a.startLiterals(req) })
	})
	mux.HandleFunc("GET /v1/literals", func(w http.ResponseWriter, _ *http.Request) {
		found, err := a.listLiterals()
		control.Answer(w, found, err)
	})
	mux.HandleFunc("PUT /v1/beside", func(w http.ResponseWriter, r *http.Request) {
		var req BesideRequest
		perform(w, r, &req, func() (any, error) { return req, a.startBeside(req) })
	})
	mux.HandleFunc("PUT /v1/addresses", func(w http.ResponseWriter, r *http.Request) {
		var req AddressesRequest
		perform(w, r, &req, func() (any, error) { return req, a.giveAddresses(req) })
	})
	mux.HandleFunc("POST /v1/watches", a.postWatch)
	mux.HandleFunc("GET /v1/watches/{id}", a.getWatch)
	mux.HandleFunc("PUT /v1/watches/{id}/pace", a.paceWatch)
	mux.HandleFunc("POST /v1/probes/connect", func(w http.ResponseWriter, r *http.Request) {
		var req ConnectRequest
		perform(w, r, &req, func() (any, error) { return a.probeConnect(r.Context(), req) })
	})
	mux.HandleFunc("POST /v1/probes/http", func(w http.ResponseWriter, r *http.Request) {
		var req HTTPRequest
		perform(w, r, &req, func() (any, error) { return a.probeHTTP(r.Context(), req) })
	})
	mux.HandleFunc("POST /v1/probes/tls", func(w http.ResponseWriter, r *http.Request) {
		var req TLSRequest
		perform(w, r, &req, func() (any, error) { return a.probeTLS(r.Context(), req) })
	})
	mux.HandleFunc("POST /v1/probes/dns", func(w http.ResponseWriter, r *http.Request) {
		var req DNSRequest
		perform(w, r, &req, func() (any, error) { return a.probeDNS(r.Context(), req) })
	})
	mux.HandleFunc("PUT /v1/canaries/{id}", func(w http.ResponseWriter, r *http.Request) {
		var req CanaryRequest
		perform(w, r, &req, func() (any, error) {
			return a.canaries.put(r.Context(), &a.dialer, r.PathValue("id"), req)
		})
	})
	mux.HandleFunc("POST /v1/canaries/{id}/ask", func(w http.ResponseWriter, r *http.Request) {
		var req AskRequest
		perform(w, r, &req, func() (any, error) { return a.askCanary(r.PathValue("id"), req) })
	})
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		control.Answer(w, nil, control.NotFound("", "nothing answers %s %s", r.Method, r.URL.Path))
	})
	return control.Guard(mux, func(w http.ResponseWriter, message string) {
		control.Answer(w, nil, control.Errorf(http.StatusForbidden, control.CodeForbidden, "", "%s", message))
	})
}

// AskRequest asks a canary.
type AskRequest struct {
	Timeout Duration `json:"timeout,omitempty"` // 0 is DefaultTimeout
}

func (a *Agent) askCanary(id string, req AskRequest) (Answer, error) {
	timeout, err := req.Timeout.orDefault()
	if err != nil {
		return Answer{}, err
	}
	c, err := a.canaries.get(id)
	if err != nil {
		return Answer{}, err
	}
	return c.question("/", c.Addr.String(), timeout)
}

func (a *Agent) getListeners(w http.ResponseWriter, r *http.Request) {
	var wait Duration
	if text := r.URL.Query().Get("wait"); text != "" {
		if err := wait.UnmarshalText([]byte(text)); err != nil || wait < 0 || time.Duration(wait) > MaxWait {
			control.Answer(w, nil, invalid("wait", "got %q, want a duration such as 5s, at most %v", text, MaxWait))
			return
		}
	}
	found, err := a.waitListeners(r.Context(), time.Duration(wait))
	control.Answer(w, found, err)
}

func (a *Agent) getProcesses(w http.ResponseWriter, r *http.Request) {
	nodes, err := parseNodes(r.URL.Query())
	if err != nil {
		control.Answer(w, nil, err)
		return
	}
	found, err := a.processes(nodes)
	control.Answer(w, found, err)
}

func parseNodes(query url.Values) (Nodes, error) {
	var nodes Nodes
	var err error
	if text := query.Get("nodes"); text != "" {
		if nodes.Prefix, err = netip.ParsePrefix(text); err != nil {
			return Nodes{}, invalid("nodes", "got %q, want a prefix such as 198.18.1.0/24", text)
		}
	}
	for _, text := range query["except"] {
		addr, err := netip.ParseAddr(text)
		if err != nil {
			return Nodes{}, invalid("except", "got %q, want an address", text)
		}
		nodes.Except = append(nodes.Except, addr)
	}
	if text := query.Get("literals"); text != "" {
		var err error
		if nodes.Literals, err = strconv.ParseBool(text); err != nil {
			return Nodes{}, invalid("literals", "got %q, want true or false", text)
		}
	}
	return nodes, nodes.validate()
}

func (a *Agent) processes(nodes Nodes) ([]Process, error) {
	sockets, err := a.diag.sockets(established | listening)
	if err != nil {
		return nil, err
	}
	all, err := a.procs.all()
	if err != nil {
		return nil, err
	}
	return attribute(all, sockets, nodes), nil
}

func (a *Agent) postWatch(w http.ResponseWriter, r *http.Request) {
	var req WatchRequest
	perform(w, r, &req, func() (any, error) {
		started, err := a.startWatch(req)
		if err != nil {
			return nil, err
		}
		return started.state()
	})
}

func (a *Agent) getWatch(w http.ResponseWriter, r *http.Request) {
	found, err := a.watch(r.PathValue("id"))
	if err != nil {
		control.Answer(w, nil, err)
		return
	}
	state, err := found.state()
	control.Answer(w, state, err)
}

func (a *Agent) paceWatch(w http.ResponseWriter, r *http.Request) {
	var req Pace
	perform(w, r, &req, func() (any, error) {
		found, err := a.watch(r.PathValue("id"))
		if err != nil {
			return nil, err
		}
		interval, err := req.Interval.sampling()
		if err != nil {
			return nil, err
		}
		found.pace(interval)
		return Pace{Interval: Duration(interval)}, nil
	})
}

// perform reads the body into req, then does what was asked.
func perform(w http.ResponseWriter, r *http.Request, req any, do func() (any, error)) {
	if err := decode(w, r, req); err != nil {
		control.Answer(w, nil, err)
		return
	}
	result, err := do()
	control.Answer(w, result, err)
}
