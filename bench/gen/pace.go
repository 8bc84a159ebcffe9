package gen

import (
	"context"
	"fmt"
	"net/http"
	"runtime"
	"runtime/debug"
	"time"

	vegeta "github.com/tsenart/vegeta/v12/lib"
)

// paceTimeout is how long one request may take before the measurement fails.
const paceTimeout = 5 * time.Second

// Pace sends GETs to url at a constant rate for d, whatever the answers take,
// and returns the latency of each from the moment it was sent. It is vegeta's
// open loop, so a slow answer does not hold back the next request. Nothing is
// collected meanwhile: it would be the generator's pause, told of whoever answers
// just then. Any answer but 200 is an error. So is a rate that was not held, beside the latencies: then
// they are of something else.
func Pace(ctx context.Context, url string, rate int, d time.Duration) ([]time.Duration, error) {
	runtime.GC()
	defer debug.SetGCPercent(debug.SetGCPercent(-1))
	transport := &http.Transport{MaxIdleConns: 0, MaxIdleConnsPerHost: 1024, DisableCompression: true}
	defer transport.CloseIdleConnections()
	attacker := vegeta.NewAttacker(
		vegeta.Client(&http.Client{Transport: transport, Timeout: paceTimeout}),
		vegeta.Workers(Connections), vegeta.MaxBody(0),
	)
	defer context.AfterFunc(ctx, func() { attacker.Stop() })()
	target := vegeta.NewStaticTargeter(vegeta.Target{Method: http.MethodGet, URL: url})
	var latencies []time.Duration
	var failed error
	var first, last time.Time
	for r := range attacker.Attack(target, vegeta.Rate{Freq: rate, Per: time.Second}, d, "") {
		if first.IsZero() || r.Timestamp.Before(first) {
			first = r.Timestamp
		}
		if r.Timestamp.After(last) {
			last = r.Timestamp
		}
		if r.Code != http.StatusOK && failed == nil {
			failed = fmt.Errorf("request %d: got status %d (%s), want 200", r.Seq, r.Code, r.Error)
		}
		latencies = append(latencies, r.Latency)
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if failed != nil {
		return nil, failed
	}
	return latencies, heldRate(rate, len(latencies), last.Sub(first))
}

// backlog is how far behind its plan the last request may be. vegeta makes up
// for single late requests, so more means that the rate could not be held.
const backlog = 250 * time.Millisecond

func heldRate(rate, requests int, took time.Duration) error {
	if requests < 2 {
		return fmt.Errorf("got %d requests, want at least 2: measure for longer", requests)
	}
	if planned := time.Duration(requests-1) * time.Second / time.Duration(rate); took > planned+backlog {
		return fmt.Errorf("got %.0f requests/s, want %d: the generator or the cores are the limit", float64(requests-1)/took.Seconds(), rate)
	}
	return nil
}
