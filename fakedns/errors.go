package fakedns

import (
	"net/http"

	"github.com/proxychaos/proxychaos/harness/control"
)

// Error is what every call of this package, and its control API, answers to bad input.
type Error = control.Error

// Code says which kind of mistake an [Error] reports.
type Code = control.Code

// The codes of an [Error], with the HTTP status the control API gives each.
const (
	CodeInvalid               = control.CodeInvalid          // 400: a field is wrong
	CodeForbidden             = control.CodeForbidden        // 403: a web page can have sent it
	CodeNotFound              = control.CodeNotFound         // 404: no such name, fault or path
	CodeMethodNotAllowed      = control.CodeMethodNotAllowed // 405: the path exists, the method does not
	CodeTooLarge              = control.CodeTooLarge         // 413: the body is over 1 MiB
	CodeClosed           Code = "closed"                     // 503: the server is closing
)

func errClosed() *Error {
	return control.Errorf(http.StatusServiceUnavailable, CodeClosed, "", "the server is closed")
}

func invalid(field, format string, args ...any) *Error {
	return control.Invalid(field, format, args...)
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
