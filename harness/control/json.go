package control

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"strings"
)

// Decode reads one JSON value into v. It refuses unknown fields and anything after the
// value. Its errors are *Error; one that a type's own UnmarshalJSON returned is
// passed on. It reads to the end of a request's body, without which a server does not notice a
// caller who leaves.
func Decode(r io.Reader, v any) error {
	dec := json.NewDecoder(r)
	dec.DisallowUnknownFields()
	if err := dec.Decode(v); err != nil {
		return DecodeError(err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return Invalid("", "more than one JSON value in the body, want one")
	}
	return nil
}

// DecodeError makes an *Error of what encoding/json, or the reader below it, returned.
func DecodeError(err error) *Error {
	var typed *Error
	var wrongType *json.UnmarshalTypeError
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &typed):
		return typed
	case errors.As(err, &wrongType):
		return Invalid(wrongType.Field, "got a JSON %s, want %s", wrongType.Value, word(wrongType.Type))
	case errors.As(err, &tooLarge):
		return Errorf(http.StatusRequestEntityTooLarge, CodeTooLarge, "", "the body is over %d bytes", tooLarge.Limit)
	case errors.Is(err, io.EOF):
		return Invalid("", "empty body, want a JSON object")
	}
	if name, ok := strings.CutPrefix(err.Error(), "json: unknown field "); ok {
		return Invalid(strings.Trim(name, `"`), "unknown field")
	}
	return Invalid("", "not the JSON that is wanted: %v", err)
}

// word is what a Go type is called in JSON.
func word(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Struct, reflect.Map:
		return "an object"
	case reflect.Slice:
		return "a list"
	case reflect.String:
		return "a string"
	case reflect.Bool:
		return "true or false"
	case reflect.Int, reflect.Int64:
		return "a whole number"
	case reflect.Uint16:
		return "a whole number from 0 to 65535"
	default:
		return "a number"
	}
}

// envelope is the body of every answer that is an error.
type envelope struct {
	Error *Error `json:"error"`
}

// Answer writes value, or in its stead err. An err that is no *Error is the system's own:
// [CodeInternal].
func Answer(w http.ResponseWriter, value any, err error) {
	status := http.StatusOK
	if err != nil {
		var typed *Error
		if !errors.As(err, &typed) {
			typed = Errorf(http.StatusInternalServerError, CodeInternal, "", "%v", err)
		}
		status, value = typed.Status, envelope{typed}
	}
	body, err := json.Marshal(value)
	if err != nil { // every value is a plain struct of ours
		http.Error(w, fmt.Sprintf("cannot write the answer: %v", err), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(append(body, '\n')) // a caller who is gone is not to be told
}

// Refusal is the error in an answer, which it reads; nil if there is none in it, as in an
// answer of something else than such an API.
func Refusal(answer *http.Response) *Error {
	var e envelope
	if err := json.NewDecoder(io.LimitReader(answer.Body, maxRefusal)).Decode(&e); err != nil || e.Error == nil || e.Error.Code == "" {
		return nil
	}
	e.Error.Status = answer.StatusCode
	return e.Error
}

// maxRefusal bounds what is read, in bytes: the other end may be anything.
const maxRefusal = 1 << 20
