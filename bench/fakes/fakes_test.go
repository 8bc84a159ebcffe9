package fakes

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"github.com/proxychaos/proxychaos/bench"
	"github.com/proxychaos/proxychaos/bench/lab"
)

// An endpoint that is made to fail and work again a few times is measured that
// often; one that cannot be made to fail has no figure.
func TestInTurns(t *testing.T) {
	g := NewWithT(t)
	var broken atomic.Bool
	set := func(to bool) func(context.Context) error {
		return func(context.Context) error { broken.Store(to); return nil }
	}
	probe := func(context.Context) error {
		time.Sleep(50 * time.Microsecond) // as a connection would
		if broken.Load() {
			return errors.New("refused")
		}
		return nil
	}
	cannot := func(context.Context) error { return errors.New("no such container") }
	l := &lab.Lab{Plan: bench.Plan{Progress: io.Discard}}
	got := inTurns(t.Context(), l, []switcher{
		{who: "works", version: "1", probe: probe, fail: set(true), restore: set(false), tries: 4},
		{who: "cannot fail", probe: probe, fail: cannot, restore: set(false), tries: 4},
		{who: "cannot recover", probe: probe, fail: set(true), restore: func(ctx context.Context) error {
			broken.Store(false)
			return cannot(ctx)
		}, tries: 4},
		{who: "absent", err: errors.New("no engine")},
	})
	g.Expect(got[0].Missing).To(BeEmpty())
	g.Expect(got[0].Values).To(HaveLen(4))
	for i, why := range []string{"put the fault: no such container", "lift the fault: no such container", "no engine"} {
		g.Expect(got[i+1].Values).To(BeEmpty())
		g.Expect(got[i+1].Missing).To(Equal(why))
	}
}

func TestCountRows(t *testing.T) {
	g := NewWithT(t)
	rows := strings.Repeat(`{"a":1}`+"\n", 1234)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		g.Expect(r.Header.Get("Accept")).To(Equal("application/x-ndjson"))
		if r.URL.Path == "/broken" {
			w.Header().Set("Content-Length", "99999")
		}
		_, _ = io.WriteString(w, rows)
	}))
	defer s.Close()
	g.Expect(countRows(t.Context(), s.URL)).To(Equal(1234))
	_, err := countRows(t.Context(), s.URL+"/broken")
	g.Expect(err).To(MatchError(ContainSubstring("unexpected EOF")))
	_, err = countRows(t.Context(), "http://127.0.0.1:1")
	g.Expect(err).To(HaveOccurred())
}

func TestLiveHeap(t *testing.T) {
	g := NewWithT(t)
	log := "TEST ONLY\n" +
		"gc 1 @0.011s 2%: 0.018+1.1+0.003 ms clock, 0.03+0.4/0.9/0+0.007 ms cpu, 3->4->1 MB, 4 MB goal, 0 MB stacks, 0 MB globals, 2 P\n" +
		"gc 12 @9.120s 3%: 0.1+41+0.004 ms clock, 0.2+10/40/2+0.009 ms cpu, 380->402->207 MB, 391 MB goal, 0 MB stacks, 0 MB globals, 2 P\n"
	g.Expect(lastLive([]byte(log))).To(Equal("207"))
	g.Expect(lastLive([]byte("nothing"))).To(BeEmpty())
}

// Every row has a name, and a bar for what it judges.
func TestRows(t *testing.T) {
	g := NewWithT(t)
	seen := map[string]bool{}
	for _, row := range Rows() {
		g.Expect(row.Name).NotTo(BeEmpty())
		g.Expect(seen).NotTo(HaveKey(row.Name))
		seen[row.Name] = true
	}
	row := failed(bench.Row{Unit: "ms", Bars: []bench.Bar{{Of: "fakealb", Sense: bench.AtMost, Factor: 1}}}, errors.New("no backend"))
	g.Expect(row.Judge()[0].Outcome).To(Equal(bench.NotMeasured))
}
