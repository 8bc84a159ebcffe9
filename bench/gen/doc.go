// Package gen loads programs and measures them: with well-known generators
// (wrk, h2load, dnsperf, vegeta as a library), and with a few clients of its
// own for what they cannot see.
//
// A generator that saw errors returns one: a figure is of answers, not of
// refusals.
package gen

import (
	"bytes"
	"context"
	"fmt"
	"os/exec"
	"regexp"
	"strconv"
	"time"
)

// Connections is how many client connections every throughput test keeps busy.
const Connections = 32

// run runs a generator to its end and returns its output and how many cores it
// kept busy.
func run(ctx context.Context, name string, args ...string) (output string, cores float64, err error) {
	cmd := exec.CommandContext(ctx, name, args...)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	began := time.Now()
	if err := cmd.Run(); err != nil {
		return "", 0, fmt.Errorf("%s: %w: %s", name, err, bytes.TrimSpace(out.Bytes()))
	}
	used := cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	return out.String(), used.Seconds() / time.Since(began).Seconds(), nil
}

// number is the first group of pattern in output.
func number(output string, pattern *regexp.Regexp) (float64, error) {
	m := pattern.FindStringSubmatch(output)
	if m == nil {
		return 0, fmt.Errorf("got no %q in the output: %s", pattern, output)
	}
	return strconv.ParseFloat(m[1], 64)
}
