package targets

import (
	"encoding/json"
	"reflect"
	"testing"
)

// FuzzGroup reads groups: none panics, and one that passes is the same after it
// was written, read and checked again.
func FuzzGroup(f *testing.F) {
	for _, seed := range []string{
		`{}`,
		`{"name":"g","targets":["10.0.0.1:80",{"addr":"[::1]:80","zone":"a"}],"protocol":"HTTPS","protocol_version":"HTTP2","retries":1}`,
		`{"targets":[{"built_in":{"kind":"stream","delay":"1ms","size":3,"chunks":2}}],"attributes":{"deregistration_delay.timeout_seconds":0}}`,
		`{"protocol_version":"GRPC","health_check":{"matcher":"0-5,12","path":"/p.s/m","port":50051}}`,
		`{"attributes":{"stickiness.enabled":true,"stickiness.type":"app_cookie","stickiness.app_cookie.cookie_name":"s"}}`,
		`{"attributes":{"load_balancing.algorithm.type":"weighted_random","load_balancing.algorithm.anomaly_mitigation":"on"}}`,
		`{"attributes":{"target_group_health.dns_failover.minimum_healthy_targets.count":"off"}}`,
		`{"health_check":{"matcher":"200-","interval_seconds":-1}}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var g Group
		if json.Unmarshal(b, &g) != nil {
			return
		}
		g, field, err := g.Check()
		if err != nil {
			if field == "" {
				t.Errorf("an error without a field: %v", err)
			}
			return
		}
		text, err := json.Marshal(g)
		if err != nil {
			t.Fatal(err)
		}
		var again Group
		if err := json.Unmarshal(text, &again); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		if again, field, err = again.Check(); err != nil {
			t.Fatalf("%s: %s: %v", text, field, err)
		}
		if len(g.Targets) == 0 {
			g.Targets = again.Targets // none and empty are the same
		}
		if !reflect.DeepEqual(g, again) {
			t.Errorf("got %+v, then %+v", g, again)
		}
	})
}
