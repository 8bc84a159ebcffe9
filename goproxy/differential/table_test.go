package differential

import "strings"

// row is one request. The text is the request without the version's and the
// Host's lines: "GET /app/x", then headers; a body follows an empty line.
type row struct {
	name, request string
	sticky        bool // the node matters, where the peer knows such sessions
}

var table = []row{
	// Paths.
	{name: "the route itself", request: "GET /app"},
	{name: "the route with a slash", request: "GET /app/"},
	{name: "a file", request: "GET /app/x"},
	{name: "a folder", request: "GET /app/x/y/"},
	{name: "encoded space", request: "GET /app/a%20b"},
	{name: "encoded slash", request: "GET /app/a%2Fb"},
	{name: "encoded slash, lower case", request: "GET /app/a%2fb"},
	{name: "two slashes", request: "GET /app//x"},
	{name: "dot", request: "GET /app/./x"},
	{name: "dots out of the route", request: "GET /app/../x"},
	{name: "dots within the route", request: "GET /app/x/../y"},
	{name: "encoded dots", request: "GET /app/%2e%2e/x"},
	{name: "dots and an encoded slash", request: "GET /app/..%2Fx"},
	{name: "a longer word", request: "GET /application"},
	{name: "another path", request: "GET /other"},
	{name: "root", request: "GET /"},
	{name: "upper case", request: "GET /APP/x"},
	{name: "encoded letter in the route", request: "GET /%61pp/x"},
	{name: "encoded tilde", request: "GET /app/%7Euser"},
	{name: "tilde", request: "GET /app/~user"},
	{name: "UTF-8", request: "GET /app/caf%C3%A9"},
	{name: "parameter", request: "GET /app/a;b=c"},
	{name: "parameter of the route", request: "GET /app;v=1"},
	{name: "plus", request: "GET /app/a+b"},
	{name: "encoded plus", request: "GET /app/a%2Bb"},
	{name: "encoded percent", request: "GET /app/100%25"},
	{name: "broken encoding", request: "GET /app/%zz"},
	{name: "encoded zero", request: "GET /app/x%00y"},
	{name: "colon and at", request: "GET /app/a:b@c"},
	{name: "other delimiters", request: "GET /app/'()*!$&,="},
	{name: "encoded question mark", request: "GET /app/a%3Fb"},
	{name: "encoded hash", request: "GET /app/a%23b"},
	{name: "long path", request: "GET /app/" + strings.Repeat("x", 2000)},
	// Query strings.
	{name: "query", request: "GET /app/x?a=1"},
	{name: "empty query", request: "GET /app/x?"},
	{name: "question mark in the query", request: "GET /app/x?a=b?c=d"},
	{name: "encoded query", request: "GET /app/x?a=%2F%20+%41"},
	{name: "repeated name", request: "GET /app/x?a=1&a=2&&b"},
	{name: "broken encoding in the query", request: "GET /app/x?q=%zz"},
	{name: "URL in the query", request: "GET /app/x?to=http://a.example/b/../c//d"},
	{name: "brackets in the query", request: "GET /app/x?a[]=1&b={2}|3"},
	{name: "semicolons in the query", request: "GET /app/x?a=b;c=d"},
	{name: "query of the route itself", request: "GET /app?a=1"},
	// Methods and bodies.
	{name: "HEAD", request: "HEAD /app/x"},
	{name: "POST", request: "POST /app/x\r\nContent-Length: 5\r\n\r\nhello"},
	{name: "POST, chunked", request: "POST /app/x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"},
	{name: "POST without a body", request: "POST /app/x\r\nContent-Length: 0"},
	{name: "PUT", request: "PUT /app/x\r\nContent-Length: 2\r\n\r\nhi"},
	{name: "PATCH", request: "PATCH /app/x\r\nContent-Length: 2\r\n\r\nhi"},
	{name: "DELETE", request: "DELETE /app/x"},
	{name: "OPTIONS", request: "OPTIONS /app/x"},
	{name: "a method of one's own", request: "PURGE /app/x"},
	{name: "TRACE", request: "TRACE /app/x"},
	{name: "GET with a body", request: "GET /app/x\r\nContent-Length: 2\r\n\r\nhi"},
	{name: "Expect", request: "POST /app/x\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\nhello"},
	// Responses.
	{name: "204", request: "GET /app/x?status=204"},
	{name: "304", request: "GET /app/x?status=304"},
	{name: "404", request: "GET /app/x?status=404"},
	{name: "418", request: "GET /app/x?status=418"},
	{name: "500", request: "GET /app/x?status=500"},
	{name: "503", request: "GET /app/x?status=503"},
	// Redirects.
	{name: "to the upstream's own URL", request: "GET /app/x?Location=SELF/app/y"},
	{name: "to another path of the upstream", request: "GET /app/x?Location=SELF/z"},
	{name: "to a path", request: "GET /app/x?Location=/app/y"},
	{name: "to a relative path", request: "GET /app/x?Location=y"},
	{name: "to another server", request: "GET /app/x?Location=https://elsewhere.example/app/y"},
	{name: "Content-Location", request: "GET /app/x?Content-Location=SELF/app/y"},
	{name: "Refresh", request: "GET /app/x?Refresh=5;url=/app/y"},
	// Cookies.
	{name: "Set-Cookie", request: "GET /app/x?Set-Cookie=a=b;%20Path=/app;%20HttpOnly"},
	{name: "two Set-Cookie", request: "GET /app/x?Set-Cookie=a=b&Set-Cookie=c=d"},
	{name: "Set-Cookie with a domain", request: "GET /app/x?Set-Cookie=a=b;%20Domain=example.com"},
	{name: "Cookie", request: "GET /app/x\r\nCookie: a=b; c=\"d e\""},
	// Sessions.
	{name: "session of node1", request: "GET /app/x\r\nCookie: JSESSIONID=s.node1", sticky: true},
	{name: "session of node2", request: "GET /app/x\r\nCookie: a=b; JSESSIONID=s.node2", sticky: true},
	{name: "session of node3", request: "GET /app/x\r\nCookie: JSESSIONID=s.node3", sticky: true},
	{name: "session of node3, POST", request: "POST /app/x\r\nContent-Length: 2\r\nCookie: JSESSIONID=s.node3\r\n\r\nhi", sticky: true},
	{name: "session of nobody", request: "GET /app/x\r\nCookie: JSESSIONID=s.node9"},
	{name: "session without a route", request: "GET /app/x\r\nCookie: JSESSIONID=s"},
	{name: "session in the path", request: "GET /app/x;JSESSIONID=s.node2", sticky: true},
	{name: "session in the path, with a query", request: "GET /app/x;JSESSIONID=s.node3?a=b", sticky: true},
	// Headers.
	{name: "a header", request: "GET /app/x\r\nX-Custom: a  b"},
	{name: "a header twice", request: "GET /app/x\r\nX-Custom: a\r\nX-Custom: b"},
	{name: "an empty header", request: "GET /app/x\r\nX-Empty:"},
	{name: "X-Forwarded-For", request: "GET /app/x\r\nX-Forwarded-For: 192.0.2.7"},
	{name: "a header of the connection", request: "GET /app/x\r\nConnection: X-Secret\r\nX-Secret: 1"},
	{name: "Authorization", request: "GET /app/x\r\nAuthorization: Basic YTpi"},
	{name: "Range", request: "GET /app/x\r\nRange: bytes=0-3"},
	// What is not a request.
	{name: "two lengths", request: "POST /app/x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab"},
	{name: "length and chunked", request: "POST /app/x\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"},
	{name: "space before the colon", request: "GET /app/x\r\nX-Custom : a"},
	{name: "a second Host", request: "GET /app/x\r\nHost: other.example"},
}
