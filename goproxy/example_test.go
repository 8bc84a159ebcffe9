package goproxy_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"

	"github.com/proxychaos/proxychaos/goproxy"
)

// A config is read, and served until the context ends.
func Example() {
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = fmt.Fprint(w, "upstream got ", r.URL.Path)
	}))
	defer upstream.Close()
	config, err := goproxy.Parse("example.yaml", []byte(`
routes:
  - path: /shop
    rewrite_path: /
    upstream: shop
upstreams:
  shop:
    url: `+upstream.URL+"\n"))
	if err != nil {
		fmt.Println(err)
		return
	}
	proxy, err := goproxy.New(config, goproxy.Options{Listen: "127.0.0.1:0", AccessLog: io.Discard})
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	done := make(chan error, 1)
	go func() { done <- proxy.Run(ctx) }()

	response, err := http.Get("http://" + proxy.Addr().String() + "/shop/cart") //nolint:noctx // an example
	if err != nil {
		fmt.Println(err)
		return
	}
	body, _ := io.ReadAll(response.Body)
	_ = response.Body.Close()
	fmt.Println(response.StatusCode, string(body))
	http.DefaultClient.CloseIdleConnections()
	stop()
	fmt.Println("drained:", <-done)
	// Output:
	// 200 upstream got /cart
	// drained: <nil>
}

// Every problem has its place in the file.
func ExampleParse() {
	_, err := goproxy.Parse("shop.yaml", []byte(`lisen: ":8080"
routes:
  - upstrem: shop
upstreams:
  shop:
    url: http://shop.example.com
`))
	fmt.Println(err)
	// Output:
	// shop.yaml:1:1: unknown key "lisen": did you mean "listen"?
	// shop.yaml:3:5: unknown key "upstrem": did you mean "upstream"?
}
