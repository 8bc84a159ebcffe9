// Package controltest holds a control API to what package control promises.
package controltest

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/proxychaos/proxychaos/harness/control"
)

// RefusesWebPages makes the calls, each a method and a path, as the pages of a browser on
// this machine can: under a name of the page's own that was pointed here, and, unless the
// call changes nothing, from elsewhere.
func RefusesWebPages(t *testing.T, api http.Handler, calls ...string) {
	t.Helper()
	for _, call := range calls {
		method, path, _ := strings.Cut(call, " ")
		refused(t, api, method, path, "evil.example:8500", "http://evil.example:8500")
		if method != http.MethodGet {
			refused(t, api, method, path, "127.0.0.1:8500", "http://evil.example")
		}
	}
}

func refused(t *testing.T, api http.Handler, method, path, host, origin string) {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, path, strings.NewReader(`{}`))
	r.Host = host
	r.Header.Set("Origin", origin)
	w := httptest.NewRecorder()
	api.ServeHTTP(w, r)
	var got struct{ Error control.Error }
	err := json.Unmarshal(w.Body.Bytes(), &got)
	if err != nil || w.Code != http.StatusForbidden || got.Error.Code != control.CodeForbidden || got.Error.Message == "" {
		t.Errorf("%s %s of Host %s and Origin %s: got %d %s, want 403 and a typed error", method, path, host, origin, w.Code, w.Body)
	}
}
