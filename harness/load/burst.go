package load

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"sync"

	"github.com/proxychaos/proxychaos/harness/recording"
)

// Burst is a number of GETs that are all under way at the same time, each on a
// fresh connection, and that the node holds for a while. It spreads over the
// workers of a proxy, because a busy one does not take them all: the warm-up
// after which each worker holds a connection.
type Burst struct {
	recording.Way
	Concurrency int               `json:"concurrency"`  // 1 to 1,000
	Hold        recording.Seconds `json:"hold_seconds"` // 0 or more, below Timeout
	Timeout     recording.Seconds `json:"timeout_seconds"`
}

// BurstResult says what became of the requests of a Burst.
type BurstResult struct {
	Outcomes map[string]int `json:"outcomes"`        // requests by outcome, as in recording.Request
	Error    string         `json:"error,omitempty"` // of one that had no answer
}

const maxConcurrency = 1000

func (b Burst) validate() error {
	if err := validateWay(b.Way); err != nil {
		return err
	}
	if err := validateTimeout(b.Timeout); err != nil {
		return err
	}
	if b.Concurrency < 1 || b.Concurrency > maxConcurrency {
		return invalid("concurrency", "got %d, want 1 to %d", b.Concurrency, maxConcurrency)
	}
	if b.Hold < 0 || b.Hold >= b.Timeout {
		return invalid("hold_seconds", "got %g, want 0 or more and less than timeout_seconds, %g", b.Hold, b.Timeout)
	}
	return nil
}

// Run sends the burst and waits for all its answers.
func (b Burst) Run(ctx context.Context) (BurstResult, error) {
	result := BurstResult{Outcomes: map[string]int{}}
	if err := b.validate(); err != nil {
		return result, err
	}
	transport := transport(b.Way)
	transport.DisableKeepAlives = true
	rows := make([]Row, b.Concurrency)
	var wg sync.WaitGroup
	for i := range rows {
		wg.Go(func() { b.get(ctx, transport, b.Paths[i%len(b.Paths)], &rows[i]) })
	}
	wg.Wait()
	if err := ctx.Err(); err != nil {
		return result, err
	}
	for _, row := range rows {
		result.Outcomes[row.Outcome]++
		if result.Error == "" {
			result.Error = row.Error
		}
	}
	return result, nil
}

func (b Burst) get(ctx context.Context, transport *http.Transport, path string, row *Row) {
	timeout := b.Timeout.Duration()
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	number, client := unnumbered()
	request, err := get(ctx, b.Way, recording.Numbered(path, number), client)
	if err != nil {
		row.failed(err, timeout)
		return
	}
	request.Header.Set(HoldHeader, b.Hold.Duration().String())
	response, err := transport.RoundTrip(request)
	if err != nil {
		row.failed(err, timeout)
		return
	}
	defer response.Body.Close()
	if _, err := io.Copy(io.Discard, response.Body); err != nil {
		row.failed(fmt.Errorf("read the body: %w", err), timeout)
		return
	}
	row.answered(response.StatusCode, response.Header, nil, false)
}
