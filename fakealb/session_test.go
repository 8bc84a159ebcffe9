package fakealb_test

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/proxychaos/proxychaos/fakealb"
	"github.com/proxychaos/proxychaos/fakealb/rules"
	"github.com/proxychaos/proxychaos/fakealb/targets"
)

// named runs a server that says its name, and sets the cookie "session" on
// /login.
func named(t *testing.T, name string) targets.Target {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/login" {
			http.SetCookie(w, &http.Cookie{Name: "session", Value: "s-" + name, Path: "/"})
		}
		_, _ = fmt.Fprint(w, name)
	}))
	t.Cleanup(s.Close)
	return targets.Target{Addr: s.Listener.Addr().(*net.TCPAddr).AddrPort()}
}

// jar is a client that keeps cookies.
func jar(t *testing.T) *http.Client {
	t.Helper()
	j, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &http.Client{Jar: j, Timeout: 10 * time.Second}
}

func fetch(t *testing.T, c *http.Client, url string) (body string, resp *http.Response) {
	t.Helper()
	resp, err := c.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(b), resp
}

// awaitHealthy waits until the node sees all targets of the unnamed group healthy.
func (f *fixture) awaitHealthy(t *testing.T, n int) {
	t.Helper()
	eventually(t, fmt.Sprintf("%d healthy targets", n), func() bool {
		for _, node := range f.nodes {
			list, err := f.Targets(f.ctx, node)
			healthy := 0
			for _, h := range list {
				if h.State == targets.Healthy {
					healthy++
				}
			}
			if err != nil || healthy != n {
				return false
			}
		}
		return true
	})
}

func stickyGroup(attributes targets.Attributes, members ...targets.Target) *targets.Group {
	attributes.Sticky = true
	return &targets.Group{Targets: members, Attributes: attributes}
}

func TestDurationBasedStickiness(t *testing.T) {
	t.Attr("aws-fact", "3.4.5")
	a, b := named(t, "a"), named(t, "b")
	f := start(t, func(c *fakealb.Config) {
		c.LoadBalancers = []fakealb.LoadBalancer{{Name: "blue", TargetGroup: stickyGroup(targets.Attributes{}, a, b)}}
	}, "127.0.82.1", "127.0.82.2")
	f.awaitHealthy(t, 2)
	// curl's cookie jar, at one node and then at the other: the key is the same.
	cookies := filepath.Join(t.TempDir(), "cookies")
	head := curl(t, "-c", cookies, "-b", cookies, "-i", "http://"+f.at(0)+"/")
	if !strings.Contains(head, "\r\nSet-Cookie: AWSALB=") || !strings.Contains(head, "\r\nSet-Cookie: AWSALBCORS=") ||
		strings.Count(head, "; Expires=") != 2 || strings.Count(head, "; Path=/") != 2 || strings.Count(head, "; SameSite=None\r\n") != 1 {
		t.Errorf("got %q", head)
	}
	first := head[strings.Index(head, "\r\n\r\n")+4:]
	for range 6 {
		if got := curl(t, "-c", cookies, "-b", cookies, "http://"+f.at(0)+"/"); got != first {
			t.Errorf("got target %s, want %s as before", got, first)
		}
	}
	c := jar(t)
	_, resp := fetch(t, c, "http://"+f.at(0)+"/")
	at, _ := url.Parse("http://" + f.at(1) + "/")
	c.Jar.SetCookies(at, resp.Cookies())
	stuck, _ := fetch(t, c, "http://"+f.at(0)+"/")
	for range 4 {
		if got, _ := fetch(t, c, "http://"+f.at(1)+"/"); got != stuck {
			t.Errorf("at the other node: got target %s, want %s", got, stuck)
		}
	}
	if got := f.metric(t, "NonStickyRequestCount"); got != 2 {
		t.Errorf("got NonStickyRequestCount %g, want 2: each client's first request", got)
	}
}

func TestStickyClientIsReroutedWhenItsTargetGoes(t *testing.T) {
	t.Attr("aws-fact", "3.4.7")
	a, b := named(t, "a"), named(t, "b")
	f := start(t, func(c *fakealb.Config) {
		c.LoadBalancers = []fakealb.LoadBalancer{{Name: "blue", TargetGroup: stickyGroup(targets.Attributes{}, a, b)}}
	}, "127.0.82.3")
	f.awaitHealthy(t, 2)
	c := jar(t)
	first, _ := fetch(t, c, "http://"+f.at(0)+"/")
	left := map[string]targets.Target{"a": b, "b": a}[first]
	if _, err := f.PutLoadBalancer(f.ctx, fakealb.LoadBalancer{Name: "blue", TargetGroup: stickyGroup(targets.Attributes{}, left)}); err != nil {
		t.Fatal(err)
	}
	second, resp := fetch(t, c, "http://"+f.at(0)+"/")
	if second == first || len(resp.Cookies()) != 2 {
		t.Errorf("got %s with %v after %s was deregistered, want the other one and new cookies", second, resp.Cookies(), first)
	}
	// The session has moved for good.
	if _, err := f.PutLoadBalancer(f.ctx, fakealb.LoadBalancer{Name: "blue", TargetGroup: stickyGroup(targets.Attributes{}, a, b)}); err != nil {
		t.Fatal(err)
	}
	f.awaitHealthy(t, 2)
	for range 4 {
		if got, _ := fetch(t, c, "http://"+f.at(0)+"/"); got != second {
			t.Errorf("got %s, want %s", got, second)
		}
	}
	if got := f.metric(t, "NonStickyRequestCount"); got != 2 {
		t.Errorf("got NonStickyRequestCount %g, want 2", got)
	}
}

// A session of 1 s at scale 20 is over after 50 ms.
func TestStickinessEnds(t *testing.T) {
	t.Attr("aws-fact", "3.4.5")
	f := start(t, func(c *fakealb.Config) {
		c.TimeScale = 20
		c.LoadBalancers = []fakealb.LoadBalancer{{Name: "blue", TargetGroup: stickyGroup(targets.Attributes{LBCookieSeconds: 1}, named(t, "a"), named(t, "b"))}}
	}, "127.0.82.4")
	f.awaitHealthy(t, 2)
	c := jar(t)
	seen := map[string]bool{}
	eventually(t, "both targets, since the session ends", func() bool {
		got, _ := fetch(t, c, "http://"+f.at(0)+"/")
		seen[got] = true
		time.Sleep(60 * time.Millisecond) // the condition: longer than the session
		return len(seen) == 2
	})
}

func TestApplicationBasedStickiness(t *testing.T) {
	t.Attr("aws-fact", "3.4.6")
	app := targets.Attributes{StickyType: targets.StickyAppCookie, AppCookieName: "session"}
	f := start(t, func(c *fakealb.Config) {
		c.LoadBalancers = []fakealb.LoadBalancer{{Name: "blue", TargetGroup: stickyGroup(app, named(t, "a"), named(t, "b"))}}
	}, "127.0.82.5")
	f.awaitHealthy(t, 2)
	c := jar(t)
	// Without a cookie of the application there is no session.
	one, resp := fetch(t, c, "http://"+f.at(0)+"/")
	if other, _ := fetch(t, c, "http://"+f.at(0)+"/"); one == other || len(resp.Cookies()) != 0 {
		t.Errorf("before the login: got %s twice, with %v", one, resp.Cookies())
	}
	first, resp := fetch(t, c, "http://"+f.at(0)+"/login")
	var names, removed int
	for _, k := range resp.Cookies() {
		if strings.HasPrefix(k.Name, "AWSALBAPP-") {
			names++
			if k.Value == "_remove_" {
				removed++
			}
		}
	}
	if names != 4 || removed != 3 {
		t.Errorf("got %v, want AWSALBAPP-0 to -3, of which three are removed", resp.Cookies())
	}
	for range 4 {
		if got, _ := fetch(t, c, "http://"+f.at(0)+"/"); got != first {
			t.Errorf("after the login: got %s, want %s", got, first)
		}
	}
	// Both cookies have to come back.
	at, _ := url.Parse("http://" + f.at(0) + "/")
	c.Jar.SetCookies(at, []*http.Cookie{{Name: "session", Path: "/", MaxAge: -1}})
	seen := map[string]bool{}
	for range 2 {
		got, _ := fetch(t, c, "http://"+f.at(0)+"/")
		seen[got] = true
	}
	if len(seen) != 2 {
		t.Errorf("without the application's cookie: got %v twice, want both targets", seen)
	}
	if got := f.metric(t, "AppCookieNonStickinessCount"); got != 5 {
		t.Errorf("got AppCookieNonStickinessCount %g, want 5", got)
	}
}

func TestTargetGroupStickiness(t *testing.T) {
	t.Attr("aws-fact", "3.4.6")
	f, _ := ruled(t, "127.0.82.6", func(lb *fakealb.LoadBalancer) {
		both := to("blue", "green")
		both[0].Stickiness = rules.GroupStickiness{Enabled: true, DurationSeconds: 1000}
		lb.Listeners[0].DefaultActions = both
		lb.TargetGroups[0].Targets[0].BuiltIn = &targets.BuiltIn{Kind: targets.KindStatus, Status: 201}
		lb.TargetGroups[1].Targets[0].BuiltIn = &targets.BuiltIn{Kind: targets.KindStatus, Status: 202}
	})
	for range 3 { // clients, each with cookies of its own
		c := jar(t)
		_, first := fetch(t, c, "http://"+f.at(0)+"/")
		names := ""
		for _, k := range first.Cookies() {
			names += k.Name + " "
		}
		if names != "AWSALBTG AWSALBTGCORS " {
			t.Errorf("got the cookies %s", names)
		}
		for range 4 {
			if _, resp := fetch(t, c, "http://"+f.at(0)+"/"); resp.StatusCode != first.StatusCode {
				t.Errorf("got the other group: %d after %d", resp.StatusCode, first.StatusCode)
			}
		}
	}
}
