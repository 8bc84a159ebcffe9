package gen

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"time"

	vegeta "github.com/tsenart/vegeta/v12/lib"
)

// paceTimeout is how long one request may take before the measurement fails.
const paceTimeout = 5 * time.Second

// Pace sends GETs to url at a constant rate for d, whatever the answers take,
// and returns the latency of each from the moment it was sent. It is vegeta's
// open loop, so a slow answer does not hold back the next request. Any answer
// but 200 is an error, and so is a rate that was not held: then something else
// than the latency was measured.
func Pace(ctx context.Context, url string, rate int, d time.Duration) ([]time.Duration, error) {
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

// leastRate is the share of the asked rate that has to be reached.
const leastRate = 0.98

func heldRate(rate, requests int, took time.Duration) error {
	got := float64(requests-1) / took.Seconds()
	if requests < 2 || got < leastRate*float64(rate) {
		return fmt.Errorf("got %.0f requests/s, want %d: the generator or the cores are the limit", got, rate)
	}
	return nil
}

// Get sends one GET over a connection of its own and reads the whole answer.
func Get(ctx context.Context, url string) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	transport := &http.Transport{DisableKeepAlives: true}
	response, err := transport.RoundTrip(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if _, err := io.Copy(io.Discard, response.Body); err != nil {
		return err
	}
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("GET %s: got status %d, want 200", url, response.StatusCode)
	}
	return nil
}
