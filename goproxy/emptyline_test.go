package goproxy

import (
	"io"
	"strings"
	"testing"
	"time"
)

// An empty line before a request, which some clients send after a body, is left out
// (RFC 9112, 2.2).
func TestEmptyLineBeforeARequest(t *testing.T) {
	p := startEcho(t, func(c *Config) { c.Clients.IdleTimeout = Duration(2 * time.Second) })
	const post, get = "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\nx", "GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"
	for name, test := range map[string]struct {
		parts []string
		want  []string // the beginnings of the answers
	}{
		"first":          {[]string{"\r\n" + get}, []string{"200"}},
		"after a body":   {[]string{post + "\r\n" + get}, []string{"200", "200"}},
		"in pieces":      {[]string{post + "\r", "\n", get}, []string{"200", "200"}},
		"by itself":      {[]string{post, "\r\n", get}, []string{"200", "200"}},
		"nothing behind": {[]string{post + "\r\n"}, []string{"200"}}, // the connection is idle, and ends as one
		"two":            {[]string{post + "\r\n\r\n" + get}, []string{"200", "400"}},
		"a bare LF":      {[]string{post + "\n" + get}, []string{"200", "400"}},
		"a CR":           {[]string{post + "\r" + get}, []string{"200", "400"}},
	} {
		c := dialProxy(t, p)
		for _, part := range test.parts {
			c.send("%s", part)
			time.Sleep(20 * time.Millisecond) // that the parts come one by one is the condition
		}
		all, err := io.ReadAll(c)
		if err != nil {
			t.Fatalf("%s: %v after %q", name, err, all)
		}
		var got []string
		for _, answer := range strings.Split(string(all), "HTTP/1.1 ")[1:] {
			got = append(got, answer[:3])
		}
		if strings.Join(got, " ") != strings.Join(test.want, " ") {
			t.Errorf("%s: answers %v, want %v", name, got, test.want)
		}
	}
}
