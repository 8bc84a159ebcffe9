package load

import (
	"fmt"
	"net/http"
)

// Code is the kind of an Error.
type Code string

// Kinds of errors, each with its HTTP status.
const (
	CodeInvalid   Code = "invalid"   // 400: a field is wrong
	CodeForbidden Code = "forbidden" // 403: a web page can have sent it
	CodeBusy      Code = "busy"      // 409: the agent runs one attack at a time
	CodeStopped   Code = "stopped"   // in the end line of a stream only: the attack was stopped
)

// Error is what this package, and the agent, answers to what it cannot do.
type Error struct {
	Code    Code   `json:"code"`
	Field   string `json:"field,omitempty"` // the wrong one, by its JSON name
	Message string `json:"message"`         // what was got and what was wanted
}

// Error gives the field and the message in one line.
func (e *Error) Error() string {
	if e.Field == "" {
		return "load: " + e.Message
	}
	return "load: " + e.Field + ": " + e.Message
}

func (e *Error) status() int {
	switch e.Code {
	case CodeForbidden:
		return http.StatusForbidden
	case CodeBusy:
		return http.StatusConflict
	case CodeInvalid, CodeStopped:
	}
	return http.StatusBadRequest
}

func invalid(field, format string, args ...any) *Error {
	return &Error{Code: CodeInvalid, Field: field, Message: fmt.Sprintf(format, args...)}
}
