package load

import (
	"net/http"

	"github.com/proxychaos/proxychaos/harness/control"
)

// Error is what this package, and the agent, answers to what it cannot do.
type Error = control.Error

// Codes of an [Error] beside those of package control.
const (
	CodeBusy    control.Code = "busy"    // 409: the agent runs one attack at a time
	CodeStopped control.Code = "stopped" // in the end line of a stream only: the attack was stopped
)

var errBusy = control.Errorf(http.StatusConflict, CodeBusy, "", "an attack is running: wait for its end")

func invalid(field, format string, args ...any) *Error {
	return control.Invalid(field, format, args...)
}
