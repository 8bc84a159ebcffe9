package fakealb_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/proxychaos/proxychaos/fakealb"
)

// TestWebPagesAreRefused calls as the pages of a browser on this machine can:
// under a name of the page's own that was pointed here, and from elsewhere.
func TestWebPagesAreRefused(t *testing.T) {
	s, err := fakealb.New(fakealb.Config{Network: fakealb.NetworkUserspace, Ports: []uint16{8080}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	api := s.Handler()
	for _, page := range []struct{ method, path, host, origin string }{
		{"PUT", "/v1/load-balancers/blue", "evil.example:8500", "http://evil.example:8500"},
		{"PUT", "/v1/load-balancers/blue", "127.0.0.1:8500", "http://evil.example"},
		{"POST", "/v1/reset", "evil.example:8500", "http://evil.example:8500"},
		{"POST", "/v1/reset", "127.0.0.1:8500", "http://evil.example"},
		{"DELETE", "/v1/nodes/127.0.7.1", "evil.example:8500", "http://evil.example:8500"},
		{"DELETE", "/v1/nodes/127.0.7.1", "127.0.0.1:8500", "http://evil.example"},
		{"GET", "/v1/records/attempts", "evil.example:8500", "http://evil.example:8500"},
		{"GET", "/metrics", "evil.example:8500", "http://evil.example:8500"},
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
