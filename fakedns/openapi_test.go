package fakedns_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"
	. "github.com/onsi/gomega"

	"github.com/proxychaos/proxychaos/fakedns"
	"github.com/proxychaos/proxychaos/harness/openapitest"
)

func TestOpenAPIFileIsWhatTheServerDoes(t *testing.T) {
	g := expect(t)
	srv := start(t, fakedns.Config{})
	checked := openapitest.New(t, fakedns.OpenAPI, srv.Handler())
	api := httptest.NewServer(checked)
	defer api.Close()
	c := fakedns.NewClient(api.URL, nil)
	ctx := t.Context()
	ok := func(_ any, err error) { t.Helper(); g.Expect(err).NotTo(HaveOccurred()) }
	bad := func(method, path, body string, status int) {
		t.Helper()
		req, err := http.NewRequestWithContext(ctx, method, api.URL+path, strings.NewReader(body))
		ok(nil, err)
		resp, err := http.DefaultClient.Do(req)
		ok(nil, err)
		defer func() { _ = resp.Body.Close() }()
		g.Expect(resp.StatusCode).To(Equal(status))
	}

	full := fakedns.Name{
		Name: "full.example", TTL: time.Minute, TTLMode: fakedns.TTLCountdown, A: old, AAAA: addrs("2001:db8::1"), PTR: "x.example",
		SRV:   []fakedns.SRV{{Priority: 1, Weight: 2, Port: 3, Target: "x.example"}, {Target: "."}},
		Views: []fakedns.View{{Clients: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}, Resolvers: addrs("10.0.0.2"), A: fresh, AAAA: addrs("2001:db8::2")}},
		Order: fakedns.OrderRotate, MaxAnswers: 2, Propagation: time.Nanosecond, Interleave: time.Nanosecond,
	}
	zoned := fakedns.Name{
		Name: "zoned.example", TTL: time.Minute, Unhealthy: old[:1], Health: fakedns.HealthHealthy,
		Zones: []fakedns.Zone{{Name: "1a", A: old[:1], AAAA: addrs("2001:db8::1")}, {Name: "1b", A: old[1:], Shifted: true}},
	}
	ok(c.PutNames(ctx, zoned, fakedns.Name{Name: "healthy.example", Alias: "zoned.example", EvaluateTargetHealth: true, Failover: "app.example"}))
	ok(c.PutNames(ctx, full, elb("app.example", old), fakedns.Name{Name: "www.example", Alias: "app.example"}, fakedns.Name{Name: "c.example", TTL: time.Second, CNAME: "app.example"}))
	ok(c.Names(ctx))
	askA(t, srv, "app.example")
	for _, kind := range fakedns.AllKinds() {
		f := fakedns.Fault{ID: string(kind), Kind: kind, Scope: fakedns.Scope{Name: "other.example", Type: "A"}}
		if kind == fakedns.KindDelay {
			f.Delay = time.Millisecond
		}
		ok(c.PutFault(ctx, f))
	}
	ok(c.PutFault(ctx, fakedns.Fault{
		ID: "late", Kind: fakedns.KindDelay, Delay: time.Millisecond, Count: 5, For: time.Hour,
		Scope: fakedns.Scope{Name: "app.example", Type: "A", Clients: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}, Resolvers: addrs("127.0.0.1"), Transport: fakedns.UDP},
	}))
	ok(c.PutFault(ctx, fakedns.Fault{ID: "later", Kind: fakedns.KindStale, TTL: time.Second, Scope: fakedns.Scope{Name: "app.example"}}))
	ok(c.PutFault(ctx, fakedns.Fault{ID: "endpoint", Kind: fakedns.KindThrottle, PerSecond: 9, Per: fakedns.PerResolver}))
	ok(c.DeleteFault(ctx, "endpoint"))
	ok(c.PutNames(ctx, elb("app.example", fresh)))
	askA(t, srv, "app.example")
	expectSilence(t, srv, "udp", question("other.example", dns.TypeA))
	ok(c.Faults(ctx))
	ok(c.Queries(ctx, fakedns.Filter{}))
	ok(c.Queries(ctx, fakedns.Filter{Name: "app.example", Type: "A", Client: netip.MustParsePrefix("127.0.0.0/8"), After: 1, Since: time.Now().Add(-time.Hour)}))
	ok(c.LastSeq(ctx))
	ok(c.WaitQuery(ctx, fakedns.Filter{}))
	ok(c.History(ctx))
	ok(c.DeleteFault(ctx, "late"))
	ok(c.DeleteName(ctx, "full.example", time.Nanosecond))
	ok(c.History(ctx))
	ok(c.Version(ctx))
	for _, path := range []string{"/v1/openapi.yaml", "/v1/names/app.example", "/v1/faults/nodata"} {
		bad("GET", path, "", 200)
	}
	bad("PUT", "/v1/names/app.example", `{"ttl_seconds":1}`, 200)
	huge := `{"names":"` + strings.Repeat("x", 1<<20) + `"}`
	bad("PUT", "/v1/names", "{}", 400)
	bad("PUT", "/v1/names", huge, 413)
	bad("GET", "/v1/names/a..b", "", 400)
	bad("GET", "/v1/names/none", "", 404)
	bad("PUT", "/v1/names/a", "{}", 400)
	bad("PUT", "/v1/names/a", huge, 413)
	bad("DELETE", "/v1/names/none", "", 404)
	bad("DELETE", "/v1/names/a..b", "", 400)
	bad("DELETE", "/v1/names/app.example?propagation_seconds=-1", "", 400)
	bad("DELETE", "/v1/names/app.example?propagation_seconds=NaN", "", 400)
	bad("DELETE", "/v1/names/app.example?after=1", "", 400)
	bad("GET", "/v1/faults/none", "", 404)
	bad("PUT", "/v1/faults/f", "{}", 400)
	bad("PUT", "/v1/faults/f", huge, 413)
	bad("DELETE", "/v1/faults/none", "", 404)
	bad("GET", "/v1/queries?after=x", "", 400)
	ok(c.Reset(ctx))

	// The stream never ends by itself, so events_test.go reads it instead.
	checked.Complete("/v1/events") // which never ends by itself: events_test.go reads it
}

func TestEventsFitTheirSchema(t *testing.T) {
	g := expect(t)
	srv := start(t, fakedns.Config{})
	schema := openapitest.New(t, fakedns.OpenAPI, nil).Schema("Event")
	sub := srv.Subscribe()
	put(t, srv, elb("app.example", old))
	askA(t, srv, "app.example")
	for range 2 {
		e, err := sub.Next(t.Context())
		g.Expect(err).NotTo(HaveOccurred())
		line, err := json.Marshal(e)
		g.Expect(err).NotTo(HaveOccurred())
		var decoded any
		g.Expect(json.Unmarshal(line, &decoded)).To(Succeed())
		g.Expect(schema.VisitJSON(decoded)).To(Succeed(), string(line))
	}
}
