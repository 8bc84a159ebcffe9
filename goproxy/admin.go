package goproxy

import (
	"encoding/json"
	"html/template"
	"maps"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"time"
)

// EndpointState is one address in the admin API.
type EndpointState struct {
	Upstream    string `json:"upstream"`
	URL         string `json:"url"`
	Route       string `json:"route,omitempty"`
	LoadFactor  int    `json:"loadfactor"`
	Address     string `json:"address"`
	State       string `json:"state"` // "ok", "ejected", "unhealthy" or "disabled"
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
				Upstream: name, URL: e.member.url.String(), Route: e.member.route, LoadFactor: e.member.loadFactor,
				Address: e.addr.String(), State: "ok", Failures: e.failures.Load(), Outstanding: e.outstanding.Load(),
			}
			switch {
			case e.disabled.Load():
				s.State = "disabled"
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
	for _, e := range up.set.Load().endpoints {
		if e.addr == address {
			e.disabled.Store(disabled)
			return true
		}
	}
	return false
}

// adminHandler serves metrics, state and the switch for one address.
func (p *Proxy) adminHandler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", p.metrics.handler(p))
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		if err := adminPage.Execute(w, p.Endpoints()); err != nil {
			p.log.Debug("admin page", "error", err.Error())
		}
	})
	mux.HandleFunc("GET /api/endpoints", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		if err := json.NewEncoder(w).Encode(p.Endpoints()); err != nil {
			p.log.Debug("admin api", "error", err.Error())
		}
	})
	mux.HandleFunc("PUT /api/endpoints/{upstream}/{address}", p.putEndpoint)
	return localOnly(mux)
}

func (p *Proxy) putEndpoint(w http.ResponseWriter, req *http.Request) {
	address, err := netip.ParseAddrPort(req.PathValue("address"))
	if err != nil {
		http.Error(w, "want an address with its port in the path, such as 10.0.0.1:8080", http.StatusBadRequest)
		return
	}
	var body struct {
		Disabled *bool `json:"disabled"`
	}
	dec := json.NewDecoder(http.MaxBytesReader(w, req.Body, 1<<10))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&body); err != nil || body.Disabled == nil {
		http.Error(w, `want the body {"disabled": true} or {"disabled": false}`, http.StatusBadRequest)
		return
	}
	if !p.SetDisabled(req.PathValue("upstream"), address, *body.Disabled) {
		http.Error(w, "no such upstream, or it does not have this address now", http.StatusNotFound)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// localOnly refuses a Host that is not an IP address or localhost: a page in
// the operator's browser could otherwise point a name of its own at 127.0.0.1.
func localOnly(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		host := req.Host
		if h, _, err := net.SplitHostPort(host); err == nil {
			host = h
		}
		if _, err := netip.ParseAddr(host); err != nil && host != "localhost" {
			http.Error(w, "call the admin address by its IP address or as localhost", http.StatusForbidden)
			return
		}
		next.ServeHTTP(w, req)
	})
}

var adminPage = template.Must(template.New("admin").Parse(`<!doctype html>
<html lang="en"><meta charset="utf-8"><title>goproxy</title>
<style>body{font:15px sans-serif;margin:2em}td,th{padding:.3em 1em;text-align:left}tr.ejected,tr.unhealthy{background:#fdd}tr.disabled{color:#888}</style>
<h1>goproxy</h1>
<table><tr><th>upstream<th>url<th>route<th>load factor<th>address<th>state<th>failures<th>outstanding</tr>
{{range .}}<tr class="{{.State}}"><td>{{.Upstream}}<td>{{.URL}}<td>{{.Route}}<td>{{.LoadFactor}}<td>{{.Address}}<td>{{.State}}<td>{{.Failures}}<td>{{.Outstanding}}</tr>
{{else}}<tr><td colspan="8">no address is known yet</tr>
{{end}}</table>
<p><a href="/metrics">metrics</a> <a href="/api/endpoints">JSON</a></p></html>
`))
