package load

import (
	"context"
	"math"
	"net/http"
	"time"

	vegeta "github.com/tsenart/vegeta/v12/lib"

	"github.com/proxychaos/proxychaos/harness/recording"
)

// maxBody is how much of a body is looked at; the rest is read and dropped.
const maxBody = 64 << 10

// headStart is how long before the first request the workers are made, so that
// it is not them that the first requests wait for.
const headStart = 50 * time.Millisecond

// Run sends the load and calls each for every request once it has ended, in
// the order of the ends, from one goroutine. It returns when all have ended:
// nil, a *Error for a wrong spec, or the error of ctx, which stops the load;
// requests that were under way then are not reported. A proxy that fails
// requests is no error.
func Run(ctx context.Context, spec Spec, each func(Row)) error {
	now := time.Now()
	if err := spec.validate(now); err != nil {
		return err
	}
	start := now // with its monotonic reading, so that a clock step does no harm
	if !spec.StartAt.IsZero() {
		start = now.Add(spec.StartAt.Sub(now))
	}
	if err := sleep(ctx, time.Until(start)-headStart); err != nil {
		return err
	}
	users := newUsers(ctx, spec)
	defer users.close()
	attacker := vegeta.NewAttacker(
		vegeta.Client(&http.Client{Transport: users, CheckRedirect: followNone}),
		vegeta.Workers(workers(spec)),
		vegeta.MaxBody(maxBody),
	)
	defer context.AfterFunc(ctx, func() { attacker.Stop() })()
	target := vegeta.NewStaticTargeter(vegeta.Target{Method: http.MethodGet, URL: spec.Target})
	for result := range attacker.Attack(target, schedule{spec, start}, 0, "") {
		row := Row{
			Seq:     result.Seq + 1,
			Method:  spec.method(result.Seq + 1),
			Due:     start.Add(spec.due(result.Seq)),
			Sent:    result.Timestamp,
			Latency: recording.Of(result.Latency),
			Resent:  users.wasResent(result.Seq + 1),
			Session: users.session(result.Seq + 1),
		}
		failure := users.failure(row.Seq)
		switch {
		case ctx.Err() != nil && (failure != nil || result.Code == 0):
			continue // ended by us
		case failure != nil:
			row.failed(failure, spec.Timeout.Duration())
		case result.Code == 0:
			row.failed(errNoAnswer(result.Error), spec.Timeout.Duration())
		default:
			row.answered(int(result.Code), result.Headers, result.Body, spec.CheckBody)
		}
		each(row)
	}
	return ctx.Err()
}

// workers is how many goroutines are made beforehand: enough for every request
// to run into its timeout, so that none has to be made while a proxy stalls.
func workers(spec Spec) uint64 {
	inFlight := float64(spec.Rate) * math.Min(float64(spec.Timeout), float64(spec.Duration))
	return uint64(math.Min(inFlight+10, 4096))
}

// schedule is the vegeta.Pacer of a constant rate. Unlike vegeta's own it
// counts from a given time, the first request is due at once, and it ends by
// the number of requests: the last is sent even when it is late.
type schedule struct {
	spec  Spec
	start time.Time
}

func (s schedule) Pace(_ time.Duration, hits uint64) (time.Duration, bool) {
	if hits >= uint64(s.spec.total()) {
		return 0, true
	}
	return time.Until(s.start.Add(s.spec.due(hits))), false
}

func (s schedule) Rate(time.Duration) float64 { return float64(s.spec.Rate) }

// errNoAnswer is the text of an error that net/http made of an answer it could
// not use.
type errNoAnswer string

func (e errNoAnswer) Error() string { return string(e) }

func followNone(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
