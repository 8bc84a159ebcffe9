package gen

import (
	"context"
	"fmt"
	"regexp"
	"strconv"
	"time"
)

// Streams is how many requests each connection of HTTP/2 keeps busy.
const Streams = 32

var (
	h2loadDone     = regexp.MustCompile(`(?m)^requests: \d+ total, \d+ started, \d+ done, (\d+) succeeded, `)
	h2loadBad      = regexp.MustCompile(`(?m)^requests: .* succeeded, (?:[1-9]\d* failed|0 failed, [1-9]\d* errored|0 failed, 0 errored, [1-9]\d* timeout).*$`)
	h2loadRate     = regexp.MustCompile(`(?m)^finished in \S+, ([\d.]+) req/s, `)
	h2loadProtocol = regexp.MustCompile(`(?m)^Application protocol: (\S+)$`)
)

// Exactly sends n GETs to url over [Connections] kept connections of HTTP/1.1
// and returns when each was answered with 2xx or 3xx. It is h2load's.
func Exactly(ctx context.Context, url string, n int) error {
	out, _, err := run(ctx, "h2load", "--h1", "-t1", "-c"+strconv.Itoa(Connections), "-n"+strconv.Itoa(n), url)
	if err != nil {
		return err
	}
	return parseH2load(out, n)
}

// HTTP2 sends requests to url by HTTP/2 over [Connections] kept connections with
// [Streams] requests each, for d, at least a second, as fast as they are answered. It is
// h2load's, with one thread; more are its further arguments. Without TLS, HTTP/2 is spoken
// by prior knowledge.
func HTTP2(ctx context.Context, url string, d time.Duration, more ...string) (Result, error) {
	args := append([]string{"-t1", "-c" + strconv.Itoa(Connections), "-m" + strconv.Itoa(Streams), "-D" + wholeSeconds(d)}, more...)
	out, cores, err := run(ctx, "h2load", append(args, url)...)
	if err != nil {
		return Result{}, err
	}
	return parseHTTP2(out, cores)
}

func parseH2load(out string, n int) error {
	done, err := number(out, h2loadDone)
	if err != nil {
		return fmt.Errorf("h2load: %w", err)
	}
	if int(done) != n {
		return fmt.Errorf("h2load: %.0f of %d requests succeeded", done, n)
	}
	return nil
}

func parseHTTP2(out string, cores float64) (Result, error) {
	if bad := h2loadBad.FindString(out); bad != "" {
		return Result{}, fmt.Errorf("h2load: %s", bad)
	}
	if protocol := h2loadProtocol.FindStringSubmatch(out); protocol == nil || (protocol[1] != "h2" && protocol[1] != "h2c") {
		return Result{}, fmt.Errorf("h2load: the connections were not HTTP/2, but %q", protocol)
	}
	done, err := number(out, h2loadDone)
	if err == nil && done == 0 {
		err = fmt.Errorf("no answers")
	}
	if err != nil {
		return Result{}, fmt.Errorf("h2load: %w", err)
	}
	rate, err := number(out, h2loadRate)
	if err != nil {
		return Result{}, fmt.Errorf("h2load: %w", err)
	}
	return Result{rate, cores}, nil
}
