// Command anyproxy is a reverse proxy of which the project knows nothing but its image.
package main

import (
	"context"
	"flag"
	"log"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
)

func main() {
	ask := flag.String("ask", "", "ask for a URL once, and end: a health check")
	once := flag.Bool("once", false, "look the name up once, at the start")
	flag.Parse()
	if *ask != "" {
		answer, err := http.Get(*ask)
		if err != nil || answer.StatusCode != http.StatusOK {
			log.Fatal("the proxy is not well: ", err)
		}
		return
	}
	to, err := url.Parse(flag.Arg(0))
	if err != nil || to.Host == "" {
		log.Fatalf("error: got %q, want a URL", flag.Arg(0))
	}
	transport := &http.Transport{DisableKeepAlives: true}
	if *once {
		addrs, err := net.LookupHost(to.Hostname())
		if err != nil {
			log.Fatal(err)
		}
		transport.DialContext = func(ctx context.Context, network, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, network, net.JoinHostPort(addrs[0], "80"))
		}
	}
	proxy := httputil.NewSingleHostReverseProxy(to)
	proxy.Transport = transport
	log.Fatal(http.ListenAndServe(":8080", proxy))
}
