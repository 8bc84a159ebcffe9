package http1

import (
	"strings"
	"testing"
)

const get = "GET / HTTP/1.1\r\nHost: h\r\n"

// What is refused, each with the status for it.
func TestRequestRefused(t *testing.T) {
	for name, test := range map[string]struct {
		head   string
		status int
	}{
		"HTTP/0.9":                      {"GET /\r\n\r\n", 400},
		"HTTP/2.0":                      {"GET / HTTP/2.0\r\nHost: h\r\n\r\n", 505},
		"HTTP/1.2":                      {"GET / HTTP/1.2\r\nHost: h\r\n\r\n", 505},
		"version of two digits":         {"GET / HTTP/1.10\r\nHost: h\r\n\r\n", 400},
		"version in lower case":         {"GET / http/1.1\r\nHost: h\r\n\r\n", 400},
		"two spaces":                    {"GET  / HTTP/1.1\r\nHost: h\r\n\r\n", 400},
		"tab":                           {"GET\t/ HTTP/1.1\r\nHost: h\r\n\r\n", 400},
		"space at the end of the line":  {"GET / HTTP/1.1 \r\nHost: h\r\n\r\n", 400},
		"empty line before":             {"\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n", 400},
		"method that is no token":       {"G(T / HTTP/1.1\r\nHost: h\r\n\r\n", 400},
		"target with a control":         {"GET /\x01 HTTP/1.1\r\nHost: h\r\n\r\n", 400},
		"target beyond ASCII":           {"GET /\xc3\xa9 HTTP/1.1\r\nHost: h\r\n\r\n", 400},
		"target with a fragment":        {"GET /#a HTTP/1.1\r\nHost: h\r\n\r\n", 400},
		"target with half an escape":    {"GET /%4 HTTP/1.1\r\nHost: h\r\n\r\n", 400},
		"target with a bad escape":      {"GET /a%4gb HTTP/1.1\r\nHost: h\r\n\r\n", 400},
		"target without slash":          {"GET a HTTP/1.1\r\nHost: h\r\n\r\n", 400},
		"star that is not for OPTIONS":  {"GET * HTTP/1.1\r\nHost: h\r\n\r\n", 400},
		"URL of another scheme":         {"GET ftp://h/ HTTP/1.1\r\nHost: h\r\n\r\n", 400},
		"URL of another host":           {"GET http://i/ HTTP/1.1\r\nHost: h\r\n\r\n", 400},
		"URL with a user":               {"GET http://a@h/ HTTP/1.1\r\nHost: a@h\r\n\r\n", 400},
		"CONNECT of a path":             {"CONNECT / HTTP/1.1\r\nHost: h\r\n\r\n", 400},
		"no Host":                       {"GET / HTTP/1.1\r\n\r\n", 400},
		"two Hosts":                     {get + "Host: h\r\n\r\n", 400},
		"empty Host":                    {"GET / HTTP/1.1\r\nHost:\r\n\r\n", 400},
		"Host with a path":              {"GET / HTTP/1.1\r\nHost: h/x\r\n\r\n", 400},
		"Host with a port that is none": {"GET / HTTP/1.1\r\nHost: h:x\r\n\r\n", 400},
		"Host with an empty port":       {"GET / HTTP/1.1\r\nHost: h:\r\n\r\n", 400},
		"Host with a large port":        {"GET / HTTP/1.1\r\nHost: h:65536\r\n\r\n", 400},
		"Host with a comma":             {"GET / HTTP/1.1\r\nHost: h,i\r\n\r\n", 400},
		"Host in brackets that is none": {"GET / HTTP/1.1\r\nHost: [h]\r\n\r\n", 400},
		"bare LF":                       {"GET / HTTP/1.1\nHost: h\r\n\r\n", 400},
		"bare LF after a field":         {get + "A: b\nC: d\r\n\r\n", 400},
		"bare CR":                       {get + "A: b\rC: d\r\n\r\n", 400},
		"folded line":                   {get + "A: b\r\n c\r\n\r\n", 400},
		"folded first line":             {"GET / HTTP/1.1\r\n Host: h\r\n\r\n", 400},
		"space before the colon":        {get + "A : b\r\n\r\n", 400},
		"no colon":                      {get + "A\r\n\r\n", 400},
		"empty name":                    {get + ": b\r\n\r\n", 400},
		"name beyond ASCII":             {get + "\xc3\xa9: b\r\n\r\n", 400},
		"NUL in a value":                {get + "A: b\x00\r\n\r\n", 400},
		"DEL in a value":                {get + "A: b\x7f\r\n\r\n", 400},
		"two lengths":                   {get + "Content-Length: 1\r\nContent-Length: 2\r\n\r\n", 400},
		"the same length twice":         {get + "Content-Length: 1\r\nContent-Length: 1\r\n\r\n", 400},
		"list of lengths":               {get + "Content-Length: 1, 1\r\n\r\n", 400},
		"length with a sign":            {get + "Content-Length: +1\r\n\r\n", 400},
		"negative length":               {get + "Content-Length: -1\r\n\r\n", 400},
		"encoded zero byte":             {"GET /a%00b HTTP/1.1\r\nHost: h\r\n\r\n", 400},
		"hexadecimal length":            {get + "Content-Length: 0x1\r\n\r\n", 400},
		"empty length":                  {get + "Content-Length:\r\n\r\n", 400},
		"length of 19 digits":           {get + "Content-Length: 0000000000000000001\r\n\r\n", 400},
		"length and chunks":             {get + "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", 400},
		"chunks and length":             {get + "Transfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n", 400},
		"chunks twice":                  {get + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n", 400},
		"chunks in a list":              {get + "Transfer-Encoding: chunked, chunked\r\n\r\n", 501},
		"another coding":                {get + "Transfer-Encoding: gzip\r\n\r\n", 501},
		"another coding before":         {get + "Transfer-Encoding: gzip, chunked\r\n\r\n", 501},
		"identity":                      {get + "Transfer-Encoding: identity\r\n\r\n", 501},
		"empty coding":                  {get + "Transfer-Encoding:\r\n\r\n", 501},
		"vertical tab in the coding":    {get + "Transfer-Encoding: \x0bchunked\r\n\r\n", 400},
		"chunks in HTTP/1.0":            {"GET / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", 400},
		"Content_Length":                {get + "Content_Length: 1\r\n\r\n", 400},
		"Transfer_Encoding":             {get + "Transfer_Encoding: chunked\r\n\r\n", 400},
		"Transfer---Encoding":           {get + "Transfer---Encoding: chunked\r\n\r\n", 400},
		"TransferEncoding":              {get + "TransferEncoding: chunked\r\n\r\n", 400},
		"content.length":                {get + "content.length: 1\r\n\r\n", 400},
		"Connection that is no list":    {get + "Connection: a b\r\n\r\n", 400},
		"several upgrades":              {get + "Upgrade: a\r\nUpgrade: b\r\n\r\n", 400},
		"unknown expectation":           {get + "Expect: tea\r\n\r\n", 417},
		"too many fields":               {get + strings.Repeat("A: b\r\n", 300) + "\r\n", 431},
		"bytes after the head":          {get + "\r\nX", 400},
		"no end":                        {get, 400},
		"empty":                         {"", 400},
	} {
		t.Run(name, func(t *testing.T) {
			var r Request
			err := r.Parse(test.head)
			if err == nil {
				t.Fatalf("taken: %+v", r)
			}
			if StatusOf(err) != test.status {
				t.Errorf("status %d (%v), want %d", StatusOf(err), err, test.status)
			}
		})
	}
}

func TestRequestParts(t *testing.T) {
	var r Request
	head := "POST http://H:80/a%2Fb?c=%zz HTTP/1.1\r\nhost: h:80\r\nContent-Length: 5\r\nConnection: close, X-Hop\r\nX-hop: 1\r\n" +
		"Keep-Alive: 5\r\nTE: gzip, trailers\r\nExpect: 100-continue\r\nProxy-Authorization: x\r\nX-Text: \t caf\xe9 \r\nX-Empty:\r\n\r\n"
	for range 2 { // the second time into what the first one left
		if err := r.Parse(head); err != nil {
			t.Fatal(err)
		}
		if r.Method != "POST" || r.Target != "/a%2Fb?c=%zz" || r.Host != "h:80" || r.Length != 5 || !r.Close || !r.Trailers || !r.Continue || r.Minor != 1 {
			t.Errorf("got %+v", r)
		}
		if len(r.Header) != 2 || r.Header.Get("x-text") != "caf\xe9" || !r.Header.Has("X-EMPTY") {
			t.Errorf("got %q", r.Header)
		}
	}
}

func TestRequestConnection(t *testing.T) {
	for head, want := range map[string]Request{
		"GET / HTTP/1.1\r\nHost: h\r\n\r\n":                                                                   {},
		"GET / HTTP/1.1\r\nHost: h\r\nConnection: CLOSE\r\n\r\n":                                              {Close: true},
		"GET / HTTP/1.0\r\n\r\n":                                                                              {Close: true},
		"GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n":                                                    {},
		"GET / HTTP/1.1\r\nHost: h\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n\r\n":          {Upgrade: "websocket"},
		"GET / HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\n\r\n":                                             {},
		"GET / HTTP/1.0\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n\r\n":                     {},
		"GET / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n\r\n":            {},
		"GET / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: a, H2C\r\n\r\n":                         {},
		"GET / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nContent-Length: 1\r\n\r\n": {},
	} {
		var r Request
		if err := r.Parse(head); err != nil {
			t.Errorf("%q: %v", head, err)
		} else if r.Close != want.Close || r.Upgrade != want.Upgrade {
			t.Errorf("%q: close %v, upgrade %q; want %v and %q", head, r.Close, r.Upgrade, want.Close, want.Upgrade)
		}
	}
}

func TestValidHost(t *testing.T) {
	for host, want := range map[string]bool{
		"a": true, "a.example.com:8080": true, "192.0.2.1": true, "[2001:db8::1]": true, "[::1]:80": true, "under_score": true,
		"": false, ":80": false, "a b": false, "[::1": false, "[::1]x": false, "[fe80::1%25eth0]": false, "[192.0.2.1]": false, "a%41": false, "a:80:80": false,
	} {
		if got := ValidHost(host); got != want {
			t.Errorf("%q: %v, want %v", host, got, want)
		}
	}
}
