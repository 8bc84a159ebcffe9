package fakedns

import (
	"fmt"
	"net/http"
)

// Code says which kind of mistake an [Error] reports.
type Code string

// The codes of an [Error], with the HTTP status the control API gives each.
const (
	CodeInvalid          Code = "invalid"            // 400: a field is wrong
	CodeForbidden        Code = "forbidden"          // 403: a web page can have sent it
	CodeNotFound         Code = "not_found"          // 404: no such name, fault or path
	CodeMethodNotAllowed Code = "method_not_allowed" // 405: the path exists, the method does not
	CodeTooLarge         Code = "too_large"          // 413: the body is over 1 MiB
	CodeClosed           Code = "closed"             // 503: the server is closing
)

// Error is what every call of this package, and its control API, answers to bad input.
type Error struct {
	Code Code `json:"code"`
	// Field is the path of the wrong field, such as "names[0].a[1]"; "" if none is to blame.
	Field string `json:"field,omitempty"`
	// Message says what was got and what was wanted.
	Message string `json:"message"`
}

func (e *Error) Error() string {
	if e.Field == "" {
		return "fakedns: " + e.Message
	}
	return "fakedns: " + e.Field + ": " + e.Message
}

func (e *Error) status() int {
	switch e.Code {
	case CodeInvalid:
		return http.StatusBadRequest
	case CodeForbidden:
		return http.StatusForbidden
	case CodeNotFound:
		return http.StatusNotFound
	case CodeMethodNotAllowed:
		return http.StatusMethodNotAllowed
	case CodeTooLarge:
		return http.StatusRequestEntityTooLarge
	case CodeClosed:
		return http.StatusServiceUnavailable
	}
	return http.StatusInternalServerError
}

func invalid(field, format string, args ...any) *Error {
	return &Error{Code: CodeInvalid, Field: field, Message: fmt.Sprintf(format, args...)}
}

func notFound(field, format string, args ...any) *Error {
	return &Error{Code: CodeNotFound, Field: field, Message: fmt.Sprintf(format, args...)}
}

// within puts the path of the enclosing value before an error's field.
func within(path string, err *Error) *Error {
	if err == nil {
		return nil
	}
	inner := *err
	if inner.Field == "" {
		inner.Field = path
	} else {
		inner.Field = path + "." + inner.Field
	}
	return &inner
}
