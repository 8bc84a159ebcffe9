package openapitest

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

const file = `
openapi: 3.0.3
info: {title: x, version: v1}
paths:
  /v1/thing:
    put:
      requestBody:
        content: {application/json: {schema: {$ref: "#/components/schemas/Thing"}}}
      responses:
        "200": {description: it, content: {application/json: {schema: {$ref: "#/components/schemas/Thing"}}}}
        "400": {description: no}
components:
  schemas:
    Thing: {type: object, required: [a], properties: {a: {type: integer}}}
`

// verdict is a testing.TB that keeps what it is told.
type verdict struct {
	testing.TB
	said []string
}

func (v *verdict) Helper()                  {}
func (v *verdict) Context() context.Context { return context.Background() }
func (v *verdict) Errorf(format string, args ...any) {
	v.said = append(v.said, fmt.Sprintf(format, args...))
}

// Every way in which an API can differ from its file is found, and a good one is not blamed.
func TestContractFindsWhatDiffers(t *testing.T) {
	answer := func(status int, body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(status)
			_, _ = io.WriteString(w, body)
		}
	}
	for name, c := range map[string]struct {
		path, body string
		next       http.HandlerFunc
		want       string
	}{
		"good":                        {"/v1/thing", `{"a":1}`, answer(200, `{"a":1}`), ""},
		"a field that is missing":     {"/v1/thing", `{"a":1}`, answer(200, `{}`), `property "a" is missing`},
		"a field not described":       {"/v1/thing", `{"a":1}`, answer(200, `{"a":1,"b":2}`), `property "b" is unsupported`},
		"a status not described":      {"/v1/thing", `{"a":1}`, answer(500, `{}`), "status is not supported"},
		"a bad request that is taken": {"/v1/thing", `{"a":"x"}`, answer(200, `{"a":1}`), "was accepted"},
		"a path not described":        {"/v1/other", `{"a":1}`, answer(200, `{"a":1}`), "no matching operation"},
	} {
		t.Run(name, func(t *testing.T) {
			v := &verdict{TB: t}
			contract := New(v, []byte(file), c.next)
			put := func(h http.Handler, body string) {
				r := httptest.NewRequestWithContext(t.Context(), http.MethodPut, "http://x"+c.path, strings.NewReader(body))
				h.ServeHTTP(httptest.NewRecorder(), r)
			}
			put(contract, c.body)
			if said := strings.Join(v.said, "\n"); c.want == "" && said != "" || !strings.Contains(said, c.want) {
				t.Errorf("said %q, want %q", said, c.want)
			}
			v.said = nil
			contract.Complete()
			if len(v.said) == 0 || !strings.Contains(v.said[0], "PUT /v1/thing 400") {
				t.Errorf("said %q of an answer that was never seen", v.said)
			}
		})
	}
}
