package control_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/proxychaos/proxychaos/harness/control"
)

func TestDecode(t *testing.T) {
	type inner struct {
		Port uint16 `json:"port"`
	}
	for body, want := range map[string]string{
		`{"name":"a","on":true,"in":{"port":80}}`: "",
		``:                        "empty body, want a JSON object",
		`{`:                       "not the JSON that is wanted: unexpected EOF",
		`{} {}`:                   "more than one JSON value in the body, want one",
		`[]`:                      "got a JSON array, want an object",
		`{"nam":"a"}`:             "nam: unknown field",
		`{"name":7}`:              "name: got a JSON number, want a string",
		`{"on":"yes"}`:            "on: got a JSON string, want true or false",
		`{"in":{"port":-1}}`:      "in.port: got a JSON number -1, want a whole number from 0 to 65535",
		`{"name":"` + long + `"}`: "the body is over 64 bytes",
	} {
		var got struct {
			Name string `json:"name"`
			On   bool   `json:"on"`
			In   inner  `json:"in"`
		}
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPut, "/", strings.NewReader(body))
		err := control.Decode(http.MaxBytesReader(httptest.NewRecorder(), r.Body, 64), &got)
		if said := text(err); said != want {
			t.Errorf("%s: got %q, want %q", body, said, want)
		}
		var typed *control.Error
		if err != nil && (!errors.As(err, &typed) || typed.Status < 400) {
			t.Errorf("%s: got %#v, want a typed error with a status", body, err)
		}
	}
}

var long = strings.Repeat("x", 100)

func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// TestRefusal has what Answer wrote read back, and answers that are of something else.
func TestRefusal(t *testing.T) {
	for _, test := range []struct {
		err    error
		status int
		want   string
	}{
		{control.NotFound("id", "no watch %q", "7"), 404, `id: no watch "7"`},
		{control.Errorf(http.StatusConflict, "busy", "", "wait for its end"), 409, "wait for its end"},
		{errors.New("the kernel refused it"), 500, "the kernel refused it"},
	} {
		w := httptest.NewRecorder()
		control.Answer(w, nil, test.err)
		got := control.Refusal(w.Result())
		if got == nil || got.Error() != test.want || got.Status != test.status || w.Code != test.status {
			t.Errorf("%v: got %d, %v, want %d, %s", test.err, w.Code, got, test.status, test.want)
		}
	}
	for _, body := range []string{"", "<html>502</html>", `{}`, `{"error":null}`, `{"error":{}}`} {
		w := httptest.NewRecorder()
		w.WriteHeader(http.StatusBadGateway)
		if _, err := w.WriteString(body); err != nil {
			t.Fatal(err)
		}
		if got := control.Refusal(w.Result()); got != nil {
			t.Errorf("%q: got %v, want none", body, got)
		}
	}
}
