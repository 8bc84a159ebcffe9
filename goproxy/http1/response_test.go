package http1

import "testing"

func TestResponseRefused(t *testing.T) {
	for name, head := range map[string]string{
		"HTTP/0.9":              "hello\r\n\r\n",
		"HTTP/2":                "HTTP/2 200 OK\r\n\r\n",
		"status of two digits":  "HTTP/1.1 20 OK\r\n\r\n",
		"status of four digits": "HTTP/1.1 2000 OK\r\n\r\n",
		"status 099":            "HTTP/1.1 099 OK\r\n\r\n",
		"status 600":            "HTTP/1.1 600 OK\r\n\r\n",
		"control in the reason": "HTTP/1.1 200 O\x00K\r\n\r\n",
		"bare LF":               "HTTP/1.1 200 OK\nA: b\r\n\r\n",
		"folded line":           "HTTP/1.1 200 OK\r\nA: b\r\n c\r\n\r\n",
		"two lengths":           "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n",
		"length and chunks":     "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
		"another coding":        "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
		"chunks in HTTP/1.0":    "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
		"204 with a body":       "HTTP/1.1 204 No Content\r\nContent-Length: 1\r\n\r\n",
		"100 with a body":       "HTTP/1.1 100 Continue\r\nTransfer-Encoding: chunked\r\n\r\n",
		"101 without Upgrade":   "HTTP/1.1 101 Switching Protocols\r\n\r\n",
	} {
		var r Response
		if err := r.Parse(head, "GET"); err == nil {
			t.Errorf("%s: taken: %+v", name, r)
		}
	}
}

func TestResponseFraming(t *testing.T) {
	for _, test := range []struct {
		method, head     string
		length, declared int64
		close            bool
	}{
		{"GET", "HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n", 7, 7, false},
		{"GET", "HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n", Chunked, -1, false},
		{"GET", "HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n", 0, 0, false},
		{"GET", "HTTP/1.1 200 OK\r\n\r\n", UntilClose, -1, true},
		{"GET", "HTTP/1.0 200 OK\r\nContent-Length: 7\r\n\r\n", 7, 7, true},
		{"GET", "HTTP/1.0 200 OK\r\nContent-Length: 7\r\nConnection: keep-alive\r\n\r\n", 7, 7, false},
		{"HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n", 0, 7, false},
		{"HEAD", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", 0, -1, false},
		{"GET", "HTTP/1.1 304 Not Modified\r\nContent-Length: 7\r\n\r\n", 0, 7, false},
		{"GET", "HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n", 0, -1, false},
		{"GET", "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n", 0, -1, false},
		{"GET", "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 1\r\n\r\n", 1, 1, true},
	} {
		var r Response
		if err := r.Parse(test.head, test.method); err != nil {
			t.Errorf("%q: %v", test.head, err)
		} else if r.Length != test.length || r.Declared != test.declared || r.Close != test.close {
			t.Errorf("%s %q: length %d, declared %d, close %v; want %d, %d, %v", test.method, test.head, r.Length, r.Declared, r.Close, test.length, test.declared, test.close)
		}
	}
}
