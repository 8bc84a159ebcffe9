package fakedns

import (
	_ "embed"
	"net/http"
)

// OpenAPI describes the control API; GET /v1/openapi.yaml answers it.
//
//go:embed openapi.yaml
var OpenAPI []byte

func getOpenAPI(*http.Request) (any, error) {
	return func(w http.ResponseWriter) {
		w.Header().Set("Content-Type", "application/yaml")
		// The client has gone if this fails.
		_, _ = w.Write(OpenAPI)
	}, nil
}
