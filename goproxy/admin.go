package goproxy

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/proxychaos/proxychaos/harness/control"
)

// EndpointState is one address in the admin API.
type EndpointState struct {
	Upstream    string `json:"upstream"`
	URL         string `json:"url"`
	Route       string `json:"route,omitempty"`
	LoadFactor  int    `json:"loadfactor"`
	Address     string `json:"address"`
	State       string `json:"state"` // "ok", "ejected", "unhealthy", "draining" or "disabled"
	Failures    int32  `json:"failures"`
	Outstanding int64  `json:"outstanding"`
}

// Endpoints is the present state of every address, by upstream name.
func (p *Proxy) Endpoints() []EndpointState {
	now := time.Now()
	all := []EndpointState{}
	upstreams := p.table.Load().upstreams
	for _, name := range slices.Sorted(maps.Keys(upstreams)) {
		for _, e := range upstreams[name].set.Load().endpoints {
			s := EndpointState{
				Upstream: name, URL: e.member.url.String(), Route: e.member.route, LoadFactor: int(e.member.loadFactor.Load()),
				Address: e.addr.String(), State: "ok", Failures: e.failures.Load(), Outstanding: e.outstanding.Load(),
			}
			switch {
			case e.disabled.Load() || e.member.mode.Load() == int32(memberDisabled):
				s.State = "disabled"
			case e.member.mode.Load() == int32(memberDrains):
				s.State = "draining"
			case e.health.sick.Load():
				s.State = "unhealthy"
			case e.ejected(now):
				s.State = "ejected"
			}
			all = append(all, s)
		}
	}
	return all
}

// SetDisabled takes an address out of balancing, or puts it back, until it
// leaves DNS. It reports whether the upstream has that address.
func (p *Proxy) SetDisabled(upstream string, address netip.AddrPort, disabled bool) bool {
	up := p.table.Load().upstreams[upstream]
	if up == nil {
		return false
	}
	found := false
	for _, e := range up.set.Load().endpoints { // members may share an address
		if e.addr == address {
			e.disabled.Store(disabled)
			found = true
		}
	}
	return found
}

// adminAddress reads Config.Admin.
func adminAddress(text string) (netip.AddrPort, error) {
	full := text
	if strings.HasPrefix(text, ":") {
		full = "127.0.0.1" + text
	}
	addr, err := netip.ParseAddrPort(full)
	if err != nil {
		return addr, fmt.Errorf("%q is not an address with a port: want one such as 127.0.0.1:9901", text)
	}
	return addr, nil
}

func (p *Proxy) openAdmin(text string) error {
	addr, err := adminAddress(text)
	if err != nil {
		return err
	}
	if p.admin, err = p.bind("admin", addr.String()); err != nil {
		return err
	}
	if !addr.Addr().IsLoopback() {
		p.log.Warn("admin: other machines can reach it, and it asks for no password", "address", addr.String())
	}
	return nil
}

// adminHandler serves metrics, state and the switches. Web pages cannot use it,
// whatever address it is on.
func (p *Proxy) adminHandler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", p.metrics.handler(p))
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		if err := adminPage.Execute(w, map[string]any{"Members": p.Members(), "Endpoints": p.Endpoints()}); err != nil {
			p.log.Debug("admin page", "error", err.Error())
		}
	})
	mux.HandleFunc("GET /api/endpoints", func(w http.ResponseWriter, _ *http.Request) { p.writeJSON(w, http.StatusOK, p.Endpoints()) })
	mux.HandleFunc("PUT /api/endpoints/{upstream}/{address}", p.putEndpoint)
	mux.HandleFunc("GET /api/members", func(w http.ResponseWriter, _ *http.Request) { p.writeJSON(w, http.StatusOK, p.Members()) })
	mux.HandleFunc("PUT /api/members/{upstream}/{member}", p.putMember)
	mux.HandleFunc("POST /api/reload", p.postReload)
	mux.HandleFunc("GET /api/openapi.yaml", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/yaml")
		_, _ = w.Write(OpenAPI) // who asked may be gone
	})
	return control.Guard(mux, func(w http.ResponseWriter, message string) {
		p.writeError(w, http.StatusForbidden, "", message)
	})
}

func (p *Proxy) postReload(w http.ResponseWriter, _ *http.Request) {
	if p.opts.Reread == nil {
		p.writeError(w, http.StatusNotImplemented, "", "the program that holds this proxy has no config to read again")
		return
	}
	if err := p.opts.Reread(); err != nil {
		p.writeError(w, http.StatusUnprocessableEntity, "", "the present config remains in force: "+err.Error())
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

func (p *Proxy) putEndpoint(w http.ResponseWriter, req *http.Request) {
	address, err := netip.ParseAddrPort(req.PathValue("address"))
	if err != nil {
		p.writeError(w, http.StatusBadRequest, "address", "want an address with its port in the path, such as 10.0.0.1:8080")
		return
	}
	var body struct {
		Disabled *bool `json:"disabled"`
	}
	if err := readJSON(w, req, &body); err != nil || body.Disabled == nil {
		p.writeError(w, http.StatusBadRequest, "disabled", `want the body {"disabled": true} or {"disabled": false}`)
		return
	}
	if !p.SetDisabled(req.PathValue("upstream"), address, *body.Disabled) {
		p.writeError(w, http.StatusNotFound, "address", "no such upstream, or it does not have this address now")
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// readJSON reads a body of known fields only, and of nothing after them.
func readJSON(w http.ResponseWriter, req *http.Request, into any) error {
	dec := json.NewDecoder(http.MaxBytesReader(w, req.Body, 1<<10))
	dec.DisallowUnknownFields()
	if err := dec.Decode(into); err != nil {
		return err
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return errors.New("something follows the JSON object")
	}
	return nil
}

func (p *Proxy) writeJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	if err := json.NewEncoder(w).Encode(v); err != nil {
		p.log.Debug("admin api", "error", err.Error())
	}
}

// APIError is the answer to a request that the admin API refuses.
type APIError struct {
	// Field is the one at fault, of the body or of the path.
	Field   string `json:"field,omitempty"`
	Message string `json:"message"`
}

func (p *Proxy) writeError(w http.ResponseWriter, status int, field, message string) {
	p.writeJSON(w, status, map[string]APIError{"error": {Field: field, Message: message}})
}
