package fakealb

import (
	"bytes"
	"strings"
	"testing"
)

func FuzzRequestInPayload(f *testing.F) {
	for _, s := range []string{
		"GET / HTTP/1.1\r\nHost: x\r\nX-Proxychaos-Seq: 7\r\n\r\n", "\r\nx-proxychaos-seq:7\r", "\r\nX-Proxychaos-Seq:", "\r", "",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, payload []byte) {
		got := requestInPayload(payload)
		for _, s := range []string{got.method, got.path, got.host, got.seq} {
			if !bytes.Contains(payload, []byte(s)) {
				t.Errorf("got %q, which is not in the payload", s)
			}
			if strings.ContainsAny(s, "\r") {
				t.Errorf("got %q, beyond the end of the line", s)
			}
		}
	})
}

func TestRequestInPayload(t *testing.T) {
	for payload, want := range map[string]seen{
		"GET /a?b HTTP/1.1\r\nHost: x\r\nX-Proxychaos-Seq: 7\r\n\r\n": {"GET", "/a?b", "x", "7"},
		"POST / HTTP/1.0\r\nx-PROXYCHAOS-seq:8\r\nhost: y\r\n\r\n":    {"POST", "/", "y", "8"},
		"GET / HTTP/1.1\r\nHost: x\r\n\r\n":                           {"GET", "/", "x", ""},
		"GET / HTTP/1.1\r\nX-Proxychaos-Seq: 7":                       {"GET", "/", "", ""}, // cut off: it may go on
		"GET / HTTP/1.1":                                              {},
		"seq=7 and a body\r\n":                                        {},
		"\x16\x03\x01\x02\x00\x01":                                    {},
	} {
		if got := requestInPayload([]byte(payload)); got != want {
			t.Errorf("%q: got %+v, want %+v", payload, got, want)
		}
	}
}
