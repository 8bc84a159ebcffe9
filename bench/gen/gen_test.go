package gen_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"github.com/proxychaos/proxychaos/bench/gen"
)

// delay is what the slow server takes for every answer.
const delay = 10 * time.Millisecond

func slow(t *testing.T) (url string, served *atomic.Int64) {
	t.Helper()
	served = &atomic.Int64{}
	s := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		time.Sleep(delay) // the condition that is measured
		served.Add(1)
	}))
	t.Cleanup(s.Close)
	return s.URL, served
}

func needs(t *testing.T, tools ...string) {
	t.Helper()
	for _, tool := range tools {
		if _, err := exec.LookPath(tool); err != nil {
			t.Fatalf("%s is missing: .ci/packages installs it", tool)
		}
	}
}

func TestPaceMeasuresTheServersTime(t *testing.T) {
	g := NewWithT(t)
	url, served := slow(t)
	latencies, err := gen.Pace(t.Context(), url, 50, 400*time.Millisecond)
	if err != nil { // a busy machine cannot hold a rate
		g.Expect(err).To(MatchError(ContainSubstring("the generator or the cores are the limit")))
	}
	g.Expect(len(latencies)).To(And(BeNumerically(">", 1), BeNumerically("<=", 20)))
	g.Expect(served.Load()).To(Equal(int64(len(latencies))))
	for _, l := range latencies {
		g.Expect(l).To(BeNumerically(">=", delay))
	}
}

func TestPaceRefusesOtherAnswers(t *testing.T) {
	g := NewWithT(t)
	s := httptest.NewServer(http.NotFoundHandler())
	url := s.URL
	_, err := gen.Pace(t.Context(), url, 50, 100*time.Millisecond)
	g.Expect(err).To(MatchError(ContainSubstring("got status 404")))
	s.Close()
	_, err = gen.Pace(t.Context(), url, 50, 100*time.Millisecond)
	g.Expect(err).To(MatchError(ContainSubstring("refused")))
}

// 32 connections to a server that takes 10 ms cannot give more than 3,200
// answers a second; h2load sends the number that was asked for.
func TestWrkAndH2load(t *testing.T) {
	needs(t, "wrk", "h2load")
	g := NewWithT(t)
	slowURL, _ := slow(t)
	result, err := gen.Wrk(t.Context(), slowURL, time.Second)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(result.PerSecond).To(And(BeNumerically(">", 0), BeNumerically("<=", gen.Connections*float64(time.Second/delay))))
	g.Expect(result.Cores).To(And(BeNumerically(">", 0), BeNumerically("<", 2)))

	url, served := slow(t)
	g.Expect(gen.Exactly(t.Context(), url, 100)).To(Succeed())
	g.Expect(served.Load()).To(Equal(int64(100)))

	missing := httptest.NewServer(http.NotFoundHandler())
	defer missing.Close()
	_, err = gen.Wrk(t.Context(), missing.URL, time.Second)
	g.Expect(err).To(MatchError(ContainSubstring("Non-2xx")))
	g.Expect(gen.Exactly(t.Context(), missing.URL, 100)).To(MatchError(ContainSubstring("0 of 100")))
}

func TestDNSPerf(t *testing.T) {
	needs(t, "dnsperf")
	g := NewWithT(t)
	questions := filepath.Join(t.TempDir(), "questions")
	g.Expect(os.WriteFile(questions, []byte(strings.Repeat("a.example A\n", 100)), 0o600)).To(Succeed())
	addr, err := gen.Reflect(t.Context())
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(gen.Repeat(t.Context(), addr, questions, 2)).To(Succeed())
	result, err := gen.DNSPerf(t.Context(), addr, questions, time.Second)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(result.PerSecond).To(BeNumerically(">", 0))

	nobody, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	g.Expect(err).NotTo(HaveOccurred())
	defer nobody.Close()
	g.Expect(gen.Repeat(t.Context(), nobody.LocalAddr().(*net.UDPAddr).AddrPort(), questions, 1)).NotTo(Succeed(), "nothing answers")
}

// The fault takes hold 20 ms after the call, whatever the call says.
func TestInForceWaitsForTheClient(t *testing.T) {
	g := NewWithT(t)
	const late = 20 * time.Millisecond
	var broken atomic.Bool
	probe := func(context.Context) error {
		time.Sleep(100 * time.Microsecond) // as a connection would
		if broken.Load() {
			return errors.New("refused")
		}
		return nil
	}
	change := func(context.Context) error {
		time.AfterFunc(late, func() { broken.Store(true) })
		return nil
	}
	took, err := gen.InForce(t.Context(), probe, change)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(took).To(BeNumerically(">=", late))

	_, err = gen.InForce(t.Context(), func(context.Context) error { return nil }, func(context.Context) error { return errors.New("no such fault") })
	g.Expect(err).To(MatchError(ContainSubstring("no such fault")))
}

// A probe that hangs counts from its start, so the client's own patience is
// not the fault's time; a flicker before the fault is not the fault.
func TestInForceCountsAHangingProbeFromItsStart(t *testing.T) {
	g := NewWithT(t)
	var mu sync.Mutex
	var hangs bool
	var first time.Time
	n := 0
	probe := func(ctx context.Context) error {
		began := time.Now()
		time.Sleep(100 * time.Microsecond)
		mu.Lock()
		n++
		hanging, flicker := hangs, n == 3
		if hanging && first.IsZero() {
			first = began
		}
		mu.Unlock()
		switch {
		case hanging:
			<-ctx.Done()
			return ctx.Err()
		case flicker:
			return errors.New("flicker")
		}
		return nil
	}
	var called time.Time
	took, err := gen.InForce(t.Context(), probe, func(context.Context) error {
		called = time.Now()
		mu.Lock()
		defer mu.Unlock()
		hangs = true
		return nil
	})
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(called.Add(took)).To(BeTemporally("<", first.Add(45*time.Millisecond)), "the 50 ms that the probe waited are not in it")
}

func TestOpenIdle(t *testing.T) {
	g := NewWithT(t)
	var mu sync.Mutex
	states := map[http.ConnState]int{}
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte("ok"))
	}))
	s.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		mu.Lock()
		defer mu.Unlock()
		states[state]++
	}
	s.Start()
	defer s.Close()
	open, err := gen.OpenIdle(t.Context(), netip.MustParseAddrPort(s.Listener.Addr().String()), 50)
	g.Expect(err).NotTo(HaveOccurred())
	count := func(state http.ConnState) func() int {
		return func() int { mu.Lock(); defer mu.Unlock(); return states[state] }
	}
	g.Expect(open).To(HaveLen(50))
	g.Eventually(count(http.StateIdle)).Should(Equal(50))
	g.Expect(count(http.StateClosed)()).To(BeZero())
	open.Close()
	g.Eventually(count(http.StateClosed)).Should(Equal(50))

	closing := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Connection", "close") }))
	defer closing.Close()
	open, err = gen.OpenIdle(t.Context(), netip.MustParseAddrPort(closing.Listener.Addr().String()), 2)
	open.Close()
	g.Expect(err).To(MatchError(ContainSubstring("want it kept")))
}

func TestOrder(t *testing.T) {
	g := NewWithT(t)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPut {
			http.Error(w, "wrong method", http.StatusMethodNotAllowed)
		}
	}))
	defer s.Close()
	g.Expect(gen.Order(t.Context(), http.MethodPut, s.URL, "{}")).To(Succeed())
	g.Expect(gen.Order(t.Context(), http.MethodPost, s.URL, "{}")).To(MatchError(ContainSubstring("got status 405: wrong method")))
}
