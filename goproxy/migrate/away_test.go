package migrate

import (
	"testing"

	"github.com/proxychaos/proxychaos/goproxy"
)

// A member that gets no requests in the file gets none in the draft.
func TestMembersThatAreAway(t *testing.T) {
	for status, want := range map[string]struct{ away, backup bool }{
		"D": {away: true}, "+D": {away: true}, "+S": {away: true}, "N": {away: true}, "DH": {away: true},
		"+H": {backup: true}, "H": {backup: true}, "R": {backup: true}, "-D": {}, "+I": {}, "-H": {},
	} {
		cfg, notes, err := parse(t, "apache", "<Proxy balancer://c>\nBalancerMember http://a\nBalancerMember http://b status="+status+"\n</Proxy>\nProxyPass / balancer://c/\n")
		if err != nil {
			t.Errorf("%s: %v: %v", status, err, notes)
			continue
		}
		members := cfg.Upstreams["c"].Members
		if away := len(members) == 1; away != want.away {
			t.Errorf("%s: members %v, want b to be away: %v", status, members, want.away)
		} else if !away && members[1].Backup != want.backup {
			t.Errorf("%s: backup %v, want %v", status, members[1].Backup, want.backup)
		}
	}
}

// What Debian's proxy_params says holds without the file: clients cannot name themselves.
func TestDebiansProxyParams(t *testing.T) {
	cfg, notes, err := parse(t, "nginx", "server { proxy_set_header X-Outer 1; location / { include /etc/nginx/proxy_params; proxy_pass http://a; } }")
	if err != nil || missesSomething(notes) {
		t.Fatalf("%v: %v", err, notes)
	}
	r := cfg.Routes[0]
	if got := r.Headers.Request; !r.PreserveHost || len(got.Set) != 1 || got.Set["X-Real-IP"] != "%{client_ip}" {
		t.Errorf("preserve_host %v and %v, want the client's host and its address in X-Real-IP", r.PreserveHost, got)
	}
	var none goproxy.HeaderChange
	if cfg, _, err = parse(t, "nginx", "server { location / { proxy_pass http://a; } location /x { include proxy_params; } }"); err != nil || cfg.Routes[0].Headers.Request.Set["X-Real-IP"] != none.Set["X-Real-IP"] {
		t.Errorf("a location next to it: %v, %v", cfg.Routes, err)
	}
}
