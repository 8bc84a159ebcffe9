package differential

import "strings"

// breakRequest makes a request that is not good. What is sent remains long enough to
// be answered at once.
func (d drawing) breakRequest(head, body string) (what, newHead, newBody string) {
	line, fields, _ := strings.Cut(head, "\r\n")
	method, rest, _ := strings.Cut(line, " ")
	target := strings.TrimSuffix(rest, " HTTP/1.1")
	inner := d.inner()
	put := func(field string) string { return line + "\r\n" + field + "\r\n" + withoutFraming(fields) }
	switch d.IntN(30) {
	case 0:
		return "a bare LF", line + "\n" + fields, body
	case 1:
		return "a space before the colon", put("X-Bad : 1"), ""
	case 2:
		return "a folded line", put("X-Bad: 1\r\n folded: 2"), ""
	case 3:
		return "a space before the first field", line + "\r\n X-Bad: 1\r\n" + withoutFraming(fields), ""
	case 4:
		return "the same length twice", put("Content-Length: 3\r\nContent-Length: 3"), "abc"
	case 5:
		return "two lengths", put("Content-Length: 3\r\nContent-Length: 0"), "abc"
	case 6:
		return "a length and chunks", put("Content-Length: " + d.of("3", "5", "0") + "\r\nTransfer-Encoding: chunked"), "0\r\n\r\n"
	case 7:
		return "a coding", put("Transfer-Encoding: " + d.of("xchunked", "identity", "chunked, identity", "gzip, chunked", "chunked;q=1", "\vchunked", "\"chunked\"", "chunked, chunked")), "0\r\n\r\n"
	case 8:
		return "a coding in capitals", put("Transfer-Encoding: CHUNKED"), "3\r\nabc\r\n0\r\n\r\n"
	case 9:
		return "a name like a coding's", put(d.of("Transfer_Encoding", "Transfer-Encoding\x00", "Transfer Encoding", "X-Transfer-Encoding", "Content_Length") + ": chunked"), ""
	case 10:
		return "a chunk size", put("Transfer-Encoding: chunked"), d.of("+3", "0x3", "3 ", " 3", "3;", "3;=", "-3", "3_", "") + "\r\nabc\r\n0\r\n\r\n"
	case 11:
		return "what follows a chunk", put("Transfer-Encoding: chunked"), "3\r\nabc" + d.of("\n", "x\r\n", "\r", "") + "0\r\n\r\n" + inner
	case 12:
		return "a control character", put("X-Bad: a" + d.of("\x00", "\x01", "\x7f", "\r", "\v", "\x1b") + "b"), ""
	case 13:
		return "a name", put(d.of("", "X Bad", "X(Bad", "Xé", "X\x00", "\"X\"", "X/Y", "X@Y") + ": 1"), ""
	case 14:
		return "no Host", line + "\r\n" + withoutHost(withoutFraming(fields)), ""
	case 15:
		return "two Hosts", put("Host: other.example"), ""
	case 16:
		return "a Host", line + "\r\nHost: " + d.of("", "a b", "a/b", "u@h", "h:x", "h,i", "[::1", "h#", "a\tb") + "\r\n" + withoutHost(withoutFraming(fields)), ""
	case 17:
		return "a version", method + " " + target + " " + d.of("HTTP/1.2", "HTTP/2.0", "http/1.1", "HTTP/1.1 ", "HTTP/11", "HTTP/1.", "HTTP/0.9", "") + "\r\n" + withoutFraming(fields), ""
	case 18:
		return "HTTP/1.0", method + " " + target + " HTTP/1.0\r\n" + fields, body
	case 19:
		return "an absolute target", method + " http://" + d.of("example.com", "other.example", "example.com:81", "") + target + " HTTP/1.1\r\n" + withoutFraming(fields), ""
	case 20:
		return "spaces in the line", d.of(" "+line, method+"  "+target+" HTTP/1.1", method+"\t"+target+" HTTP/1.1", method+" "+target+"  HTTP/1.1") + "\r\n" + withoutFraming(fields), ""
	case 21:
		return "a method", d.of("GE(T", "G\x00", "get", "GÉT", "") + " " + target + " HTTP/1.1\r\n" + withoutFraming(fields), ""
	case 22:
		return "a target", method + " " + d.of("/c0/a b", "/c0/\x00", "/c0/\x7f", "/c0/é", "/c0/\"<>", "/c0/#x", "/c0/%zz", "/c0/%", "c0", "*", "//c0", "/c0/../x", "/c0/%2e%2e/x", "/c0/%00", "/../c0", `/c0\..\x`, "/c0/..;/x") + " HTTP/1.1\r\n" + withoutFraming(fields), ""
	case 23:
		return "a length", put("Content-Length: " + d.of("+3", "3,3", "3, 3", "03", "0x3", "3 ", "-0", "", "99999999999999999999", "3;", "\"3\"")), "abc"
	case 24:
		return "an empty line first", d.of("\r\n", "\n", "\r\n\r\n") + line + "\r\n" + withoutFraming(fields), ""
	case 25:
		return "a large head", put("X-Large: " + strings.Repeat("x", d.of3(9_000, 30_000, 70_000))), ""
	case 26:
		return "Connection", put("Connection: " + d.of("close", "Close", "keep-alive", "close, X-Bad", "Content-Length", "Host", "Transfer-Encoding", ",,", "a b", "upgrade") + "\r\nX-Bad: 1"), ""
	case 27:
		return "a trailer", put("Transfer-Encoding: chunked"), "3\r\nabc\r\n0\r\n" + d.of("Content-Length: 5", "Transfer-Encoding: chunked", "Host: other.example", "X-Bad : 1", "X-Bad", " X: 1", "Authorization: x", "X-Forwarded-For: 1.2.3.4") + "\r\n\r\n"
	case 28:
		return "Expect", put("Expect: " + d.of("100-continue", "100-Continue", "200-ok", "") + "\r\nContent-Length: 3"), "abc"
	}
	return "Upgrade", put("Connection: upgrade\r\nUpgrade: " + d.of("websocket", "h2c", "HTTP/2.0", "x/1, y")), ""
}

// breakAnswer makes a response that is not good.
func (d drawing) breakAnswer(answer string) (what, broken string) {
	_, fields, _ := strings.Cut(answer, "\r\n")
	head, body, _ := strings.Cut(fields, "\r\n\r\n")
	const line = "HTTP/1.1 200 OK"
	put := func(field, content string) string {
		return line + "\r\n" + field + "\r\n" + strings.TrimSuffix(withoutFraming(head+"\r\n"), "\r\n") + "\r\nConnection: close\r\n\r\n" + content
	}
	switch d.IntN(12) {
	case 0:
		return "an answer cut in its head", "HTTP/1.1 200 OK\r\nConnection: close\r\nX-Back"
	case 1:
		return "an answer cut in its body", put("Content-Length: 10", "abc")
	case 2:
		return "an answer cut in its chunks", put("Transfer-Encoding: chunked", "5\r\nab")
	case 3:
		return "an answer with two lengths", put("Content-Length: 3\r\nContent-Length: 4", "abcd")
	case 4:
		return "an answer with a length and chunks", put("Content-Length: 3\r\nTransfer-Encoding: chunked", "0\r\n\r\n")
	case 5:
		return "an answer with a bad chunk size", put("Transfer-Encoding: chunked", d.of("x", "+1", "1 ", "")+"\r\na\r\n0\r\n\r\n")
	case 6:
		return "an answer with a bad field", put(d.of("X Bad: 1", "X-Bad", "X-Bad: a\x00b", ": 1", "X-Bad : 1", " X-Bad: 1"), "")
	case 7:
		return "an answer with a bad status", "HTTP/1.1 " + d.of("99 X", "1000 X", "abc X", "", "600 X", "200X", "2 0") + "\r\n" + head + "\r\n\r\n" + body
	case 8:
		return "an answer with a bad version", d.of("HTTP/2.0 200 OK", "HTTP/0.9 200 OK", "ICY 200 OK", "http/1.1 200 OK", "HTTP/1.1\t200 OK") + "\r\n" + head + "\r\n\r\n" + body
	case 9:
		return "an answer of HTTP/1.0", "HTTP/1.0" + strings.TrimPrefix(put("X-Old: 1", "until the end"), "HTTP/1.1")
	case 10:
		return "an answer with more behind it", put("Content-Length: 1", "aHTTP/1.1 200 OK\r\nX-Backend: 9\r\nContent-Length: 0\r\n\r\n")
	}
	return "an answer that switches protocols", "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nConnection: close\r\nUpgrade: x\r\n\r\nabc"
}

// withoutFraming takes away what says that there is a body.
func withoutFraming(fields string) string {
	return without(fields, "content-length:", "transfer-encoding:")
}

func withoutHost(fields string) string { return without(fields, "host:") }

func without(fields string, prefixes ...string) string {
	var out strings.Builder
	for line := range strings.SplitAfterSeq(fields, "\r\n") {
		drop := false
		for _, p := range prefixes {
			drop = drop || strings.HasPrefix(strings.ToLower(line), p)
		}
		if !drop {
			out.WriteString(line)
		}
	}
	return out.String()
}
