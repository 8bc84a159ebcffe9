package goproxy

import (
	_ "embed"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
)

// OpenAPI describes the admin API; GET /api/openapi.yaml answers it.
//
//go:embed openapi.yaml
var OpenAPI []byte

// memberMode is what an operator set a member to.
type memberMode int32

const (
	memberEnabled memberMode = iota
	memberDrains
	memberDisabled
)

var memberModes = []string{"enabled", "drain", "disabled"}

// MemberState is one member in the admin API.
type MemberState struct {
	Upstream   string `json:"upstream"`
	Member     string `json:"member"` // its route, or host:port of its url
	URL        string `json:"url"`
	Route      string `json:"route,omitempty"`
	Backup     bool   `json:"backup,omitempty"`
	State      string `json:"state"` // "enabled", "drain" or "disabled"
	LoadFactor int    `json:"loadfactor"`
	Addresses  int    `json:"addresses"` // in DNS now
}

// MemberChange is what can be set at a member; nil leaves it as it is.
type MemberChange struct {
	// State is "enabled", "drain" (no request but those of its sessions) or
	// "disabled".
	State *string `json:"state"`
	// LoadFactor is 1 to 100.
	LoadFactor *int `json:"loadfactor"`
}

// refuses reports whether no request may go to the member; route is the one
// that the request's session asks for.
func (m *member) refuses(route string) bool {
	switch memberMode(m.mode.Load()) {
	case memberDisabled:
		return true
	case memberDrains:
		return route == "" || route != m.route
	default:
		return false
	}
}

func (u *upstream) member(id string) *member {
	for _, m := range u.members {
		if m.id == id {
			return m
		}
	}
	return nil
}

func (m *member) state() MemberState {
	m.up.setMu.Lock()
	defer m.up.setMu.Unlock()
	return MemberState{
		Upstream: m.up.name, Member: m.id, URL: m.url.String(), Route: m.route, Backup: m.backup,
		State: memberModes[m.mode.Load()], LoadFactor: int(m.loadFactor.Load()), Addresses: len(m.endpoints),
	}
}

// Members is the present state of every member, by upstream name.
func (p *Proxy) Members() []MemberState {
	all := []MemberState{}
	upstreams := p.table.Load().upstreams
	for _, name := range slices.Sorted(maps.Keys(upstreams)) {
		for _, m := range upstreams[name].members {
			all = append(all, m.state())
		}
	}
	return all
}

// check returns the field at fault and what is wrong with it.
func (c MemberChange) check() (field, message string) {
	switch {
	case c.State == nil && c.LoadFactor == nil:
		return "", `nothing to change: want {"state": "enabled", "drain" or "disabled"} or {"loadfactor": 1 to 100}`
	case c.State != nil && !slices.Contains(memberModes, *c.State):
		return "state", fmt.Sprintf("%q: want one of %s", *c.State, strings.Join(memberModes, ", "))
	case c.LoadFactor != nil && (*c.LoadFactor < 1 || *c.LoadFactor > 100):
		return "loadfactor", fmt.Sprintf("%d: want 1 to 100", *c.LoadFactor)
	}
	return "", ""
}

// set puts a checked change in force.
func (m *member) set(c MemberChange) {
	if c.State != nil {
		m.mode.Store(int32(slices.Index(memberModes, *c.State)))
	}
	if c.LoadFactor != nil {
		m.loadFactor.Store(int32(*c.LoadFactor))
		m.up.reweigh()
	}
}

func (p *Proxy) putMember(w http.ResponseWriter, req *http.Request) {
	var change MemberChange
	if err := readJSON(w, req, &change); err != nil {
		p.writeError(w, http.StatusBadRequest, "", fmt.Sprintf(`%v: want a body such as {"state": "drain", "loadfactor": 5}`, err))
		return
	}
	if field, message := change.check(); message != "" {
		p.writeError(w, http.StatusBadRequest, field, message)
		return
	}
	up := p.table.Load().upstreams[req.PathValue("upstream")]
	if up == nil {
		p.writeError(w, http.StatusNotFound, "upstream", "no such upstream")
		return
	}
	m := up.member(req.PathValue("member"))
	if m == nil {
		p.writeError(w, http.StatusNotFound, "member", "the upstream has no such member: GET /api/members names them")
		return
	}
	m.set(change)
	p.log.Info("member changed", "upstream", up.name, "member", m.id, "state", memberModes[m.mode.Load()], "loadfactor", m.loadFactor.Load())
	p.writeJSON(w, http.StatusOK, m.state())
}

// States are the ones that can be chosen, for the page.
func (MemberState) States() []string { return memberModes }
