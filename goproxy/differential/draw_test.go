package differential

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

// shot is what one client sends on one connection, and what it is answered with.
type shot struct {
	bytes   string
	cuts    []int    // where it is cut into writes
	heads   []bool   // of the requests, as they were meant: it is a HEAD
	answers []string // of the backend, by request
	sound   bool     // it is nothing but good requests and answers; else it is one that is not
	wrong   string   // what is wrong with that, or with its answer
}

// drawing makes a shot at random.
type drawing struct{ *rand.Rand }

func (d drawing) of(all ...string) string { return all[d.IntN(len(all))] }

// one reports whether one of n cases is on.
func (d drawing) one(n int) bool { return d.IntN(n) == 0 }

// drawShot is the shot of a seed.
func drawShot(seed uint64) shot {
	d := drawing{rand.New(rand.NewPCG(seed, 12))}
	s := shot{sound: d.one(2)}
	requests := 1
	if s.sound {
		requests += d.IntN(3)
	}
	var text strings.Builder
	for n := range requests {
		head, body := d.request(n)
		method, _, _ := strings.Cut(head, " ")
		answer := d.answer(n, method)
		if !s.sound {
			answer = strings.Replace(answer, "X-Backend:", "Connection: close\r\nX-Backend:", 1)
		}
		switch {
		case s.sound:
		case d.one(4):
			s.wrong, answer = d.breakAnswer(answer)
		default:
			s.wrong, head, body = d.breakRequest(head, body)
		}
		s.heads = append(s.heads, method == "HEAD")
		s.answers = append(s.answers, answer)
		text.WriteString(head + "\r\n" + body)
	}
	// Whoever takes all before it for whole closes the connection after this one.
	text.WriteString("GET /c9/end HTTP/1.1\r\nHost: example.com\r\nConnection: close\r\n\r\n")
	s.bytes = text.String()
	for range d.IntN(6) {
		s.cuts = append(s.cuts, d.IntN(len(s.bytes)+1))
	}
	return s
}

// request is a good one: its lines, and its body as it goes on the wire.
func (d drawing) request(n int) (head, body string) {
	method := d.of("GET", "GET", "HEAD", "POST", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PURGE", "M-SEARCH")
	var out strings.Builder
	fmt.Fprintf(&out, "%s /c%d%s HTTP/1.1\r\nHost: %s\r\n", method, n, d.path(), d.of("example.com", "example.com", "EXAMPLE.com", "example.com:80", "127.0.0.1", "[::1]:8080", "a_b.example"))
	for range d.IntN(6) {
		out.WriteString(d.field() + "\r\n")
	}
	if d.one(8) {
		out.WriteString("Connection: X-Hop\r\nX-Hop: 1\r\n")
	}
	if method == "GET" || method == "HEAD" || method == "OPTIONS" || method == "M-SEARCH" {
		return out.String(), ""
	}
	content := d.content()
	if d.one(2) {
		fmt.Fprintf(&out, "Content-Length: %d\r\n", len(content))
		return out.String(), content
	}
	out.WriteString("Transfer-Encoding: chunked\r\n")
	return out.String(), d.chunks(content)
}

func (d drawing) path() string {
	out := ""
	for range d.IntN(5) {
		out += "/" + d.of("a", "b.c", "~u", "%20", "%41", "%2F", "%2f", "caf%C3%A9", "x;y=1", "a+b", "a:b@c", "!$&'()*,", "-._", "%7E", "%25", "")
	}
	return out + d.of("", "", "", "?a=1", "?", "?a=%2F&b=a/../b", "?x=a?b", "?a[]=1|2", "?q='\"")
}

func (d drawing) field() string {
	name := d.of("X-A", "x-b", "X-C", "Accept", "Accept-Encoding", "User-Agent", "Cookie", "Authorization", "Cache-Control", "If-None-Match", "Range", "Content-Type", "X!#$%&'*+.^`|~", "Pragma", "Origin")
	value := d.of("a", "", "a b", "a,b", "a, b", "\"q\"", "W/\"x\"", "é", "a\tb", "a=b; c=d", strings.Repeat("v", 1+d.IntN(900)), ";", ":", "a:b")
	return name + ":" + d.of(" ", "", "\t", "  ") + value + d.of("", "", " ", "\t")
}

// content is a body; some look like requests.
func (d drawing) content() string {
	switch d.IntN(5) {
	case 0:
		return ""
	case 1:
		return d.inner()
	case 2:
		return strings.Repeat(d.of("x", "0\r\n\r\n", "\r\n", "\x00\xff"), 1+d.IntN(20_000))
	}
	return strings.Repeat("0123456789abcdef", 1+d.IntN(20))[:1+d.IntN(16)]
}

func (d drawing) inner() string { return "GET /c9/inner HTTP/1.1\r\nHost: inner.example\r\n\r\n" }

func (d drawing) chunks(content string) string {
	var out strings.Builder
	for content != "" {
		n := min(len(content), 1+d.IntN(d.of3(3, 300, 30_000)))
		fmt.Fprintf(&out, d.of("%x", "%X", "0%x", "00%x")+"%s\r\n%s\r\n", n, d.of("", "", "", ";a", ";a=b", ";a=\"b c\""), content[:n])
		content = content[n:]
	}
	out.WriteString(d.of("0", "00", "0;a=b") + "\r\n")
	if d.one(4) {
		out.WriteString("X-Sum: " + d.of("1", "", "a b") + "\r\n")
	}
	return out.String() + "\r\n"
}

func (d drawing) of3(a, b, c int) int { return []int{a, b, c}[d.IntN(3)] }

// answer is a good response to the request n.
func (d drawing) answer(n int, method string) string {
	var out strings.Builder
	if d.one(10) {
		out.WriteString("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n")
	}
	status := d.of("200 OK", "200 OK", "200 OK", "200 ", "201 Created", "204 No Content", "302 Found", "304 Not Modified", "404 Not Found", "418 I'm a teapot", "500 Internal Server Error", "503 Service Unavailable", "599 Odd")
	fmt.Fprintf(&out, "HTTP/1.1 %s\r\nX-Backend: %d\r\n", status, n)
	for range d.IntN(4) {
		out.WriteString(d.of("X-R: a", "x-r: b", "Set-Cookie: a=b", "Set-Cookie: c=d; Path=/", "Content-Type: text/plain", "Cache-Control: no-store", "ETag: \"x\"", "Location: /elsewhere", "X-Empty:", "Vary: Accept", "X-Text: é \t x") + "\r\n")
	}
	if strings.HasPrefix(status, "204") || strings.HasPrefix(status, "304") {
		return out.String() + "\r\n"
	}
	content := d.content()
	framing := d.IntN(5)
	body := content
	switch {
	case framing < 2:
		fmt.Fprintf(&out, "Content-Length: %d\r\n", len(content))
	case framing < 4:
		out.WriteString("Transfer-Encoding: chunked\r\n")
		body = d.chunks(content)
	default:
		out.WriteString("Connection: close\r\n")
	}
	if method == "HEAD" {
		body = ""
	}
	return out.String() + "\r\n" + body
}
