package goproxy

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/proxychaos/proxychaos/harness/openapitest"
)

// startManaged is a proxy with three members in turn, and its admin API behind
// its OpenAPI file.
func startManaged(t *testing.T) ([]*backend, *testProxy, *openapitest.Contract, func(method, path, body string) (int, string)) {
	t.Helper()
	backends, p := startMembers(t, 3, func(u *Upstream) {
		u.Balance = byRequests
		u.StickySession = "S"
		u.Members[2].Route = ""
	})
	contract := openapitest.New(t, OpenAPI, p.adminHandler())
	api := httptest.NewServer(contract)
	t.Cleanup(api.Close)
	return backends, p, contract, func(method, path, text string) (int, string) {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), method, api.URL+path, strings.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		if text != "" {
			req.Header.Set("Content-Type", "application/json")
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		return resp.StatusCode, body(t, resp)
	}
}

func TestBalancerManager(t *testing.T) {
	backends, p, contract, call := startManaged(t)
	third := strings.TrimPrefix(p.table.Load().cfg.Upstreams["app"].Members[2].URL, "http://")
	status, text := call("GET", "/api/members", "")
	var all []MemberState
	if err := json.Unmarshal([]byte(text), &all); err != nil || status != http.StatusOK || len(all) != 3 || all[0].Member != "r0" || all[2].Member != third || all[1].State != "enabled" || all[1].Addresses != 1 {
		t.Fatalf("%d %s %v", status, text, err)
	}
	served := func() (counts [3]int) {
		since := time.Now()
		for range 24 {
			if status, _ := send(t, p, http.MethodGet, ""); status != http.StatusOK {
				t.Fatalf("status %d", status)
			}
		}
		for i, b := range backends {
			counts[i] = b.requestsAfter(since)
		}
		return counts
	}
	put := func(member, body string) {
		t.Helper()
		for range 2 { // the second one changes nothing
			if status, text := call("PUT", "/api/members/app/"+member, body); status != http.StatusOK || !strings.Contains(text, `"member":"`+member+`"`) {
				t.Fatalf("%d %s", status, text)
			}
		}
	}
	if got := served(); got != [3]int{8, 8, 8} {
		t.Errorf("%v of 24 requests, want 8 each", got)
	}
	put("r0", `{"loadfactor": 2}`)
	if got := served(); got != [3]int{12, 6, 6} {
		t.Errorf("%v of 24 requests, want half of them at the one with twice the weight", got)
	}
	put(third, `{"state": "disabled"}`)
	if got := served(); got != [3]int{16, 8, 0} {
		t.Errorf("%v of 24 requests, want none at the disabled member", got)
	}
	send(t, p, http.MethodGet, "", "Cookie", "S=x.r0") // its session begins
	put("r0", `{"state": "drain", "loadfactor": 1}`)
	if got := served(); got != [3]int{0, 24, 0} {
		t.Errorf("%v of 24 requests, want none at the member that drains", got)
	}
	if _, got := send(t, p, http.MethodGet, "", "Cookie", "S=x.r0"); !strings.Contains(got, backends[0].addr.String()) {
		t.Errorf("a session of the member that drains was %s", got)
	}
	_, text = call("GET", "/api/endpoints", "")
	for _, state := range []string{`"state":"draining"`, `"state":"ok"`, `"state":"disabled"`} {
		if !strings.Contains(text, state) {
			t.Errorf("no %s in %s", state, text)
		}
	}
	put("r0", `{"state": "enabled"}`)
	put(third, `{"state": "enabled"}`)
	if got := served(); got != [3]int{8, 8, 8} {
		t.Errorf("%v of 24 requests, want 8 each", got)
	}
	call("GET", "/api/openapi.yaml", "")
	for _, test := range []struct {
		reread func() error
		status int
		want   string
	}{
		{nil, 501, "no config to read again"},
		{func() error { return nil }, 204, ""},
		{func() error { return errors.New("f.yaml:1:1: a problem") }, 422, "the present config remains in force: f.yaml:1:1: a problem"},
	} {
		p.opts.Reread = test.reread
		if status, text := call("POST", "/api/reload", ""); status != test.status || !strings.Contains(text, test.want) {
			t.Errorf("reload: %d %s, want %d and %s", status, text, test.status, test.want)
		}
	}
	address := backends[1].Addr().String()
	for _, test := range []struct {
		path, body string
		status     int
		want       string
	}{
		{"/api/members/app/r0", `{}`, 400, "nothing to change"},
		{"/api/members/app/r0", `{"state": "off"}`, 400, `"field":"state"`},
		{"/api/members/app/r0", `{"loadfactor": 101}`, 400, `"field":"loadfactor"`},
		{"/api/members/app/r0", `{"weight": 1}`, 400, "unknown field"},
		{"/api/members/app/r0", `{"loadfactor": 1}{"state": "disabled"}`, 400, "something follows"},
		{"/api/endpoints/app/" + address, `{"disabled": true}}`, 400, `"field":"disabled"`},
		{"/api/members/none/r0", `{"state": "drain"}`, 404, `"field":"upstream"`},
		{"/api/members/app/r9", `{"state": "drain"}`, 404, `"field":"member"`},
		{"/api/endpoints/app/" + address, `{"disabled": true}`, 204, ""},
		{"/api/endpoints/app/" + address, `{"disabled": false}`, 204, ""},
		{"/api/endpoints/app/x", `{"disabled": true}`, 400, `"field":"address"`},
		{"/api/endpoints/app/127.0.0.1:1", `{"disabled": true}`, 404, `"field":"address"`},
	} {
		if status, text := call("PUT", test.path, test.body); status != test.status || !strings.Contains(text, test.want) {
			t.Errorf("%s %s: %d %s, want %d and %s", test.path, test.body, status, text, test.status, test.want)
		}
	}
	contract.Complete()
}

func TestManagerPage(t *testing.T) {
	_, p, _, _ := startManaged(t)
	w := httptest.NewRecorder()
	req := httptest.NewRequest("GET", "http://127.0.0.1/", nil)
	p.adminHandler().ServeHTTP(w, req)
	for _, want := range []string{`data-member="r0"`, `<option selected>enabled</option><option>drain</option>`, `value="1"`, "127.94.1.11"} {
		if !strings.Contains(w.Body.String(), want) {
			t.Errorf("no %s in\n%s", want, w.Body)
		}
	}
}

// Two members without a route at the same address still have names of their own.
func TestMemberNamesAreUnique(t *testing.T) {
	u := members(t, 3, func(u *Upstream) {
		u.Members[1].URL = u.Members[0].URL
		u.Members[2].URL = u.Members[0].URL
		u.Members[2].Route = "127.0.0.1-1"
	})
	seen := map[string]bool{}
	for _, m := range u.members {
		seen[m.id] = true
	}
	if len(seen) != 3 {
		t.Error(fmt.Sprint(seen))
	}
}

// An address that is taken out gets no request, whichever of the members that share it
// they are for.
func TestAddressOfTwoMembersIsTakenOut(t *testing.T) {
	p := startProxy(t, Config{
		Routes:    []Route{{Upstream: "app"}},
		Upstreams: map[string]Upstream{"app": {Members: []Member{{URL: "http://127.0.0.1:1", Route: "a"}, {URL: "http://localhost:1", Route: "b"}}}},
		Admin:     "127.0.0.1:0",
	}, nil)
	for disabled, want := range map[bool]string{true: "disabled", false: "ok"} {
		if status, text := admin(t, p, "PUT", "/api/endpoints/app/127.0.0.1:1", fmt.Sprintf(`{"disabled": %v}`, disabled), ""); status != http.StatusNoContent {
			t.Fatalf("%d %s", status, text)
		}
		for _, e := range p.Endpoints() {
			if e.State != want {
				t.Errorf("disabled: %v, and the address of member %s is %s", disabled, e.Route, e.State)
			}
		}
	}
}
