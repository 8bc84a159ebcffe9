package differential

// difference is two answers that are not the same, and why that is right.
type difference struct{ theirs, ours, why string }

// Reasons that several differences have.
const (
	asWritten    = `What is encoded remains encoded: the backend decides what it means, and %2F is no slash.`
	oneSlash     = `The path is matched without double slashes, and sent with them, as the client wrote it: to some backends they are part of a name.`
	asMatched    = `A path with dot segments is sent as it was matched, so that the backend reads no other path in it than the one that chose the route.`
	ownAddress   = `A redirect to the upstream's own address would lead the client around the proxy, or nowhere.`
	hopByHop     = `RFC 9110, 7.6.1: what Connection names is for this connection only and must not be passed on.`
	noTrace      = `The answer shows whoever asks what proxies add to a request. nginx refuses it too.`
	sharedCookie = `HAProxy's cookie is its own, so "indirect" hides it; goproxy shares the application's cookie, which must reach it.`
)

// differences by peer and row.
var differences = map[string]map[string]difference{
	"apache": {
		"TRACE": {
			`200 from the backend TRACE /app/x host=BACKEND X-Forwarded-For="127.0.0.1"`,
			`405`,
			noTrace,
		},
		"encoded slash": {
			`404`,
			`200 from the backend GET /app/a%2Fb host=BACKEND X-Forwarded-For="127.0.0.1"`,
			asWritten,
		},
		"encoded slash, lower case": {
			`404`,
			`200 from the backend GET /app/a%2fb host=BACKEND X-Forwarded-For="127.0.0.1"`,
			asWritten,
		},
		"two slashes": {
			`200 from the backend GET /app/x host=BACKEND X-Forwarded-For="127.0.0.1"`,
			`200 from the backend GET /app//x host=BACKEND X-Forwarded-For="127.0.0.1"`,
			oneSlash,
		},
		"parameter of the route": {
			`404`,
			`200 from the backend GET /app;v=1 host=BACKEND X-Forwarded-For="127.0.0.1"`,
			"To Tomcat and others a parameter is no part of the path, so it must not lead around the route.",
		},
		"encoded letter in the route": {
			`200 from the backend GET /app/x host=BACKEND X-Forwarded-For="127.0.0.1"`,
			`200 from the backend GET /%61pp/x host=BACKEND X-Forwarded-For="127.0.0.1"`,
			asWritten,
		},
		"encoded tilde": {
			`200 from the backend GET /app/~user host=BACKEND X-Forwarded-For="127.0.0.1"`,
			`200 from the backend GET /app/%7Euser host=BACKEND X-Forwarded-For="127.0.0.1"`,
			asWritten,
		},
		"encoded plus": {
			`200 from the backend GET /app/a+b host=BACKEND X-Forwarded-For="127.0.0.1"`,
			`200 from the backend GET /app/a%2Bb host=BACKEND X-Forwarded-For="127.0.0.1"`,
			asWritten,
		},
		"encoded zero": {
			`404`,
			`400`,
			"A zero byte ends the path for some backends, so that they would read another one than was checked.",
		},
		"to another path of the upstream": {
			`302 Location=http://BACKEND/z from the backend GET /app/x?Location=SELF/z host=BACKEND X-Forwarded-For="127.0.0.1"`,
			`302 Location=http://example.com/z from the backend GET /app/x?Location=SELF/z host=BACKEND X-Forwarded-For="127.0.0.1"`,
			ownAddress,
		},
		"Range": {
			`206 from the backend`,
			`200 from the backend GET /app/x host=BACKEND Range="bytes=0-3" X-Forwarded-For="127.0.0.1"`,
			"The backend answered 200 with the whole, and a proxy that keeps nothing has no business to cut it.",
		},
		"length and chunked": {
			`200 from the backend POST /app/x host=BACKEND X-Forwarded-For="127.0.0.1"`,
			`400`,
			"RFC 9112, 6.3: two ways to say the length are how requests are smuggled; HAProxy drops one of them.",
		},
	},
	"nginx": {
		"the route itself": {
			`301 Location=http://example.com:LISTEN/app/`,
			`404`,
			"nginx redirects to the location that only lacks its slash; goproxy has no redirects of its own: a route with path: /app takes both.",
		},
		"encoded slash": {
			`200 from the backend GET /app/a/b host=example.com X-Forwarded-For="127.0.0.1"`,
			`200 from the backend GET /app/a%2Fb host=example.com X-Forwarded-For="127.0.0.1"`,
			asWritten,
		},
		"encoded slash, lower case": {
			`200 from the backend GET /app/a/b host=example.com X-Forwarded-For="127.0.0.1"`,
			`200 from the backend GET /app/a%2fb host=example.com X-Forwarded-For="127.0.0.1"`,
			asWritten,
		},
		"two slashes": {
			`200 from the backend GET /app/x host=example.com X-Forwarded-For="127.0.0.1"`,
			`200 from the backend GET /app//x host=example.com X-Forwarded-For="127.0.0.1"`,
			oneSlash,
		},
		"encoded letter in the route": {
			`200 from the backend GET /app/x host=example.com X-Forwarded-For="127.0.0.1"`,
			`200 from the backend GET /%61pp/x host=example.com X-Forwarded-For="127.0.0.1"`,
			asWritten,
		},
		"encoded tilde": {
			`200 from the backend GET /app/~user host=example.com X-Forwarded-For="127.0.0.1"`,
			`200 from the backend GET /app/%7Euser host=example.com X-Forwarded-For="127.0.0.1"`,
			asWritten,
		},
		"encoded plus": {
			`200 from the backend GET /app/a+b host=example.com X-Forwarded-For="127.0.0.1"`,
			`200 from the backend GET /app/a%2Bb host=example.com X-Forwarded-For="127.0.0.1"`,
			asWritten,
		},
		"empty query": {
			`200 from the backend GET /app/x host=example.com X-Forwarded-For="127.0.0.1"`,
			`200 from the backend GET /app/x? host=example.com X-Forwarded-For="127.0.0.1"`,
			"The target is sent as the client wrote it, and a lone question mark is part of it.",
		},
		"query of the route itself": {
			`301 Location=http://example.com:LISTEN/app/?a=1`,
			`404`,
			"nginx redirects to the location that only lacks its slash; goproxy has no redirects of its own: a route with path: /app takes both.",
		},
		"to the upstream's own URL": {
			`302 Location=http://BACKEND/app/y from the backend GET /app/x?Location=SELF/app/y host=example.com X-Forwarded-For="127.0.0.1"`,
			`302 Location=http://example.com/app/y from the backend GET /app/x?Location=SELF/app/y host=example.com X-Forwarded-For="127.0.0.1"`,
			ownAddress,
		},
		"to another path of the upstream": {
			`302 Location=http://BACKEND/z from the backend GET /app/x?Location=SELF/z host=example.com X-Forwarded-For="127.0.0.1"`,
			`302 Location=http://example.com/z from the backend GET /app/x?Location=SELF/z host=example.com X-Forwarded-For="127.0.0.1"`,
			ownAddress,
		},
		"Content-Location": {
			`200 Content-Location=http://BACKEND/app/y from the backend GET /app/x?Content-Location=SELF/app/y host=example.com X-Forwarded-For="127.0.0.1"`,
			`200 Content-Location=http://example.com/app/y from the backend GET /app/x?Content-Location=SELF/app/y host=example.com X-Forwarded-For="127.0.0.1"`,
			ownAddress,
		},
		"a header of the connection": {
			`200 from the backend GET /app/x host=example.com X-Forwarded-For="127.0.0.1" X-Secret="1"`,
			`200 from the backend GET /app/x host=example.com X-Forwarded-For="127.0.0.1"`,
			hopByHop,
		},
	},
	"haproxy": {
		"TRACE": {
			`200 from the backend TRACE /app/x host=example.com X-Forwarded-For="127.0.0.1"`,
			`405`,
			noTrace,
		},
		"dot": {
			`200 from the backend GET /app/./x host=example.com X-Forwarded-For="127.0.0.1"`,
			`200 from the backend GET /app/x host=example.com X-Forwarded-For="127.0.0.1"`,
			asMatched,
		},
		"dots out of the route": {
			`200 from the backend GET /app/../x host=example.com X-Forwarded-For="127.0.0.1"`,
			`200 from the backend GET /x host=example.com X-Forwarded-For="127.0.0.1"`,
			asMatched,
		},
		"dots within the route": {
			`200 from the backend GET /app/x/../y host=example.com X-Forwarded-For="127.0.0.1"`,
			`200 from the backend GET /app/y host=example.com X-Forwarded-For="127.0.0.1"`,
			asMatched,
		},
		"encoded dots": {
			`200 from the backend GET /app/%2e%2e/x host=example.com X-Forwarded-For="127.0.0.1"`,
			`200 from the backend GET /x host=example.com X-Forwarded-For="127.0.0.1"`,
			asMatched,
		},
		"dots and an encoded slash": {
			`200 from the backend GET /app/..%2Fx host=example.com X-Forwarded-For="127.0.0.1"`,
			`200 from the backend GET /x host=example.com X-Forwarded-For="127.0.0.1"`,
			asMatched,
		},
		"encoded zero": {
			`200 from the backend GET /app/x%00y host=example.com X-Forwarded-For="127.0.0.1"`,
			`400`,
			"A zero byte ends the path for some backends, so that they would read another one than was checked.",
		},
		"to the upstream's own URL": {
			`302 Location=http://BACKEND/app/y from the backend GET /app/x?Location=SELF/app/y host=example.com X-Forwarded-For="127.0.0.1"`,
			`302 Location=http://example.com/app/y from the backend GET /app/x?Location=SELF/app/y host=example.com X-Forwarded-For="127.0.0.1"`,
			ownAddress,
		},
		"to another path of the upstream": {
			`302 Location=http://BACKEND/z from the backend GET /app/x?Location=SELF/z host=example.com X-Forwarded-For="127.0.0.1"`,
			`302 Location=http://example.com/z from the backend GET /app/x?Location=SELF/z host=example.com X-Forwarded-For="127.0.0.1"`,
			ownAddress,
		},
		"Content-Location": {
			`200 Content-Location=http://BACKEND/app/y from the backend GET /app/x?Content-Location=SELF/app/y host=example.com X-Forwarded-For="127.0.0.1"`,
			`200 Content-Location=http://example.com/app/y from the backend GET /app/x?Content-Location=SELF/app/y host=example.com X-Forwarded-For="127.0.0.1"`,
			ownAddress,
		},
		"session of node1": {
			`200 from the backend GET /app/x host=example.com X-Forwarded-For="127.0.0.1"`,
			`200 from the backend GET /app/x host=example.com Cookie="JSESSIONID=s.node1" X-Forwarded-For="127.0.0.1"`,
			sharedCookie,
		},
		"session of node2": {
			`200 from the backend GET /app/x host=example.com Cookie="a=b" X-Forwarded-For="127.0.0.1"`,
			`200 from the backend GET /app/x host=example.com Cookie="a=b; JSESSIONID=s.node2" X-Forwarded-For="127.0.0.1"`,
			sharedCookie,
		},
		"session of node3": {
			`200 from the backend GET /app/x host=example.com X-Forwarded-For="127.0.0.1"`,
			`200 from the backend GET /app/x host=example.com Cookie="JSESSIONID=s.node3" X-Forwarded-For="127.0.0.1"`,
			sharedCookie,
		},
		"session of node3, POST": {
			`200 from the backend POST /app/x host=example.com X-Forwarded-For="127.0.0.1" body="hi"`,
			`200 from the backend POST /app/x host=example.com Cookie="JSESSIONID=s.node3" X-Forwarded-For="127.0.0.1" body="hi"`,
			sharedCookie,
		},
		"session of nobody": {
			`200 from the backend GET /app/x host=example.com X-Forwarded-For="127.0.0.1"`,
			`200 from the backend GET /app/x host=example.com Cookie="JSESSIONID=s.node9" X-Forwarded-For="127.0.0.1"`,
			sharedCookie,
		},
		"session without a route": {
			`200 from the backend GET /app/x host=example.com X-Forwarded-For="127.0.0.1"`,
			`200 from the backend GET /app/x host=example.com Cookie="JSESSIONID=s" X-Forwarded-For="127.0.0.1"`,
			sharedCookie,
		},
		"a header of the connection": {
			`200 from the backend GET /app/x host=example.com X-Forwarded-For="127.0.0.1" X-Secret="1"`,
			`200 from the backend GET /app/x host=example.com X-Forwarded-For="127.0.0.1"`,
			hopByHop,
		},
		"length and chunked": {
			`200 from the backend POST /app/x host=example.com X-Forwarded-For="127.0.0.1"`,
			`400`,
			"RFC 9112, 6.3: two ways to say the length are how requests are smuggled; HAProxy drops one of them.",
		},
	},
}
