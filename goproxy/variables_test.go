package goproxy

import (
	"strings"
	"testing"

	"github.com/proxychaos/proxychaos/goproxy/http1"
)

func TestFormat(t *testing.T) {
	r := &request{secure: true, path: pathForms{raw: "/a%20b"}}
	r.Host, r.clientIP = "www.example.com:81", "2001:db8::1"
	r.Header = http1.Header{{Name: "cookie", Value: `a=1; sid="x y"`}, {Name: "X-User", Value: "u"}}
	for text, want := range map[string]string{
		"":                           "",
		"plain":                      "plain",
		"%{client_ip}":               "2001:db8::1",
		"%{scheme}://%{host}%{path}": "https://www.example.com/a%20b",
		"<%{cookie:sid}%{cookie:b}>": "<x y>",
		"%{header:x-user}100%%":      "u100%",
		"%%{host}":                   "%{host}",
	} {
		f, err := parseFormat(text, requestVariables)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if got := f.expand(r); got != want {
			t.Errorf("%s: got %q, want %q", text, got, want)
		}
	}
	for text, want := range map[string]string{
		"%":             "want a variable",
		"50%x":          "want a variable",
		"%{host":        "want a variable",
		"%{hots}":       `did you mean "host"?`,
		"%{zzzzzzzzzz}": "; there are client_ip, client_subject, cookie, ",
		"%{cookie}":     "want the name of the cookie after a colon",
		"%{header:a b}": "want the name of the header",
		"%{path:1}":     "path has no argument",
		"%{route}":      "unknown variable",
	} {
		if _, err := parseFormat(text, requestVariables); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %s", text, err, want)
		}
	}
}
