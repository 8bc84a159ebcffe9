package pod

import (
	"net/http"

	"github.com/proxychaos/proxychaos/harness/control"
)

// Error is what the control API answers when it cannot do what was asked.
type Error = control.Error

// CodeNotOpened is the code of an [Error] with status 502: the canary could not connect.
// The others are those of package control.
const CodeNotOpened control.Code = "not_opened"

func invalid(field, format string, args ...any) *Error {
	return control.Invalid(field, format, args...)
}

// maxBody bounds the body of a call, in bytes.
const maxBody = 64 << 10

// decode reads the one JSON object of a request's body into v.
func decode(w http.ResponseWriter, r *http.Request, v any) error {
	return control.Decode(http.MaxBytesReader(w, r.Body, maxBody), v)
}
