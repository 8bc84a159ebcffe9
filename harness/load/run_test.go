package load_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/proxychaos/proxychaos/harness/control"
	"github.com/proxychaos/proxychaos/harness/load"
	"github.com/proxychaos/proxychaos/harness/recording"
)

func TestEveryRequestIsSentOnceAndReported(t *testing.T) {
	var mu sync.Mutex
	got := map[string]int{}
	server := serve(t, func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		got[r.Method+" "+r.Host+r.RequestURI+" "+r.Header.Get(load.SeqHeader)]++
		if ip := netip.MustParseAddr(r.Header.Get("X-Forwarded-For")); r.UserAgent() != "Mozilla/5.0" || !netip.MustParsePrefix("203.0.113.0/24").Contains(ip) {
			t.Errorf("got headers %v, want those of the way, and a client's address", r.Header)
		}
		if strings.Contains(fmt.Sprint(r.Header), "Vegeta") {
			t.Errorf("headers of the load generator leaked: %v", r.Header)
		}
		mu.Unlock()
		echo(w, r)
	})
	s := spec(server)
	s.Host, s.Paths, s.Headers = "www.example.com", []string{"/a%2Fb?q=1", "/c"}, map[string]string{"User-Agent": "Mozilla/5.0"}
	s.StartAt = time.Now().Add(100 * time.Millisecond).Round(0) // as it comes out of JSON
	rows := run(t, s)
	if len(rows) != 50 || len(got) != 50 {
		t.Errorf("got %d rows of %d requests, want 50", len(rows), len(got))
	}
	asked := map[string]int{}
	for _, row := range rows {
		path, _, _ := strings.Cut(s.Path(row.Seq), "?")
		asked[path]++
		if key := fmt.Sprintf("GET www.example.com%s %d", s.Path(row.Seq), row.Seq); got[key] != 1 || !strings.Contains(key, fmt.Sprintf("proxychaos=%d ", row.Seq)) {
			t.Errorf("the server got %q %d times, want once; it got %v", key, got[key], got)
		}
		want := s.StartAt.Add(time.Duration(row.Seq-1) * 5 * time.Millisecond)
		if !row.Due.Equal(want) {
			t.Errorf("request %d was due at %s, want %s", row.Seq, row.Due, want)
		}
		if row.Sent.Before(row.Due) {
			t.Errorf("request %d was sent %s early", row.Seq, row.Due.Sub(row.Sent))
		}
		if row.Latency <= 0 || row.Code != 200 || row.Outcome != recording.OK || row.Error != "" ||
			row.Node != netip.MustParseAddr("198.18.1.21") || row.Server != "nginx" {
			t.Errorf("got row %+v", row)
		}
	}
	if asked["/a%2Fb"] < 20 || asked["/c"] < 20 {
		t.Errorf("the paths were asked for by %v of 50 requests, want both in turn", asked)
	}
}

func TestOutcomes(t *testing.T) {
	abort := func(w http.ResponseWriter) net.Conn {
		conn, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return nil
		}
		return conn
	}
	for name, test := range map[string]struct {
		handler http.HandlerFunc
		want    string
		code    int
		text    string // in Error
	}{
		"hang":         {func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, recording.Timeout, 0, "no whole answer within 200ms"},
		"hang in body": {func(w http.ResponseWriter, r *http.Request) { hangInBody(w, r) }, recording.Timeout, 0, "no whole answer within 200ms"},
		"reset": {func(w http.ResponseWriter, _ *http.Request) {
			conn := abort(w)
			_ = conn.(*net.TCPConn).SetLinger(0)
			_ = conn.Close()
		}, recording.Connection, 0, "reset"},
		"closed early": {func(w http.ResponseWriter, _ *http.Request) { _ = abort(w).Close() }, recording.Connection, 0, "EOF"},
		"cut-off body": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "99")
			_, _ = w.Write([]byte("x"))
		}, recording.Connection, 0, "EOF"},
		"not HTTP": {func(w http.ResponseWriter, _ *http.Request) {
			conn := abort(w)
			_, _ = conn.Write([]byte("SSH-2.0-x\r\n"))
			_ = conn.Close()
		}, recording.Connection, 0, "malformed"},
		"503":      {func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "no", http.StatusServiceUnavailable) }, recording.Unavailable, 503, ""},
		"404":      {func(w http.ResponseWriter, r *http.Request) { http.NotFound(w, r) }, "404", 404, ""},
		"redirect": {func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/elsewhere", http.StatusFound) }, recording.ByProxy(302), 302, "/elsewhere"},
		"a node's redirect": {func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set(load.NodeHeader, "198.18.1.21")
			http.Redirect(w, r, "/elsewhere", http.StatusFound)
		}, recording.OK, 302, ""},
		"bad redirect": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", ":bad")
			w.WriteHeader(302)
		}, recording.Connection, 0, "Location"},
		"other body": {func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "welcome") }, recording.ByProxy(200), 200, "welcome"},
		"a node's other body": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set(load.NodeHeader, "198.18.1.21")
			fmt.Fprint(w, "welcome")
		}, recording.WrongBody, 200, "welcome"},
		"other seq": {func(w http.ResponseWriter, r *http.Request) { fmt.Fprintf(w, "seq=%s0", r.Header.Get(load.SeqHeader)) }, recording.ByProxy(200), 200, "want seq="},
		"seq later on": {func(w http.ResponseWriter, r *http.Request) {
			fmt.Fprintf(w, "seq=%[1]s1 seq=%[1]s", r.Header.Get(load.SeqHeader))
		}, recording.OK, 200, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := spec(serve(t, test.handler))
			s.Timeout = 5
			if test.want == recording.Timeout {
				s.Timeout = 0.2
			}
			rows := run(t, s)
			if got := outcomes(rows); !reflect.DeepEqual(got, map[string]int{test.want: 50}) {
				t.Fatalf("got outcomes %v, want 50 of %s; the first row: %+v", got, test.want, rows[0])
			}
			for _, row := range rows {
				if row.Code != test.code || !strings.Contains(row.Error, test.text) || (test.text == "") != (row.Error == "") {
					t.Errorf("got %+v, want code %d and error %q", row, test.code, test.text)
				}
			}
		})
	}
}

func hangInBody(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Length", "99")
	w.WriteHeader(200)
	_ = http.NewResponseController(w).Flush()
	<-r.Context().Done()
}

func TestRefusedConnection(t *testing.T) {
	server := serve(t, echo)
	server.Close()
	rows := run(t, spec(server))
	if got := outcomes(rows)[recording.Connection]; got != 50 || !strings.Contains(rows[0].Error, "refused") {
		t.Errorf("got %d connection errors, want 50, the first: %+v", got, rows[0])
	}
}

func TestWithoutBodyCheckAnyBodyIsFine(t *testing.T) {
	s := spec(serve(t, func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "welcome") }))
	s.CheckBody = false
	if got := outcomes(run(t, s))[recording.OK]; got != 50 {
		t.Errorf("got %d ok, want 50", got)
	}
}

// Open loop: though every answer hangs, and there are but 2 users, all
// requests are under way at the same time.
func TestRequestsDoNotWaitForAnswers(t *testing.T) {
	all := make(chan struct{})
	var arrived atomic.Int32
	server := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if arrived.Add(1) == 50 {
			close(all)
		}
		<-all
		echo(w, r)
	})
	s := spec(server)
	s.Clients = 2
	rows := run(t, s)
	if got := outcomes(rows)[recording.OK]; got != 50 {
		t.Errorf("got %d ok of %d, want 50: the handler lets go when 50 have arrived", got, len(rows))
	}
	eventually(t, "all connections closed", func() bool { _, open := server.connections(); return open == 0 })
}

func TestStopReportsNothingItEndedItself(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var served atomic.Int32
	reported, hanging := make(chan struct{}), make(chan struct{})
	server := serve(t, func(w http.ResponseWriter, r *http.Request) {
		switch n := served.Add(1); {
		case n <= 10:
			echo(w, r)
			return
		case n == 20:
			close(hanging)
		}
		<-r.Context().Done()
	})
	go func() {
		<-reported
		<-hanging
		cancel()
	}()
	s := spec(server)
	s.Duration, s.Timeout = 600, 300
	var rows []load.Row
	err := load.Run(ctx, s, func(row load.Row) {
		if rows = append(rows, row); len(rows) == 10 {
			close(reported)
		}
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got error %v, want that of the context", err)
	}
	if got := outcomes(rows); !reflect.DeepEqual(got, map[string]int{recording.OK: 10}) {
		t.Errorf("got outcomes %v, want the 10 that were answered", got)
	}
}

func TestStopBeforeTheStart(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	s := spec(serve(t, echo))
	s.StartAt = time.Now().Add(5 * time.Minute)
	if err := load.Run(ctx, s, func(load.Row) { t.Error("a request was sent") }); !errors.Is(err, context.Canceled) {
		t.Errorf("got error %v, want that of the context", err)
	}
}

func TestRunRefusesAWrongSpec(t *testing.T) {
	server := serve(t, func(http.ResponseWriter, *http.Request) { t.Error("a request was sent") })
	for field, breakIt := range map[string]func(*load.Spec){
		"target":                  func(s *load.Spec) { s.Target = "ftp://127.0.0.1" },
		"paths":                   func(s *load.Spec) { s.Paths = []string{"/", "index.html"} },
		"headers":                 func(s *load.Spec) { s.Headers = map[string]string{"X": "a\r\nb"} },
		"host":                    func(s *load.Spec) { s.Host = "a b" },
		"rate":                    func(s *load.Spec) { s.Rate = 0 },
		"duration_seconds":        func(s *load.Spec) { s.Duration = 0.004 },
		"timeout_seconds":         func(s *load.Spec) { s.Timeout = 0 },
		"clients":                 func(s *load.Spec) { s.Clients = 0 },
		"quiet":                   func(s *load.Spec) { s.Quiet = recording.Quiet{From: 0.2, For: 0.1} },
		"requests_per_connection": func(s *load.Spec) { s.RequestsPerConnection = -1 },
		"start_at":                func(s *load.Spec) { s.StartAt = time.Now().Add(-2 * time.Second) },
	} {
		s := spec(server)
		breakIt(&s)
		err := load.Run(t.Context(), s, func(load.Row) {})
		var wrong *load.Error
		if !errors.As(err, &wrong) || wrong.Field != field || wrong.Code != control.CodeInvalid {
			t.Errorf("got error %v, want one for field %s", err, field)
		}
	}
	for _, target := range []string{"", "127.0.0.1:80", "http://", "http://a/", "http://u@a", "http://a?q", "http://a:b"} {
		s := spec(server)
		s.Target = target
		if err := load.Run(t.Context(), s, func(load.Row) {}); err == nil {
			t.Errorf("target %q was accepted", target)
		}
	}
}

// Nothing is due in the quiet part of a load, and all else at its time.
func TestQuiet(t *testing.T) {
	s := spec(serve(t, echo))
	s.Duration, s.Quiet = 0.65, recording.Quiet{From: 0.1, For: 0.4}
	rows := run(t, s)
	slices.SortFunc(rows, func(a, b load.Row) int { return int(a.Seq) - int(b.Seq) })
	if len(rows) != 50 {
		t.Fatalf("got %d requests, want 200 a second for 0.25 s", len(rows))
	}
	for i, want := range map[int]time.Duration{1: 5 * time.Millisecond, 19: 95 * time.Millisecond, 20: 500 * time.Millisecond, 49: 645 * time.Millisecond} {
		if got := rows[i].Due.Sub(rows[0].Due); got != want {
			t.Errorf("request %d is due %s after the first, want %s", i+1, got, want)
		}
	}
}

// Clients go to the nodes in front in turn, whatever the address of the target is.
func TestNodesInFrontTakeTurns(t *testing.T) {
	var mu sync.Mutex
	at := map[string]int{}
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp4", "0.0.0.0:0")
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		at[r.Context().Value(http.LocalAddrContextKey).(net.Addr).(*net.TCPAddr).IP.String()]++
		mu.Unlock()
		echo(w, r)
	}))
	_ = server.Listener.Close()
	server.Listener = listener
	server.Start()
	t.Cleanup(server.Close)
	s := spec(&target{Server: server})
	s.Target = fmt.Sprintf("http://127.0.80.1:%d", listener.Addr().(*net.TCPAddr).Port) // no client goes there
	s.Front, s.Clients = []netip.Addr{netip.MustParseAddr("127.0.80.2"), netip.MustParseAddr("127.0.80.3")}, 4
	if got := outcomes(run(t, s)); got[recording.OK] != 50 {
		t.Errorf("got %v, want 50 answers", got)
	}
	if len(at) != 2 || at["127.0.80.2"] == 0 || at["127.0.80.3"] == 0 {
		t.Errorf("the requests came to %v, want both nodes in front", at)
	}
}

// A harness that was slow to ask gets all requests, and sees that they were late.
func TestMissedStartIsCaughtUpWith(t *testing.T) {
	s := spec(serve(t, echo))
	s.StartAt = time.Now().Add(-500 * time.Millisecond)
	rows := run(t, s)
	if got := outcomes(rows)[recording.OK]; got != 50 {
		t.Errorf("got %d ok, want 50", got)
	}
	for _, row := range rows {
		if late := row.Sent.Sub(row.Due); late < 250*time.Millisecond {
			t.Errorf("request %d was due at %s and seems only %s late", row.Seq, row.Due, late)
		}
	}
}

func TestRowBecomesARequestOnTheClockOfTheRecording(t *testing.T) {
	t0 := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	row := load.Row{
		Seq: 7, Due: t0.Add(30 * time.Millisecond), Sent: t0.Add(31 * time.Millisecond), Latency: 0.5, Code: 200,
		Outcome: recording.WrongBody, Error: "e", Names: 6, Node: netip.MustParseAddr("::1"), Server: "s",
	}
	want := recording.Request{
		Seq: 7, Due: 0.03, Sent: 0.031, Latency: 0.5, Code: 200,
		Outcome: recording.WrongBody, Error: "e", Names: 6, Node: netip.MustParseAddr("::1"), Server: "s",
	}
	if got := row.Request(t0); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

// POSTs are spread evenly over the load, each with a body that names it, and
// their rows say so.
func TestPosts(t *testing.T) {
	var mu sync.Mutex
	bodies := map[string]string{} // of POSTs, by sequence number
	server := serve(t, func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		if r.Method == http.MethodPost {
			mu.Lock()
			bodies[r.Header.Get(load.SeqHeader)] = string(body)
			mu.Unlock()
		}
		echo(w, r)
	})
	spec := spec(server)
	spec.Posts = 20
	said := map[string]string{}
	if err := load.Run(t.Context(), spec, func(r load.Row) {
		if r.Outcome != recording.OK {
			t.Errorf("got %+v", r)
		}
		request := r.Request(time.Now())
		if request.Method == http.MethodPost {
			said[strconv.FormatUint(r.Seq, 10)] = "seq=" + strconv.FormatUint(r.Seq, 10)
		} else if request.Method != "" {
			t.Errorf("got method %q in a recording, want none for a GET", request.Method)
		}
	}); err != nil {
		t.Fatal(err)
	}
	if len(said) != 10 || !maps.Equal(said, bodies) {
		t.Errorf("rows say %v are POSTs, the server got %v; want the same 10 of 50", said, bodies)
	}
	for seq := 5; seq <= 50; seq += 5 {
		if said[strconv.Itoa(seq)] == "" {
			t.Errorf("request %d is no POST: want every fifth", seq)
		}
	}
}

// A body that names another request says which: a page that the proxy had kept.
func TestTheRequestThatAnAnswerNames(t *testing.T) {
	s := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, "seq= seq=7 seq=8 seq=99999999999999999999")
	})
	for _, row := range run(t, spec(s)) {
		want := uint64(7)
		if row.Seq == 7 || row.Seq == 8 {
			want = 0
		}
		if row.Names != want || (want == 0) != (row.Outcome == recording.OK) {
			t.Errorf("got %+v, want names %d", row, want)
		}
	}
}

// Each user keeps the cookies that it was given, and no other's.
func TestSessions(t *testing.T) {
	var mu sync.Mutex
	given := 0
	users := map[string][]string{} // sequence numbers by cookie
	s := spec(serve(t, func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		c, err := r.Cookie("user")
		if err != nil {
			given++
			c = &http.Cookie{Name: "user", Value: strconv.Itoa(given), Path: "/"}
			http.SetCookie(w, c)
		}
		users[c.Value] = append(users[c.Value], r.Header.Get(load.SeqHeader))
		echo(w, r)
	}))
	s.Sessions = true
	sessions := map[string]uint64{}
	for _, row := range run(t, s) {
		sessions[strconv.FormatUint(row.Seq, 10)] = row.Session
	}
	owners := map[uint64]bool{}
	for cookie, seqs := range users {
		owner := sessions[seqs[0]]
		if owner == 0 || owners[owner] {
			t.Errorf("cookie %s is of the session %d, which has another too", cookie, owner)
		}
		owners[owner] = true
		for _, seq := range seqs {
			if sessions[seq] != owner {
				t.Errorf("request %s of session %d came with the cookie of session %d", seq, sessions[seq], owner)
			}
		}
	}
	if len(users) < s.Clients {
		t.Errorf("got %d sessions, want one for each of %d clients", len(users), s.Clients)
	}
	s.Sessions = false
	for _, row := range run(t, s) {
		if row.Session != 0 {
			t.Fatalf("got session %d of a client that keeps no cookies", row.Session)
		}
	}
}
