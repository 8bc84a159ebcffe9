package fakealb

import (
	"fmt"
	"net/http"
)

// Error is what the control API answers when it cannot do what was asked. The Go
// client returns it as *Error.
type Error struct {
	Code    ErrorCode `json:"code"`
	Field   string    `json:"field,omitempty"` // the field of the request it is about
	Message string    `json:"message"`
	Status  int       `json:"-"` // HTTP status
}

// ErrorCode is a stable name of what went wrong.
type ErrorCode string

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

// Error returns the message, with the field and code it is about.
func (e *Error) Error() string {
	if e.Field == "" {
		return fmt.Sprintf("%s (%s)", e.Message, e.Code)
	}
	return fmt.Sprintf("%s: %s (%s)", e.Field, e.Message, e.Code)
}

func apiError(status int, code ErrorCode, field, format string, args ...any) *Error {
	return &Error{Code: code, Field: field, Message: fmt.Sprintf(format, args...), Status: status}
}

func badField(field, format string, args ...any) *Error {
	return apiError(http.StatusBadRequest, CodeInvalidField, field, format, args...)
}
