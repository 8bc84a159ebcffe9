package load_test

import (
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/proxychaos/proxychaos/harness/load"
	"github.com/proxychaos/proxychaos/harness/recording"
)

// node answers as a built-in target of fakealb, to the request with this number.
func node(w http.ResponseWriter, number string) {
	w.Header().Set(load.NodeHeader, "198.18.1.21")
	fmt.Fprintf(w, "fakealb lb=blue node=198.18.1.21 target=t1 received=0 seq=%s\n", number)
}

// try gives what came of one way.
func try(t *testing.T, way recording.Way) load.Trial {
	t.Helper()
	client, _ := agent(t)
	trials, err := client.Try(t.Context(), load.Trials{Ways: []recording.Way{way}, Timeout: 0.5, Within: 10})
	if err != nil {
		t.Fatal(err)
	}
	return trials[0]
}

// What counts is that a node made the answer, to this request: no status does.
func TestWhatCameOfATry(t *testing.T) {
	for name, test := range map[string]struct {
		handler http.HandlerFunc
		want    load.Trial
	}{
		"a node": {
			func(w http.ResponseWriter, r *http.Request) { node(w, r.Header.Get(load.SeqHeader)) },
			load.Trial{Reached: true, LB: "blue", Came: load.Answered, Code: 200},
		},
		"the proxy's own page": {func(w http.ResponseWriter, _ *http.Request) {
			fmt.Fprint(w, "<html><head><title>It\n works!</title></head><body>and more</body></html>")
		}, load.Trial{Came: load.Answered, Code: 200, Title: "It works!"}},
		"the proxy's own text": {
			func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "alive\n") },
			load.Trial{Came: load.Answered, Code: 200, Title: "alive"},
		},
		"the proxy's own redirect": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", "https://www.example.com/a")
			w.WriteHeader(301)
		}, load.Trial{Came: load.Answered, Code: 301, Location: "https://www.example.com/a"}},
		"a node's answer that the proxy made an error of": {func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(404)
			node(w, r.Header.Get(load.SeqHeader))
		}, load.Trial{Came: load.Answered, Code: 404, Title: "fakealb lb=blue node"}},
		"a node that does not get the number": {
			func(w http.ResponseWriter, _ *http.Request) { node(w, "") },
			load.Trial{Came: load.Nameless, Code: 200, Title: "fakealb lb=blue node"},
		},
		"closed": {func(w http.ResponseWriter, _ *http.Request) {
			conn, _, _ := http.NewResponseController(w).Hijack()
			_ = conn.Close()
		}, load.Trial{Came: load.Closed, Error: "EOF"}},
		"reset": {func(w http.ResponseWriter, _ *http.Request) {
			conn, _, _ := http.NewResponseController(w).Hijack()
			_ = conn.(*net.TCPConn).SetLinger(0)
			_ = conn.Close()
		}, load.Trial{Came: load.Closed, Error: "reset"}},
		"nothing": {
			func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
			load.Trial{Came: load.Silent, Error: "no whole answer within 500ms"},
		},
		"half": {
			func(w http.ResponseWriter, r *http.Request) { hangInBody(w, r) },
			load.Trial{Came: load.Silent, Error: "no whole answer within 500ms"},
		},
		"no HTTP": {func(w http.ResponseWriter, _ *http.Request) {
			conn, _, _ := http.NewResponseController(w).Hijack()
			_, _ = conn.Write([]byte("SSH-2.0-x\r\n"))
			_ = conn.Close()
		}, load.Trial{Came: load.Garbled, Error: "malformed"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, want := try(t, way(serve(t, test.handler))), test.want
			if !strings.Contains(got.Error, want.Error) || !strings.HasPrefix(got.Title, want.Title) {
				t.Errorf("got %+v, want %+v", got, want)
			}
			got.Error, got.Title, want.Error, want.Title, want.Path = "", "", "", "", "/"
			if got != want {
				t.Errorf("got %+v, want %+v", got, want)
			}
		})
	}
}

// A cache whose key has no query answers the second request with the first one's page.
func TestTryKnowsACache(t *testing.T) {
	var once sync.Once
	first := ""
	got := try(t, way(serve(t, func(w http.ResponseWriter, r *http.Request) {
		once.Do(func() { first = r.Header.Get(load.SeqHeader) })
		node(w, first)
	})))
	if got.Came != load.Cached || got.Reached || !strings.Contains(got.Error, "seq="+first+" in the answer to x") {
		t.Errorf("got %+v, want that the answer names the request before, %s", got, first)
	}
}

func TestTryNeedsEveryPath(t *testing.T) {
	server := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/b" {
			http.NotFound(w, r)
			return
		}
		node(w, r.Header.Get(load.SeqHeader))
	})
	w := way(server)
	w.Paths = []string{"/a", "/b"}
	if got := try(t, w); got.Reached || got.Path != "/b" || got.Code != 404 {
		t.Errorf("got %+v, want a 404 for /b", got)
	}
}

// Over TLS, too: the name is asked for, the certificate is not verified, and who speaks
// something else is told from who refuses.
func TestTryOverTLS(t *testing.T) {
	secure := func(config *tls.Config) *target {
		server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.TLS.ServerName != "www.example.com" || r.Proto != "HTTP/1.1" {
				t.Errorf("got a request over %s for %q, want HTTP/1.1 and the host's name", r.Proto, r.TLS.ServerName)
			}
			node(w, r.Header.Get(load.SeqHeader))
		}))
		server.TLS, server.EnableHTTP2 = config, true
		server.StartTLS()
		t.Cleanup(server.Close)
		return &target{Server: server}
	}
	w := way(secure(nil))
	w.Host = "www.example.com:443"
	if got := try(t, w); !got.Reached {
		t.Errorf("got %+v, want a node", got)
	}
	picky := secure(&tls.Config{ClientAuth: tls.RequireAnyClientCert})
	if got := try(t, way(picky)); got.Came != load.Alert || !strings.Contains(got.Error, "certificate required") {
		t.Errorf("got %+v, want the alert", got)
	}
	plain := serve(t, echo)
	w = way(plain)
	w.Target = strings.Replace(w.Target, "http:", "https:", 1)
	if got := try(t, w); got.Came != load.NoTLS {
		t.Errorf("got %+v, want that there is no TLS", got)
	}
	plain.Close()
	if got := try(t, w); got.Came != load.Refused {
		t.Errorf("got %+v, want that the connection is refused", got)
	}
}

// The first way in the order that is given wins, though a later one answers sooner.
func TestTryPrefersTheFirst(t *testing.T) {
	asked := make(chan struct{}) // for /never, before another one is found
	found := make(chan struct{}) // another one, so that /never is given up
	await := func(what <-chan struct{}, r *http.Request) {
		select {
		case <-what:
		case <-r.Context().Done():
		}
	}
	server := serve(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/no":
			http.NotFound(w, r)
			return
		case "/first":
			await(found, r)
		case "/later":
			await(asked, r)
		case "/never":
			close(asked)
			<-r.Context().Done()
			close(found)
		}
		node(w, r.Header.Get(load.SeqHeader))
	})
	var ways []recording.Way
	for _, path := range []string{"/no", "/first", "/later", "/never"} {
		w := way(server)
		w.Paths = []string{path}
		ways = append(ways, w)
	}
	client, _ := agent(t)
	got, err := client.Try(t.Context(), load.Trials{Ways: ways, Timeout: 30, Within: 60})
	if err != nil {
		t.Fatal(err)
	}
	if got[0].Reached || !got[1].Reached || got[3].Came != load.NotTried {
		t.Errorf("got %+v, want that the second was found and the last given up", got)
	}
}

// What the time does not suffice for is said not to have been tried.
func TestTriesEndInTime(t *testing.T) {
	server := serve(t, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	client, _ := agent(t)
	got, err := client.Try(t.Context(), load.Trials{Ways: []recording.Way{way(server)}, Timeout: 30, Within: 0.1})
	if err != nil || got[0].Came != load.NotTried {
		t.Errorf("got %+v and error %v, want that it was given up", got, err)
	}
}

// The load over TLS.
func TestLoadOverTLS(t *testing.T) {
	server := httptest.NewTLSServer(http.HandlerFunc(echo))
	t.Cleanup(server.Close)
	if got := outcomes(run(t, spec(&target{Server: server})))[recording.OK]; got != 50 {
		t.Errorf("got %d ok, want 50", got)
	}
}
