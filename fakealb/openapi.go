package fakealb

import _ "embed"

// OpenAPI describes the control API; GET /v1/openapi.yaml answers it.
//
//go:embed openapi.yaml
var OpenAPI []byte
