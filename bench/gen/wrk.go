package gen

import (
	"context"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// Result is what a generator saw of a closed loop.
type Result struct {
	PerSecond float64 // answers
	Cores     float64 // that the generator kept busy
}

var (
	wrkRate   = regexp.MustCompile(`(?m)^Requests/sec:\s+([\d.]+)$`)
	wrkErrors = regexp.MustCompile(`(?m)^\s*(?:Socket errors|Non-2xx or 3xx responses): .*$`)
)

// Wrk sends GETs to url over [Connections] kept connections for d, at least a
// second, as fast as they are answered. It has one thread, so it can keep one core busy.
func Wrk(ctx context.Context, url string, d time.Duration) (Result, error) {
	out, cores, err := run(ctx, "wrk", "-t1", "-c"+strconv.Itoa(Connections), "-d"+wholeSeconds(d)+"s", url)
	if err != nil {
		return Result{}, err
	}
	return parseWrk(out, cores)
}

func parseWrk(out string, cores float64) (Result, error) {
	if bad := wrkErrors.FindString(out); bad != "" {
		return Result{}, fmt.Errorf("wrk: %s", strings.TrimSpace(bad))
	}
	rate, err := number(out, wrkRate)
	if err == nil && rate == 0 {
		err = fmt.Errorf("no answers")
	}
	if err != nil {
		return Result{}, fmt.Errorf("wrk: %w", err)
	}
	return Result{rate, cores}, nil
}

// wholeSeconds is a duration as wrk and dnsperf take it: whole seconds, at least one.
func wholeSeconds(d time.Duration) string {
	return strconv.Itoa(max(1, int(d.Round(time.Second)/time.Second)))
}
