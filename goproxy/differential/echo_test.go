package differential

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"testing"
)

// seen is what a backend says of the request that it got.
type seen struct {
	Node, Method, Target, Host, Body string
	Header                           map[string]string
}

// compared are the request headers that backends tell of.
var compared = []string{"Authorization", "Cookie", "Range", "X-Custom", "X-Empty", "X-Forwarded-For", "X-Secret"}

// startBackends serves the echo on 127.94.3.10 to .13 and returns the port.
func startBackends(t *testing.T) (port string) {
	t.Helper()
	port = "0"
	for i := range 4 {
		l, err := net.Listen("tcp", fmt.Sprintf("127.94.3.1%d:%s", i, port))
		if err != nil {
			t.Fatal(err)
		}
		if _, port, err = net.SplitHostPort(l.Addr().String()); err != nil {
			t.Fatal(err)
		}
		server := &http.Server{Handler: echo(fmt.Sprintf("node%d", i), l.Addr().String())}
		go server.Serve(l)
		t.Cleanup(func() { server.Close() })
	}
	return port
}

// echo answers with what it saw. A query may ask for more: "own" and "header"
// for a response header that points at the backend or anywhere, "status".
func echo(node, self string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			panic(http.ErrAbortHandler)
		}
		got := seen{Node: node, Method: r.Method, Target: r.RequestURI, Host: r.Host, Body: string(body), Header: map[string]string{}}
		for _, name := range compared {
			if values, ok := r.Header[name]; ok {
				got.Header[name] = strings.Join(values, ", ")
			}
		}
		status := http.StatusOK
		for _, pair := range strings.Split(r.URL.RawQuery, "&") {
			name, value, _ := strings.Cut(pair, "=")
			value = strings.ReplaceAll(strings.ReplaceAll(value, "%20", " "), "SELF", "http://"+self)
			switch name {
			case "status":
				status, _ = strconv.Atoi(value)
			case "Location", "Content-Location", "Refresh", "Set-Cookie":
				w.Header().Add(name, value)
			}
		}
		if w.Header().Get("Location") != "" {
			status = http.StatusFound
		}
		w.Header().Set("X-Echo", "1")
		w.WriteHeader(status)
		json.NewEncoder(w).Encode(got)
	})
}
