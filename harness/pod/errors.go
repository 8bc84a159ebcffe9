package pod

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
)

// Code says which kind of mistake an [Error] reports.
type Code string

// The codes of an [Error], with the HTTP status the control API gives each.
const (
	CodeInvalid   Code = "invalid"    // 400: a field is wrong
	CodeForbidden Code = "forbidden"  // 403: a web page can have sent it
	CodeNotFound  Code = "not_found"  // 404: no such path, watch or canary
	CodeTooLarge  Code = "too_large"  // 413: the body is over 64 KiB
	CodeNotOpened Code = "not_opened" // 502: the canary could not connect
	CodeInternal  Code = "internal"   // 500: the kernel refused something
)

// Error is what the control API answers when it cannot do what was asked.
type Error struct {
	Code Code `json:"code"`
	// Field is the name of the wrong field; "" if none is to blame.
	Field string `json:"field,omitempty"`
	// Message says what was got and what was wanted.
	Message string `json:"message"`
}

func (e *Error) Error() string {
	if e.Field == "" {
		return "pod: " + e.Message
	}
	return "pod: " + e.Field + ": " + e.Message
}

func (e *Error) status() int {
	switch e.Code {
	case CodeInvalid:
		return http.StatusBadRequest
	case CodeForbidden:
		return http.StatusForbidden
	case CodeNotFound:
		return http.StatusNotFound
	case CodeTooLarge:
		return http.StatusRequestEntityTooLarge
	case CodeNotOpened:
		return http.StatusBadGateway
	case CodeInternal:
	}
	return http.StatusInternalServerError
}

func invalid(field, format string, args ...any) *Error {
	return &Error{Code: CodeInvalid, Field: field, Message: fmt.Sprintf(format, args...)}
}

// asError makes a typed error of any error; one that is not typed already is
// the kernel's or the agent's own.
func asError(err error) *Error {
	var typed *Error
	if errors.As(err, &typed) {
		return typed
	}
	return &Error{Code: CodeInternal, Message: strings.TrimPrefix(err.Error(), "pod: ")}
}

// envelope is the body of every answer that is an error.
type envelope struct {
	Error *Error `json:"error"`
}

const maxBody = 64 << 10

// decode reads the one JSON object of a request's body into v and refuses
// unknown fields.
func decode(w http.ResponseWriter, r *http.Request, v any) error {
	dec := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxBody))
	dec.DisallowUnknownFields()
	if err := dec.Decode(v); err != nil {
		return decodeError(err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return invalid("", "more than one JSON value in the body, want one")
	}
	return nil
}

func decodeError(err error) *Error {
	var typed *Error
	var wrongType *json.UnmarshalTypeError
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &typed):
		return typed
	case errors.As(err, &wrongType):
		return invalid(wrongType.Field, "got a JSON %s, want %s", wrongType.Value, wrongType.Type)
	case errors.As(err, &tooLarge):
		return &Error{Code: CodeTooLarge, Message: fmt.Sprintf("the body is over %d bytes", tooLarge.Limit)}
	case errors.Is(err, io.EOF):
		return invalid("", "empty body, want a JSON object")
	}
	if name, ok := strings.CutPrefix(err.Error(), "json: unknown field "); ok {
		return invalid(strings.Trim(name, `"`), "unknown field")
	}
	return invalid("", "not the JSON that is wanted: %v", err)
}
