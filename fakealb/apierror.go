package fakealb

import (
	"net/http"

	"github.com/proxychaos/proxychaos/harness/control"
)

// Error is what the control API answers when it cannot do what was asked. The Go
// client returns it as *Error.
type Error = control.Error

// ErrorCode is a stable name of what went wrong.
type ErrorCode = control.Code

// The codes of Error, each with its HTTP status.
const (
	CodeBadRequest          ErrorCode = "bad_request"           // 400: not JSON, or not of the right form
	CodeTooLarge            ErrorCode = "too_large"             // 413
	CodeInvalidField        ErrorCode = "invalid_field"         // 400
	CodeForbidden           ErrorCode = "forbidden"             // 403: a web page can have sent it
	CodeUnknownLoadBalancer ErrorCode = "unknown_load_balancer" // 404
	CodeUnknownNode         ErrorCode = "unknown_node"          // 404
	CodeUnknownTargetGroup  ErrorCode = "unknown_target_group"  // 404
	CodeUnknownTarget       ErrorCode = "unknown_target"        // 404
	CodeNotFound            ErrorCode = "not_found"             // 404: no such path
	CodeInUse               ErrorCode = "in_use"                // 409
	CodeNetwork             ErrorCode = "network"               // 500: the system did not do it
)

func badField(field, format string, args ...any) *Error {
	return control.Errorf(http.StatusBadRequest, CodeInvalidField, field, format, args...)
}
