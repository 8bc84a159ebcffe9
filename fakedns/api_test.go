package fakedns_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"
	. "github.com/onsi/gomega"

	"github.com/proxychaos/proxychaos/fakedns"
)

// call sends one request to the control API and returns the status and the body.
func call(t testing.TB, srv *fakedns.Server, method, path, body string) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, srv.ControlURL()+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(b)
}

func TestControlAPIByHand(t *testing.T) {
	g := expect(t)
	srv := start(t, fakedns.Config{Seed: 42})
	ok := func(method, path, body string) string {
		t.Helper()
		status, answer := call(t, srv, method, path, body)
		g.Expect(status).To(Equal(http.StatusOK), answer)
		return answer
	}
	g.Expect(ok("GET", "/v1/version", "")).To(And(ContainSubstring("TEST ONLY"), ContainSubstring(`"api":"v1"`), ContainSubstring(`"seed":42`)))

	var applied fakedns.Applied
	answer := ok("PUT", "/v1/names", `{"names":[{"name":"a.example","ttl_seconds":5,"a":["10.0.0.1"]},{"name":"b.example","alias":"a.example"}]}`)
	g.Expect(json.Unmarshal([]byte(answer), &applied)).To(Succeed())
	g.Expect(applied.InForceAt).To(BeTemporally("~", time.Now(), patience))
	g.Expect(addressesOf(askA(t, srv, "b.example"))).To(Equal(addrs("10.0.0.1")))
	ok("PUT", "/v1/names/a.example", `{"ttl_seconds":0,"aaaa":["2001:db8::1"],"order":"fixed","max_answers":2}`)
	g.Expect(ok("GET", "/v1/names/A.Example.", "")).To(MatchJSON(`{"name":"a.example","ttl_seconds":0,"aaaa":["2001:db8::1"],"ttl_mode":"fixed","order":"fixed","max_answers":2}`))
	g.Expect(askA(t, srv, "b.example").Answer).To(BeEmpty())
	ok("DELETE", "/v1/names/a.example", "")
	g.Expect(ok("GET", "/v1/names", "")).To(MatchJSON(`{"names":[{"name":"b.example","alias":"a.example","order":"shuffle","max_answers":8}]}`))

	ok("PUT", "/v1/faults/slow-fail", `{"kind":"servfail","scope":{"name":"b.example","type":"A","clients":["127.0.0.0/8"],"resolvers":["127.0.0.1"],"transport":"udp"},"count":3,"for_seconds":60}`)
	g.Expect(askA(t, srv, "b.example").Rcode).To(Equal(dns.RcodeServerFailure))
	var status fakedns.FaultStatus
	g.Expect(json.Unmarshal([]byte(ok("GET", "/v1/faults/slow-fail", "")), &status)).To(Succeed())
	g.Expect(status.Hits).To(BeEquivalentTo(1))
	g.Expect(status.Fault.For).To(Equal(time.Minute))
	ok("DELETE", "/v1/faults/slow-fail", "")
	g.Expect(ok("GET", "/v1/faults", "")).To(MatchJSON(`{"faults":[]}`))

	var log struct {
		Queries []fakedns.Query
		LastSeq uint64 `json:"last_seq"`
	}
	g.Expect(json.Unmarshal([]byte(ok("GET", "/v1/queries?name=b.example&type=A&client=127.0.0.1&after=1", "")), &log)).To(Succeed())
	g.Expect(log.Queries).To(HaveLen(2))
	g.Expect(log.Queries[1].Faults).To(Equal([]string{"slow-fail"}))
	g.Expect(log.LastSeq).To(BeEquivalentTo(3))

	var history struct{ Changes []fakedns.Change }
	g.Expect(json.Unmarshal([]byte(ok("GET", "/v1/history", "")), &history)).To(Succeed())
	var actions []fakedns.Action
	for i, c := range history.Changes {
		actions = append(actions, c.Action)
		g.Expect(c.Revision).To(BeEquivalentTo(i + 1))
	}
	g.Expect(actions).To(Equal([]fakedns.Action{"names.put", "names.put", "names.delete", "faults.put", "faults.delete"}))
	g.Expect(history.Changes[0].InForceAt).To(BeTemporally("==", applied.InForceAt))

	ok("POST", "/v1/reset", "")
	g.Expect(ok("GET", "/v1/queries", "")).To(MatchJSON(`{"queries":[],"last_seq":3}`))
	g.Expect(ok("GET", "/v1/names", "")).To(MatchJSON(`{"names":[]}`))
}

func TestControlAPIErrorsNameTheField(t *testing.T) {
	srv := start(t, fakedns.Config{})
	for _, c := range []struct {
		method, path, body string
		status             int
		code, field        string
	}{
		{"GET", "/v2/names", "", 404, "not_found", ""},
		{"GET", "/", "", 404, "not_found", ""},
		{"POST", "/v1/names", "{}", 405, "method_not_allowed", ""},
		{"GET", "/v1/names/none.example", "", 404, "not_found", "name"},
		{"DELETE", "/v1/names/none.example", "", 404, "not_found", "name"},
		{"GET", "/v1/faults/none", "", 404, "not_found", "id"},
		{"DELETE", "/v1/faults/none", "", 404, "not_found", "id"},
		{"PUT", "/v1/names", "", 400, "invalid", ""},
		{"PUT", "/v1/names", "{", 400, "invalid", ""},
		{"PUT", "/v1/names", "{} {}", 400, "invalid", ""},
		{"PUT", "/v1/names", "[]", 400, "invalid", ""},
		{"PUT", "/v1/names", "{}", 400, "invalid", "names"},
		{"PUT", "/v1/names", `{"nmaes":[]}`, 400, "invalid", "nmaes"},
		{"PUT", "/v1/names", `{"names":[{"name":"a","ttl_seconds":1},{"name":"b","ttl_seconds":1,"a":["10.0.0.1","::1"]}]}`, 400, "invalid", "names[1].a[1]"},
		{"PUT", "/v1/names", `{"names":[{"name":"a","ttl":1}]}`, 400, "invalid", "names[0].ttl"},
		{"PUT", "/v1/names", `{"names":[{"name":"a"}]}`, 400, "invalid", "names[0].ttl_seconds"},
		{"PUT", "/v1/names", `{"names":[{"name":"a","ttl_seconds":"60"}]}`, 400, "invalid", "names[0].ttl_seconds"},
		{"PUT", "/v1/names", `{"names":[{"name":"a","ttl_seconds":1e300}]}`, 400, "invalid", "names[0].ttl_seconds"},
		{"PUT", "/v1/names", `{"names":[{"name":"a","ttl_seconds":1,"a":["ten"]}]}`, 400, "invalid", "names[0].a"},
		{"PUT", "/v1/names", `{"names":[{"name":"a","ttl_seconds":1,"a":"10.0.0.1"}]}`, 400, "invalid", "names[0].a"},
		{"PUT", "/v1/names/a", `{"ttl_seconds":1,"max_answers":1.5}`, 400, "invalid", "max_answers"},
		{"PUT", "/v1/names/a", `{"ttl_seconds":1,"srv":{"target":"b","port":1}}`, 400, "invalid", "srv"},
		{"PUT", "/v1/names/a", `{"ttl_seconds":1,"srv":[{"target":"b","port":1},{"target":"b"}]}`, 400, "invalid", "srv[1].port"},
		{"PUT", "/v1/names/a", `{"ttl_seconds":1,"srv":[{"target":"b","port":65536}]}`, 400, "invalid", "srv.port"},
		{"PUT", "/v1/names/a", `{"ttl_seconds":1,"srv":[{"target":"b","port":1,"weight":-1}]}`, 400, "invalid", "srv.weight"},
		{"PUT", "/v1/names/a", `{"ttl_seconds":1,"srv":[{"port":1}]}`, 400, "invalid", "srv[0].target"},
		{"PUT", "/v1/names/a", `{"ttl_seconds":1,"srv":[{"target":"b..c","port":1}]}`, 400, "invalid", "srv[0].target"},
		{"PUT", "/v1/names/a", `{"ttl_seconds":1,"srv":[{"target":"10.0.0.1","port":1}]}`, 400, "invalid", "srv[0].target"},
		{"PUT", "/v1/names/a", `{"ttl_seconds":1,"srv":[{"target":"b","port":1,"prio":1}]}`, 400, "invalid", "prio"},
		{"PUT", "/v1/names/a", `{"ttl_seconds":1,"srv":[` + strings.Repeat(`{"target":"."},`, 200) + `{"target":"."}]}`, 400, "invalid", "srv"},
		{"PUT", "/v1/names/a", `{"ttl_seconds":1,"cname":"c","srv":[{"target":"b","port":1}]}`, 400, "invalid", "cname"},
		{"PUT", "/v1/names/a", `{"alias":"c","srv":[{"target":"b","port":1}]}`, 400, "invalid", "alias"},
		{"PUT", "/v1/faults/f", `{"kind":5}`, 400, "invalid", "kind"},
		{"PUT", "/v1/faults/f", `{"kind":"nodata","scope":{"clients":5}}`, 400, "invalid", "scope.clients"},
		{"PUT", "/v1/faults/f", `{"kind":"nodata","scope":{"clients":["10.0.0.1"]}}`, 400, "invalid", "scope"},
		{"PUT", "/v1/names/a", `{"name":"b","ttl_seconds":1}`, 400, "invalid", "name"},
		{"PUT", "/v1/names", `{"names":["` + strings.Repeat("x", 1<<20) + `"]}`, 413, "too_large", ""},
		{"PUT", "/v1/faults/f", `{"kind":"explode"}`, 400, "invalid", "kind"},
		{"PUT", "/v1/faults/f", `{"id":"g","kind":"nodata"}`, 400, "invalid", "id"},
		{"PUT", "/v1/faults/f%20g", `{"kind":"nodata"}`, 400, "invalid", "id"},
		{"PUT", "/v1/faults/f", `{"kind":"delay"}`, 400, "invalid", "delay_seconds"},
		{"PUT", "/v1/faults/f", `{"kind":"nodata","delay_seconds":1}`, 400, "invalid", "delay_seconds"},
		{"PUT", "/v1/faults/f", `{"kind":"nodata","count":-1}`, 400, "invalid", "count"},
		{"PUT", "/v1/faults/f", `{"kind":"nodata","for_seconds":-1}`, 400, "invalid", "for_seconds"},
		{"PUT", "/v1/faults/f", `{"kind":"nodata","after_seconds":-1}`, 400, "invalid", "after_seconds"},
		{"PUT", "/v1/faults/f", `{"kind":"nodata","scope":{"name":".."}}`, 400, "invalid", "scope.name"},
		{"PUT", "/v1/faults/f", `{"kind":"nodata","scope":{"type":"B"}}`, 400, "invalid", "scope.type"},
		{"PUT", "/v1/faults/f", `{"kind":"nodata","scope":{"transport":"quic"}}`, 400, "invalid", "scope.transport"},
		{"PUT", "/v1/faults/f", `{"kind":"nodata","scope":{"clients":[""]}}`, 400, "invalid", "scope.clients[0]"},
		{"PUT", "/v1/faults/f", `{"kind":"nodata","scope":{"resolvers":[""]}}`, 400, "invalid", "scope.resolvers[0]"},
		{"GET", "/v1/queries?after=-1", "", 400, "invalid", "after"},
		{"GET", "/v1/queries?since=yesterday", "", 400, "invalid", "since"},
		{"GET", "/v1/queries?client=10.0.0", "", 400, "invalid", "client"},
		{"GET", "/v1/queries?type=B", "", 400, "invalid", "type"},
		{"GET", "/v1/queries?wait=1h", "", 400, "invalid", "wait"},
		{"GET", "/v1/queries?wait=soon", "", 400, "invalid", "wait"},
		{"GET", "/v1/queries?name=a&name=b", "", 400, "invalid", "name"},
		{"GET", "/v1/queries?nmae=a", "", 400, "invalid", "nmae"}, //nolint:misspell // what a typing error gets
	} {
		t.Run(c.method+" "+c.path+" "+c.body[:min(60, len(c.body))], func(t *testing.T) {
			g := expect(t)
			status, body := call(t, srv, c.method, c.path, c.body)
			var wrapped struct {
				Error struct{ Code, Field, Message string }
			}
			g.Expect(json.Unmarshal([]byte(body), &wrapped)).To(Succeed(), body)
			g.Expect(status).To(Equal(c.status), body)
			g.Expect(wrapped.Error.Code).To(Equal(c.code))
			g.Expect(wrapped.Error.Field).To(Equal(c.field), body)
			g.Expect(wrapped.Error.Message).NotTo(BeEmpty())
			g.Expect(wrapped.Error.Message).NotTo(ContainSubstring("fakedns."), "no Go types")
		})
	}
	expect(t).Expect(srv.History()).To(BeEmpty(), "a refused change changes nothing")
}

func TestClient(t *testing.T) {
	g := expect(t)
	srv := start(t, fakedns.Config{})
	ctx := t.Context()
	c := fakedns.NewClient(srv.ControlURL()+"/", nil)
	name := fakedns.Name{Name: "app.example", TTL: 3 * time.Second, A: old, TTLMode: fakedns.TTLCountdown, Order: fakedns.OrderFixed, MaxAnswers: 4}
	at, err := c.PutNames(ctx, name, fakedns.Name{Name: "www.example", Alias: "app.example"})
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(addressesOf(askA(t, srv, "www.example"))).To(Equal(old))
	names, err := c.Names(ctx)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(names).To(Equal(srv.Names()))
	g.Expect(names[0]).To(Equal(name))

	f := fakedns.Fault{
		ID: "f", Kind: fakedns.KindDelay, Count: 1, Delay: 10 * time.Millisecond, For: time.Hour,
		Scope: fakedns.Scope{Name: "app.example", Clients: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}},
	}
	_, err = c.PutFault(ctx, f)
	g.Expect(err).NotTo(HaveOccurred())
	faults, err := c.Faults(ctx)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(faults).To(HaveLen(1))
	g.Expect(faults[0].Fault).To(Equal(f))
	askA(t, srv, "app.example")
	_, err = c.DeleteFault(ctx, "f")
	g.Expect(err).NotTo(HaveOccurred())
	_, err = c.DeleteFault(ctx, "f")
	var typed *fakedns.Error
	g.Expect(errors.As(err, &typed)).To(BeTrue())
	g.Expect(typed.Code).To(Equal(fakedns.CodeNotFound))

	found, err := c.Queries(ctx, fakedns.Filter{Since: at})
	g.Expect(err).NotTo(HaveOccurred())
	want := queries(t, srv, fakedns.Filter{})
	g.Expect(found).To(HaveLen(2))
	for i := range want {
		g.Expect(found[i].ReceivedAt).To(BeTemporally("==", want[i].ReceivedAt))
		g.Expect(found[i].AnsweredAt).To(BeTemporally("==", want[i].AnsweredAt))
		found[i].ReceivedAt, found[i].AnsweredAt = want[i].ReceivedAt, want[i].AnsweredAt
	}
	g.Expect(found).To(Equal(want), "a query survives the way through JSON")

	last, err := c.LastSeq(ctx)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(last).To(BeEquivalentTo(2))
	history, err := c.History(ctx)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(history).To(HaveLen(3))
	_, err = c.DeleteName(ctx, "www.example", 0)
	g.Expect(err).NotTo(HaveOccurred())
	_, err = c.Reset(ctx)
	g.Expect(err).NotTo(HaveOccurred())
	v, err := c.Version(ctx)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(v.Service).To(Equal("fakedns"))
}

func TestClientWaitsUntilSomebodyAsks(t *testing.T) {
	g := expect(t)
	srv := start(t, fakedns.Config{Names: []fakedns.Name{elb("*", old)}})
	c := fakedns.NewClient(srv.ControlURL(), nil)
	askA(t, srv, "app.example")
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	found := make(chan fakedns.Query, 1)
	go func() {
		q, err := c.WaitQuery(ctx, fakedns.Filter{Name: "app.example", After: 1})
		if err != nil {
			t.Errorf("WaitQuery: %v", err)
		}
		found <- q
	}()
	g.Consistently(found, 50*time.Millisecond).ShouldNot(Receive())
	askA(t, srv, "app.example")
	var q fakedns.Query
	g.Eventually(found, patience).Should(Receive(&q))
	g.Expect(q.Seq).To(BeEquivalentTo(2))

	short, cancelShort := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancelShort()
	_, err := c.WaitQuery(short, fakedns.Filter{Name: "never.example"})
	g.Expect(err).To(MatchError(context.DeadlineExceeded))
	g.Expect(err).To(MatchError(ContainSubstring("nobody asked for never.example")))
}

func TestWaitThatEndsEmptyIsAnEmptyList(t *testing.T) {
	g := expect(t)
	srv := start(t, fakedns.Config{})
	begun := time.Now()
	status, body := call(t, srv, "GET", "/v1/queries?name=app.example&wait=50ms", "")
	g.Expect(time.Since(begun)).To(BeNumerically(">=", 50*time.Millisecond))
	g.Expect(status).To(Equal(http.StatusOK))
	g.Expect(body).To(MatchJSON(`{"queries":[],"last_seq":0}`))
}

func TestQueriesAsLines(t *testing.T) {
	g := expect(t)
	srv := start(t, fakedns.Config{Names: []fakedns.Name{elb("app.example", old)}})
	for range 3 {
		askA(t, srv, "app.example")
	}
	req, err := http.NewRequestWithContext(t.Context(), "GET", srv.ControlURL()+"/v1/queries?after=1", nil)
	g.Expect(err).NotTo(HaveOccurred())
	req.Header.Set("Accept", "application/x-ndjson")
	resp, err := http.DefaultClient.Do(req)
	g.Expect(err).NotTo(HaveOccurred())
	defer func() { _ = resp.Body.Close() }()
	g.Expect(resp.Header.Get("Content-Type")).To(Equal("application/x-ndjson"))
	lines := 0
	for sc := bufio.NewScanner(resp.Body); sc.Scan(); lines++ {
		var q fakedns.Query
		g.Expect(json.Unmarshal(sc.Bytes(), &q)).To(Succeed())
		g.Expect(q.Seq).To(BeEquivalentTo(lines + 2))
	}
	g.Expect(lines).To(Equal(2))
}

func TestHandlerCanBeMountedElsewhere(t *testing.T) {
	g := expect(t)
	srv := start(t, fakedns.Config{})
	mux := http.NewServeMux()
	mux.Handle("/dns/", http.StripPrefix("/dns", srv.Handler()))
	other := httptest.NewServer(mux)
	defer other.Close()
	_, err := fakedns.NewClient(other.URL+"/dns", nil).PutNames(t.Context(), elb("app.example", old))
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(addressesOf(askA(t, srv, "app.example"))).To(ConsistOf(old))

	_, err = fakedns.NewClient(other.URL, nil).Version(t.Context())
	g.Expect(err).To(MatchError(ContainSubstring("404 Not Found, want a fakedns control API")))
}
