package pod

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"github.com/proxychaos/proxychaos/fakedns"
)

// TestWebPagesAreRefused calls as the pages of a browser on this machine can:
// under a name of the page's own that was pointed here, and from elsewhere.
func TestWebPagesAreRefused(t *testing.T) {
	dns, err := fakedns.New(fakedns.Config{Listen: []netip.AddrPort{netip.MustParseAddrPort("127.0.0.1:0")}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := dns.Close(); err != nil {
			t.Error(err)
		}
	})
	api := (&Agent{dns: dns}).handler()
	for _, page := range []struct{ method, path, host, origin string }{
		{"POST", "/v1/probes/http", "evil.example:8500", "http://evil.example:8500"},
		{"POST", "/v1/probes/http", "127.0.0.1:8500", "http://evil.example"},
		{"POST", "/v1/watches", "evil.example:8500", "http://evil.example:8500"},
		{"POST", "/v1/watches", "127.0.0.1:8500", "http://evil.example"},
		{"PUT", "/dns/v1/names/app.example", "evil.example:8500", "http://evil.example:8500"},
		{"PUT", "/dns/v1/names/app.example", "127.0.0.1:8500", "http://evil.example"},
		{"GET", "/v1/health", "evil.example:8500", "http://evil.example:8500"},
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
