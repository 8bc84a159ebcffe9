package soak

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	vegeta "github.com/tsenart/vegeta/v12/lib"

	"github.com/proxychaos/proxychaos/bench"
	"github.com/proxychaos/proxychaos/harness/recording"
)

const (
	inFlight       = 256              // requests at most
	requestTimeout = 10 * time.Second // then one has failed
	idleTimeout    = 5 * time.Second  // of connections that a burst of requests left
	postEvery      = 10               // every so many requests one is a POST
	mostFailures   = 1000             // that are kept with their reasons
	seqHeader      = "X-Proxychaos-Seq"
)

// tally counts what becomes of the load while it runs.
type tally struct {
	numbers atomic.Int64 // given to requests

	mu       sync.Mutex
	sent     int
	failed   int
	failures []Failure
	second   []float64 // latencies since the last sample, in ms
	last     time.Time // when the last request was sent
	posts    map[int]int
	twice    int
}

// counted paces a number of requests, however long they take.
type counted struct {
	vegeta.ConstantPacer
	most uint64
}

// Pace implements vegeta.Pacer.
func (c counted) Pace(elapsed time.Duration, sent uint64) (time.Duration, bool) {
	if sent >= c.most {
		return 0, true
	}
	return c.ConstantPacer.Pace(elapsed, sent)
}

func (s *stage) planned() int { return int(float64(s.Rate) * s.Duration.Seconds()) }

// attack sends the load, open loop, until it is over or ctx ends.
func (s *stage) attack(ctx context.Context) {
	transport := &http.Transport{MaxIdleConnsPerHost: inFlight, IdleConnTimeout: idleTimeout, DisableCompression: true}
	defer transport.CloseIdleConnections()
	attacker := vegeta.NewAttacker(
		vegeta.Client(&http.Client{Transport: once{transport}, Timeout: requestTimeout}),
		vegeta.Workers(16), vegeta.MaxWorkers(inFlight), vegeta.MaxBody(0),
	)
	defer context.AfterFunc(ctx, func() { attacker.Stop() })()
	target := func(t *vegeta.Target) error {
		n := s.load.numbers.Add(1)
		t.Method, t.URL, t.Body = http.MethodGet, s.proxy.URL(), nil
		t.Header = http.Header{seqHeader: {strconv.FormatInt(n, 10)}}
		if n%postEvery == 0 {
			t.Method, t.Body = http.MethodPost, fmt.Appendf(nil, "order %d", n)
		}
		return nil
	}
	pace := counted{vegeta.ConstantPacer{Freq: s.Rate, Per: time.Second}, uint64(s.planned())}
	for result := range attacker.Attack(target, pace, 0, "") {
		s.load.take(s, result)
	}
}

func (l *tally) take(s *stage, r *vegeta.Result) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.sent++
	l.second = append(l.second, float64(r.Latency)/float64(time.Millisecond))
	if r.Timestamp.After(l.last) {
		l.last = r.Timestamp
	}
	if r.Code == http.StatusOK {
		return
	}
	l.failed++
	if len(l.failures) < mostFailures {
		l.failures = append(l.failures, Failure{
			At: recording.Of(s.since(r.Timestamp)), Took: recording.Of(r.Latency), Method: r.Method, Status: r.Code, Error: r.Error,
		})
	}
}

// posted counts a POST that reached a node.
func (l *tally) posted(seq string) {
	n, err := strconv.Atoi(seq)
	if err != nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.posts[n]++; l.posts[n] == 2 {
		l.twice++
	}
}

// lately returns the failed requests so far, and percentiles of the latencies
// since it was called before.
func (l *tally) lately() (failed int, p50, p99 float64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.second) > 0 {
		p50, p99 = bench.Quantile(l.second, 0.5), bench.Quantile(l.second, 0.99)
		l.second = l.second[:0]
	}
	return l.failed, p50, p99
}

func (l *tally) sum(s *stage) Load {
	l.mu.Lock()
	defer l.mu.Unlock()
	planned := s.planned()
	late := s.since(l.last) - time.Duration(float64(planned-1)/float64(s.Rate)*float64(time.Second))
	return Load{
		Planned: planned, Sent: l.sent, Posts: l.sent / postEvery, Failed: l.failed, Failures: l.failures,
		Twice: l.twice, Late: recording.Of(max(0, late)),
	}
}
