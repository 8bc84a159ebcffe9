package control_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/proxychaos/proxychaos/harness/control"
)

func TestGuard(t *testing.T) {
	guarded := control.Guard(
		http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }),
		func(w http.ResponseWriter, message string) { http.Error(w, message, http.StatusForbidden) })
	for _, test := range []struct {
		method, host, origin, site string
		want                       int
	}{
		{"PUT", "127.0.0.1:8500", "", "", 204},
		{"PUT", "10.89.54.2", "", "", 204},
		{"PUT", "[::1]:8500", "", "", 204},
		{"PUT", "[::1]", "", "", 204},
		{"PUT", "localhost:8500", "", "", 204},
		{"PUT", "fakealb:8500", "", "", 204},
		{"PUT", "127.0.0.1:8500", "http://127.0.0.1:8500", "same-origin", 204},
		{"PUT", "127.0.0.1:8500", "http://127.0.0.1:8500", "", 204},

		{"PUT", "evil.example:8500", "", "", 403},
		{"PUT", "evil.example:8500", "http://evil.example:8500", "same-origin", 403},
		{"GET", "evil.example:8500", "", "", 403},
		{"GET", "evil.example:8500", "", "none", 403},
		{"GET", "evil.example", "", "", 403},
		{"GET", "127.0.0.1.evil.example:8500", "", "", 403},
		{"GET", "localhost.:8500", "", "", 403},
		{"GET", "evil.example:8500:1", "", "", 403},
		{"GET", "", "", "", 403},
		{"GET", ":8500", "", "", 403},

		{"POST", "127.0.0.1:8500", "http://evil.example", "cross-site", 403},
		{"POST", "127.0.0.1:8500", "http://evil.example", "", 403},
		{"POST", "127.0.0.1:8500", "null", "", 403},
		{"POST", "127.0.0.1:8500", "http://127.0.0.1:9000", "same-site", 403},
		{"POST", "127.0.0.1:8500", "http://127.0.0.1:9000", "", 403},
		{"DELETE", "localhost:8500", "", "cross-site", 403},
		{"GET", "127.0.0.1:8500", "http://evil.example", "cross-site", 204}, // changes nothing, and the page cannot read it
	} {
		r := httptest.NewRequest(test.method, "/v1/reset", nil)
		r.Host = test.host
		if test.origin != "" {
			r.Header.Set("Origin", test.origin)
		}
		if test.site != "" {
			r.Header.Set("Sec-Fetch-Site", test.site)
		}
		w := httptest.NewRecorder()
		guarded.ServeHTTP(w, r)
		if w.Code != test.want {
			t.Errorf("%s as %q, Origin %q, Sec-Fetch-Site %q: status %d %s, want %d", test.method, test.host, test.origin, test.site, w.Code, w.Body, test.want)
		}
		if got := w.Header().Get("Content-Security-Policy"); got != "frame-ancestors 'none'" {
			t.Errorf("%s as %q: Content-Security-Policy %q lets other pages show the answer in a frame", test.method, test.host, got)
		}
	}
}
