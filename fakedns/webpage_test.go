package fakedns_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/proxychaos/proxychaos/fakedns"
)

// TestWebPagesAreRefused calls as the pages of a browser on this machine can:
// under a name of the page's own that was pointed here, and from elsewhere.
func TestWebPagesAreRefused(t *testing.T) {
	api := start(t, fakedns.Config{}).Handler()
	for _, page := range []struct{ method, path, host, origin string }{
		{"PUT", "/v1/names/app.example", "evil.example:8500", "http://evil.example:8500"},
		{"PUT", "/v1/names/app.example", "127.0.0.1:8500", "http://evil.example"},
		{"POST", "/v1/reset", "evil.example:8500", "http://evil.example:8500"},
		{"POST", "/v1/reset", "127.0.0.1:8500", "http://evil.example"},
		{"DELETE", "/v1/faults/x", "evil.example:8500", "http://evil.example:8500"},
		{"DELETE", "/v1/faults/x", "127.0.0.1:8500", "http://evil.example"},
		{"GET", "/v1/queries", "evil.example:8500", "http://evil.example:8500"},
	} {
		r := httptest.NewRequest(page.method, page.path, strings.NewReader(`{}`))
		r.Host = page.host
		r.Header.Set("Origin", page.origin)
		w := httptest.NewRecorder()
		api.ServeHTTP(w, r)
		var got struct {
			Error struct{ Code, Message string } `json:"error"`
		}
		err := json.Unmarshal(w.Body.Bytes(), &got)
		if err != nil || w.Code != http.StatusForbidden || got.Error.Code != "forbidden" || got.Error.Message == "" {
			t.Errorf("%+v: got %d %s, want 403 and a typed error", page, w.Code, w.Body)
		}
	}
}
