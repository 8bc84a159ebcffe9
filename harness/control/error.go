// Package control is what the control APIs of the fakes and of the agents have in
// common: the form of their errors, how a request's body is read, and the guard against
// web pages.
package control

import (
	"fmt"
	"net/http"
)

// Code says which kind of mistake an [Error] reports. An API may have codes of its own.
type Code string

// The codes that APIs share.
const (
	CodeInvalid          Code = "invalid"            // 400: a field is wrong, or the body cannot be read
	CodeForbidden        Code = "forbidden"          // 403: a web page can have sent it
	CodeNotFound         Code = "not_found"          // 404: there is no such thing, or no such path
	CodeMethodNotAllowed Code = "method_not_allowed" // 405: the path exists, the method does not
	CodeTooLarge         Code = "too_large"          // 413: the body is too long
	CodeInternal         Code = "internal"           // 500: the system did not do it
)

// Error is what a control API answers if it cannot do what was asked. Clients return it
// as *Error.
type Error struct {
	Code Code `json:"code"`
	// Field is the path of the wrong field, such as "names[0].a[1]"; "" if none is to blame.
	Field string `json:"field,omitempty"`
	// Message says what was got and what was wanted.
	Message string `json:"message"`
	// Status is the HTTP status of the answer.
	Status int `json:"-"`
}

func (e *Error) Error() string {
	if e.Field == "" {
		return e.Message
	}
	return e.Field + ": " + e.Message
}

// Errorf makes an error of an API's own code.
func Errorf(status int, code Code, field, format string, args ...any) *Error {
	return &Error{Code: code, Field: field, Message: fmt.Sprintf(format, args...), Status: status}
}

// Invalid is an error about a field, or about the whole if field is "".
func Invalid(field, format string, args ...any) *Error {
	return Errorf(http.StatusBadRequest, CodeInvalid, field, format, args...)
}

// NotFound is an error about what is not there.
func NotFound(field, format string, args ...any) *Error {
	return Errorf(http.StatusNotFound, CodeNotFound, field, format, args...)
}
