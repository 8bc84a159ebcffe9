package rules

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/netip"
	"strings"
	"testing"
)

// FuzzRules reads rules and asks them about requests: nothing panics, errors name
// a field, and a redirect's URL is one line.
func FuzzRules(f *testing.F) {
	for _, seed := range []string{
		`[{"priority":1,"conditions":[{"field":"path-pattern","values":["/a*"]}],"actions":[{"type":"forward","target_groups":[{"name":"g","weight":1},{"name":"h","weight":2}]}]}]`,
		`[{"priority":2,"conditions":[{"field":"host-header","values":["*.b.c"]},{"field":"query-string","query":[{"value":"x?"}]}],"actions":[{"type":"fixed-response","fixed_response":{"status_code":200}}]}]`,
		`[{"priority":3,"conditions":[{"field":"http-header","http_header_name":"A","values":["*"]},{"field":"source-ip","values":["10.0.0.0/8"]}],"actions":[{"type":"redirect","redirect":{"path":"/#{path}#{host}","query":"#{query}#","status_code":"HTTP_302"}}]}]`,
		`[{"priority":0}]`,
	} {
		f.Add([]byte(seed), "www.b.c", "/a/b", "x=y&z", "v")
	}
	f.Fuzz(func(t *testing.T, b []byte, host, path, query, value string) {
		var rules []Rule
		if json.Unmarshal(b, &rules) != nil {
			return
		}
		rules, _, err := Check(rules, nil)
		if err != nil {
			var e *FieldError
			if !errors.As(err, &e) || e.Field == "" {
				t.Errorf("an error without a field: %v", err)
			}
			return
		}
		req := &Request{
			Protocol: "HTTP", Host: host, Port: 80, Method: "GET", Path: path, Query: query,
			Header: http.Header{"A": {value}}, Source: netip.MustParseAddr("10.1.2.3"),
		}
		m := NewTable(rules, nil).Match(req)
		if m.Action != nil && m.Action.Type == ToURL && !strings.ContainsAny(host+path+query, "\r\n") {
			if url := m.Action.Redirect.URL(req); strings.ContainsAny(url, "\r\n") {
				t.Errorf("got the URL %q", url)
			}
		}
	})
}
