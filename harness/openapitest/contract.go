// Package openapitest compares a control API with its OpenAPI file, for the tests of
// the packages that have one.
package openapitest

import (
	"bytes"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/gorillamux"
)

// Contract is an [http.Handler] in front of an API. It checks each request and answer
// against the file and notes what was seen. Answers end before they are passed on, so
// it is no place for a stream without an end.
type Contract struct {
	t      testing.TB
	doc    *openapi3.T
	router routers.Router
	next   http.Handler

	mu   sync.Mutex
	seen map[string]bool
}

// New reads the file and puts a Contract before next.
func New(t testing.TB, file []byte, next http.Handler) *Contract {
	t.Helper()
	doc, err := openapi3.NewLoader().LoadFromData(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := doc.Validate(t.Context()); err != nil {
		t.Fatal(err)
	}
	// A field that is answered but not described is an error here. The published
	// file leaves answers open, so that they may grow.
	for _, s := range doc.Components.Schemas {
		if closed := false; len(s.Value.Properties) > 0 {
			s.Value.AdditionalProperties = openapi3.AdditionalProperties{Has: &closed}
		}
	}
	router, err := gorillamux.NewRouter(doc)
	if err != nil {
		t.Fatal(err)
	}
	openapi3filter.RegisterBodyDecoder("application/x-ndjson", openapi3filter.JSONBodyDecoder)
	return &Contract{t: t, doc: doc, router: router, next: next, seen: map[string]bool{}}
}

// Schema returns a schema of the file by its name.
func (c *Contract) Schema(name string) *openapi3.Schema {
	c.t.Helper()
	ref := c.doc.Components.Schemas[name]
	if ref == nil {
		c.t.Fatalf("the file has no schema %q", name)
	}
	return ref.Value
}

// ServeHTTP implements http.Handler.
func (c *Contract) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		c.t.Errorf("%s %s: reading the request: %v", r.Method, r.URL, err)
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	rec := httptest.NewRecorder()
	c.next.ServeHTTP(rec, r)
	// Before the client goes on: the test must not end first.
	c.check(r, body, rec)
	maps.Copy(w.Header(), rec.Header())
	w.WriteHeader(rec.Code)
	_, _ = w.Write(rec.Body.Bytes())
}

func (c *Contract) check(r *http.Request, body []byte, rec *httptest.ResponseRecorder) {
	c.mu.Lock()
	defer c.mu.Unlock()
	route, params, err := c.router.FindRoute(r)
	if err != nil {
		c.t.Errorf("%s %s: %v", r.Method, r.URL, err)
		return
	}
	c.seen[answerKey(r.Method, route.Path, fmt.Sprint(rec.Code))] = true
	r.Body = io.NopCloser(bytes.NewReader(body))
	if len(body) > 0 {
		r.Header.Set("Content-Type", "application/json")
	}
	in := &openapi3filter.RequestValidationInput{Request: r, PathParams: params, Route: route}
	if err := openapi3filter.ValidateRequest(r.Context(), in); err != nil && rec.Code == http.StatusOK {
		c.t.Errorf("%s %s %s was accepted: %v", r.Method, r.URL, body, err)
	}
	// Of a list of lines every one is checked.
	answers := [][]byte{rec.Body.Bytes()}
	if strings.Contains(rec.Header().Get("Content-Type"), "ndjson") {
		answers = bytes.Split(bytes.TrimSpace(rec.Body.Bytes()), []byte("\n"))
	}
	for _, answer := range answers {
		out := &openapi3filter.ResponseValidationInput{
			RequestValidationInput: in, Status: rec.Code, Header: rec.Header(),
			Options: &openapi3filter.Options{IncludeResponseStatus: true},
		}
		out.SetBodyBytes(answer)
		if err := openapi3filter.ValidateResponse(r.Context(), out); err != nil {
			c.t.Errorf("%s %s answered %d %s: %v", r.Method, r.URL, rec.Code, answer, err)
		}
	}
}

// Complete fails the test unless every answer of the file was seen, and no other.
// The paths left out need not have been asked: the streams.
func (c *Contract) Complete(leftOut ...string) {
	c.t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	undescribed := maps.Clone(c.seen)
	var missing []string
	for path, item := range c.doc.Paths.Map() {
		for method, op := range item.Operations() {
			for status := range op.Responses.Map() {
				key := answerKey(method, path, status)
				if !c.seen[key] && !slices.Contains(leftOut, path) {
					missing = append(missing, key)
				}
				delete(undescribed, key)
			}
		}
	}
	if len(missing) > 0 || len(undescribed) > 0 {
		c.t.Errorf("described but not seen here: %v\nseen here but not described: %v",
			slices.Sorted(slices.Values(missing)), slices.Sorted(maps.Keys(undescribed)))
	}
}

func answerKey(method, path, status string) string { return method + " " + path + " " + status }
