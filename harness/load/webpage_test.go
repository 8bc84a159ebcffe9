package load_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/proxychaos/proxychaos/harness/load"
)

// TestWebPagesAreRefused calls as the pages of a browser on this machine can:
// under a name of the page's own that was pointed here, and from elsewhere.
func TestWebPagesAreRefused(t *testing.T) {
	api := load.Handler()
	for _, page := range []struct{ method, path, host, origin string }{
		{"POST", "/v1/attacks", "evil.example:8500", "http://evil.example:8500"},
		{"POST", "/v1/attacks", "127.0.0.1:8500", "http://evil.example"},
		{"POST", "/v1/bursts", "evil.example:8500", "http://evil.example:8500"},
		{"POST", "/v1/bursts", "127.0.0.1:8500", "http://evil.example"},
		{"POST", "/v1/trials", "evil.example:8500", "http://evil.example:8500"},
		{"GET", "/v1/health", "evil.example:8500", "http://evil.example:8500"},
	} {
		r := httptest.NewRequest(page.method, page.path, strings.NewReader(`{}`))
		r.Host = page.host
		r.Header.Set("Origin", page.origin)
		w := httptest.NewRecorder()
		api.ServeHTTP(w, r)
		var got load.Error
		err := json.Unmarshal(w.Body.Bytes(), &got)
		if err != nil || w.Code != http.StatusForbidden || got.Code != load.CodeForbidden || got.Message == "" {
			t.Errorf("%+v: got %d %s, want 403 and a typed error", page, w.Code, w.Body)
		}
	}
}
