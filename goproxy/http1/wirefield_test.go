package http1

import (
	"fmt"
	"strings"
	"testing"
)

func TestAddLeavesOutWhatCannotBeSent(t *testing.T) {
	for _, f := range []Field{{"A", "a\r\nB: c"}, {"A", "a\nb"}, {"A", "a\x00b"}, {"A", "\x7f"}, {"A b", "c"}, {"A:", "b"}, {"", "a"}, {"A\r\nB", "c"}} {
		h := Header{{"First", "1"}}
		h.Add(f.Name, f.Value)
		h.Set(f.Name, f.Value)
		if len(h) != 1 {
			t.Errorf("%q was added", f)
		}
	}
	var h Header
	h.Add("A", " \tcaf\xc3\xa9\tb ")
	if got := string(AppendHeader(nil, h)); got != "A: caf\xc3\xa9\tb\r\n" {
		t.Errorf("got %q", got)
	}
}

// FuzzAdd adds any field: what is written is one line that reads as the field, or
// nothing.
func FuzzAdd(f *testing.F) {
	f.Add("A", "b\r\nC: d")
	f.Add("A ", " b ")
	f.Fuzz(func(t *testing.T, name, value string) {
		var h Header
		h.Add(name, value)
		line := string(AppendHeader(nil, h))
		if line == "" {
			return
		}
		read, err := parseField(strings.TrimSuffix(line, "\r\n"))
		if err != nil || read != h[0] || strings.Count(line, "\n") != 1 {
			t.Errorf("%q, %q became %q: %v", name, value, line, err)
		}
	})
}

func TestAlike(t *testing.T) {
	for name, want := range map[string]bool{
		"X-Real-IP": true, "x_real_ip": true, "X!Real.Ip": true, "X-Real-IPs": false, "XReal-IP-": false, "X-Reel-IP": false, "X1Real-IP": false,
	} {
		if got := Alike(name, "X-Real-IP"); got != want {
			t.Errorf("%s: %v, want %v", name, got, want)
		}
	}
}

// Each option is looked for among the fields, so many of both would cost their
// product.
func TestConnectionOptionsAreBounded(t *testing.T) {
	for n, want := range map[int]int{10: 0, 256: 0, 257: 431, 31000: 431} {
		var r Request
		err := r.Parse("GET / HTTP/1.1\r\nHost: h\r\nConnection: " + strings.Repeat("b,", n) + "\r\nB: 1\r\n\r\n")
		if want == 0 && (err != nil || len(r.Header) > 0) {
			t.Errorf("%d options: %v, %v", n, err, r.Header)
		}
		if want != 0 && (err == nil || StatusOf(err) != want) {
			t.Errorf("%d options: %v, want status %d", n, err, want)
		}
	}
}

func TestRequestOfAnotherVersion(t *testing.T) {
	for name, test := range map[string]struct {
		header Header
		ok     bool
		want   string
	}{
		"plain":              {Header{{"A", "b"}}, true, "A: b\r\n"},
		"Host":               {Header{{"host", "H"}, {"A", "b"}}, true, "A: b\r\n"},
		"another Host":       {Header{{"host", "other"}}, false, ""},
		"Host with a port":   {Header{{"host", "h:80"}}, false, ""},
		"two Hosts":          {Header{{"host", "h"}, {"host", "h"}}, false, ""},
		"chunks":             {Header{{"transfer-encoding", "chunked"}}, false, ""},
		"Connection":         {Header{{"connection", "a"}}, false, ""},
		"looks like chunks":  {Header{{"transfer_encoding", "chunked"}}, false, ""},
		"a line's end":       {Header{{"A", "b\r\nC: d"}}, false, ""},
		"for the next proxy": {Header{{"proxy-authorization", "x"}, {"content-length", "0"}}, true, ""},
	} {
		r := Request{Method: "GET", Target: "/", Host: "h", Minor: 1, Header: test.header}
		err := r.Validate()
		if got := string(AppendHeader(nil, r.Header)); (err == nil) != test.ok || (err == nil && got != test.want) {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
}

func TestResponseOfAnotherVersion(t *testing.T) {
	for _, test := range []struct {
		status           int
		method           string
		declared         int64
		field            string
		ok               bool
		length, declares int64
	}{
		{200, "GET", 5, "a", true, 5, 5},
		{200, "GET", -1, "a", true, Chunked, -1},
		{200, "HEAD", 5, "a", true, 0, 5},
		{204, "GET", -1, "a", true, 0, -1},
		{204, "GET", 5, "a", false, 0, 0},
		{304, "GET", 5, "a", true, 0, 5},
		{103, "GET", -1, "a", true, 0, -1},
		{101, "GET", -1, "a", false, 0, 0},
		{99, "GET", -1, "a", false, 0, 0},
		{600, "GET", -1, "a", false, 0, 0},
		{-1, "GET", -1, "a", false, 0, 0},
		{200, "GET", -1, "upgrade", false, 0, 0},
	} {
		r := Response{Status: test.status, Declared: test.declared, Header: Header{{test.field, "x"}}}
		err := r.Validate(test.method)
		name := fmt.Sprintf("%d to %s, %d bytes, %s", test.status, test.method, test.declared, test.field)
		if (err == nil) != test.ok {
			t.Errorf("%s: %v", name, err)
		} else if err == nil && (r.Length != test.length || r.Declared != test.declares) {
			t.Errorf("%s: length %d, declared %d; want %d, %d", name, r.Length, r.Declared, test.length, test.declares)
		}
	}
}

func TestMayTrail(t *testing.T) {
	for name, want := range map[string]bool{
		"X-Sum": true, "ETag": true, "Server-Timing": true, "grpc-status": true,
		"content-length": false, "Content_Length": false, "x_forwarded_for": false, "Forwarded": false, "Range": false, "if-match": false, "set-cookie": false,
	} {
		if got := MayTrail(name); got != want {
			t.Errorf("%s: %v, want %v", name, got, want)
		}
	}
}

// What another version says of the length of a request is the length of its body.
func TestLengthOfAnotherVersion(t *testing.T) {
	for name, test := range map[string]struct {
		length int64 // of the body
		fields Header
		ok     bool
	}{
		"none":             {0, nil, true},
		"not said":         {Chunked, nil, true},
		"said":             {5, Header{{"content-length", "5"}}, true},
		"zeros":            {5, Header{{"content-length", "005"}}, true},
		"no body":          {0, Header{{"content-length", "5"}}, false},
		"longer":           {5, Header{{"content-length", "6"}}, false},
		"of a stream":      {Chunked, Header{{"content-length", "5"}}, false},
		"twice":            {5, Header{{"content-length", "5"}, {"Content-Length", "5"}}, false},
		"a list":           {0, Header{{"content-length", "5, 5"}}, false},
		"a sign":           {0, Header{{"content-length", "+5"}}, false},
		"negative":         {0, Header{{"content-length", "-5"}}, false},
		"empty":            {0, Header{{"content-length", ""}}, false},
		"no number":        {0, Header{{"content-length", "five"}}, false},
		"more than 64 bit": {0, Header{{"content-length", "18446744073709551621"}}, false},
	} {
		r := Request{Method: "POST", Target: "/", Host: "h", Minor: 1, Length: test.length, Header: test.fields}
		if err := r.Validate(); (err == nil) != test.ok || r.Length != test.length {
			t.Errorf("%s: %v, length %d", name, err, r.Length)
		}
	}
}
