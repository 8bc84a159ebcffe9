package reports

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"html/template"
)

// pack makes data small enough for the page: gzip in base64, whose letters mean nothing in
// HTML. The script unpacks it when somebody looks at it.
func pack(data any) (template.HTML, error) {
	var b bytes.Buffer
	text := base64.NewEncoder(base64.StdEncoding, &b)
	zipped := gzip.NewWriter(text)
	if err := json.NewEncoder(zipped).Encode(data); err != nil {
		return "", fmt.Errorf("pack for the page: %w", err)
	}
	if err := zipped.Close(); err != nil {
		return "", fmt.Errorf("pack for the page: %w", err)
	}
	if err := text.Close(); err != nil {
		return "", fmt.Errorf("pack for the page: %w", err)
	}
	return template.HTML(b.String()), nil //nolint:gosec // base64
}
