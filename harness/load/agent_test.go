package load_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/proxychaos/proxychaos/harness/load"
	"github.com/proxychaos/proxychaos/harness/recording"
)

func agent(t *testing.T) (*load.Client, string) {
	t.Helper()
	server := httptest.NewServer(load.Handler())
	t.Cleanup(server.Close)
	return load.NewClient(server.URL), server.URL
}

func TestAttackThroughTheAgent(t *testing.T) {
	client, _ := agent(t)
	if err := client.Health(t.Context()); err != nil {
		t.Fatal(err)
	}
	s := spec(serve(t, echo))
	s.StartAt = time.Now().Add(100 * time.Millisecond)
	seqs := map[uint64]bool{}
	if err := client.Attack(t.Context(), s, func(row load.Row) {
		seqs[row.Seq] = true
		if request := row.Request(s.StartAt); request.Outcome != recording.OK || request.Sent < request.Due || request.Due != recording.Of(time.Duration(row.Seq-1)*5*time.Millisecond) {
			t.Errorf("got row %+v as request %+v", row, request)
		}
	}); err != nil {
		t.Fatal(err)
	}
	if len(seqs) != 50 {
		t.Errorf("got %d sequence numbers, want 50", len(seqs))
	}
}

// The harness shows progress: the first row must come before the load ends.
func TestRowsAreStreamed(t *testing.T) {
	client, _ := agent(t)
	got := make(chan struct{})
	s := spec(serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get(load.SeqHeader) == "50" {
			<-got // the last answer waits until a row has come out of the agent
		}
		echo(w, r)
	}))
	rows := 0
	err := client.Attack(t.Context(), s, func(load.Row) {
		if rows++; rows == 1 {
			close(got)
		}
	})
	if err != nil || rows != 50 {
		t.Errorf("got %d rows and error %v, want 50 and none", rows, err)
	}
}

func TestAgentRefuses(t *testing.T) {
	client, base := agent(t)
	server := serve(t, echo)
	s := spec(server)
	s.Rate = -1
	var wrong *load.Error
	if err := client.Attack(t.Context(), s, func(load.Row) {}); !errors.As(err, &wrong) || wrong.Field != "rate" {
		t.Errorf("got error %v, want one for the rate", err)
	}
	_, err := client.Try(t.Context(), load.Trials{Ways: []recording.Way{way(server)}, Timeout: 1})
	if !errors.As(err, &wrong) || wrong.Field != "within_seconds" {
		t.Errorf("got error %v, want one for the time in all", err)
	}
	_, err = client.Burst(t.Context(), load.Burst{Way: way(server), Concurrency: 1, Hold: 2, Timeout: 1})
	if !errors.As(err, &wrong) || wrong.Field != "hold_seconds" {
		t.Errorf("got error %v, want one for the hold", err)
	}
	for body, want := range map[string]string{
		"":                       "empty body",
		`{"rate":1}{}`:           "more than one",
		`{"rat":1}`:              "rat",
		`{"rate":"fast"}`:        "rate",
		strings.Repeat(" ", 5e6): "over 4194304 bytes",
	} {
		for _, path := range []string{"/v1/attacks", "/v1/bursts"} {
			if path == "/v1/bursts" {
				body = strings.ReplaceAll(body, `"rate"`, `"concurrency"`)
				want = strings.ReplaceAll(want, "rate", "concurrency")
			}
			response, err := http.Post(base+path, "application/json", strings.NewReader(body))
			if err != nil {
				t.Fatal(err)
			}
			text, _ := io.ReadAll(response.Body)
			response.Body.Close()
			if response.StatusCode/100 != 4 || !strings.Contains(string(text), want) {
				t.Errorf("%s with %.20q: got %d %s, want an error with %q", path, body, response.StatusCode, text, want)
			}
		}
	}
}

func TestOneAttackAtATimeAndItEndsWithItsCaller(t *testing.T) {
	client, _ := agent(t)
	var running, served atomic.Int32
	server := serve(t, func(w http.ResponseWriter, r *http.Request) {
		served.Add(1)
		running.Store(1)
		echo(w, r)
	})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	s := spec(server)
	s.Duration = 600
	first := make(chan error, 1)
	go func() { first <- client.Attack(ctx, s, func(load.Row) {}) }()
	eventually(t, "the first attack runs", func() bool { return running.Load() == 1 })
	s.Duration = 0.05
	var busy *load.Error
	if err := client.Attack(t.Context(), s, func(load.Row) {}); !errors.As(err, &busy) || busy.Code != load.CodeBusy {
		t.Errorf("got error %v, want that the agent is busy", err)
	}
	// A burst may run beside it.
	if _, err := client.Burst(t.Context(), load.Burst{Way: way(server), Concurrency: 2, Timeout: 5}); err != nil {
		t.Errorf("got error %v for a burst beside an attack", err)
	}
	cancel()
	if err := <-first; !errors.Is(err, context.Canceled) {
		t.Errorf("got error %v, want that of the context", err)
	}
	eventually(t, "the agent is free again", func() bool {
		err := client.Attack(t.Context(), s, func(load.Row) {})
		if err != nil && (!errors.As(err, &busy) || busy.Code != load.CodeBusy) {
			t.Fatal(err)
		}
		return err == nil
	})
	if n := served.Load(); n > 10_000 {
		t.Errorf("%d requests were served, want the first attack to have ended early", n)
	}
}

func TestClientNoticesAStreamThatIsNotWhole(t *testing.T) {
	row := `{"row":{"seq":1}}` + "\n"
	for answer, want := range map[string]string{
		"":                         "broke off after 0 rows",
		row + row:                  "broke off after 2 rows",
		row + `{"row":{"se`:        "broke off after 1 rows",
		row + `{"end":{"rows":2}}`: "got 1 rows, but the agent sent 2",
		row + `{}`:                 "neither a row nor the end",
		`{"end":{"rows":0,"error":{"code":"stopped","message":"why"}}}`: "why",
	} {
		server := serve(t, func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, answer) })
		err := load.NewClient(server.URL).Attack(t.Context(), load.Spec{}, func(load.Row) {})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("stream %q: got error %v, want %q", answer, err, want)
		}
	}
	other := serve(t, func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "no", http.StatusBadGateway) })
	if err := load.NewClient(other.URL).Health(t.Context()); err == nil || !strings.Contains(err.Error(), "502") {
		t.Errorf("got error %v, want that the answer was 502", err)
	}
}

// The handler answers only when all 8 are there, so it proves that they are
// under way at the same time; each must be on a connection of its own.
func TestBurst(t *testing.T) {
	client, _ := agent(t)
	all := make(chan struct{})
	var arrived atomic.Int32
	server := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Host != "www.example.com" || !strings.HasPrefix(r.RequestURI, "/warm?proxychaos=x") || r.Header.Get(load.HoldHeader) != "300ms" || r.Header.Get(load.SeqHeader) != "" {
			t.Errorf("got %s%s with %v", r.Host, r.RequestURI, r.Header)
		}
		n := arrived.Add(1)
		if n == 8 {
			close(all)
		}
		<-all
		switch {
		case n <= 2:
			w.WriteHeader(503)
		case n == 3:
			w.Header().Set("Content-Length", "9")
		}
	})
	warm := way(server)
	warm.Paths = []string{"/warm"}
	burst := load.Burst{Way: warm, Concurrency: 8, Hold: 0.3, Timeout: 10}
	result, err := client.Burst(t.Context(), burst)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]int{recording.OK: 5, recording.Unavailable: 2, recording.Connection: 1}
	if !reflect.DeepEqual(result.Outcomes, want) || !strings.Contains(result.Error, "EOF") {
		t.Errorf("got %+v, want outcomes %v and an error about EOF", result, want)
	}
	if opened, _ := server.connections(); opened != 8 {
		t.Errorf("got %d connections, want 8", opened)
	}
}

func TestBurstThatIsNotAnswered(t *testing.T) {
	server := serve(t, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	burst := load.Burst{Way: way(server), Concurrency: 3, Timeout: 0.1}
	result, err := burst.Run(t.Context())
	if err != nil || result.Outcomes[recording.Timeout] != 3 {
		t.Errorf("got %+v and error %v, want 3 timeouts", result, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := burst.Run(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("got error %v, want that of the context", err)
	}
}

func TestBurstRefusesAWrongField(t *testing.T) {
	for field, breakIt := range map[string]func(*load.Burst){
		"target":          func(b *load.Burst) { b.Target = "x" },
		"concurrency":     func(b *load.Burst) { b.Concurrency = 0 },
		"timeout_seconds": func(b *load.Burst) { b.Timeout = 301 },
		"hold_seconds":    func(b *load.Burst) { b.Hold = -1 },
	} {
		burst := load.Burst{Way: recording.Way{Target: "http://127.0.0.1:1", Host: "a", Paths: []string{"/"}}, Concurrency: 1, Timeout: 1}
		breakIt(&burst)
		_, err := burst.Run(t.Context())
		var wrong *load.Error
		if !errors.As(err, &wrong) || wrong.Field != field {
			t.Errorf("got error %v, want one for field %s", err, field)
		}
	}
}
