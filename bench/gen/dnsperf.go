package gen

import (
	"context"
	"fmt"
	"net/netip"
	"regexp"
	"strconv"
	"strings"
	"time"
)

var (
	dnsRate  = regexp.MustCompile(`(?m)^\s*Queries per second:\s+([\d.]+)$`)
	dnsSent  = regexp.MustCompile(`(?m)^\s*Queries sent:\s+(\d+)$`)
	dnsDone  = regexp.MustCompile(`(?m)^\s*Queries completed:\s+(\d+) `)
	dnsCodes = regexp.MustCompile(`(?m)^\s*Response codes:\s+(.*)$`)
)

// maxLost is the share of queries that may go unanswered: UDP loses some when
// a buffer is full. Only answers are counted.
const maxLost = 0.01

// DNSPerf asks server over UDP the questions of a file for d, at least a
// second, with at most 100 unanswered at a time.
func DNSPerf(ctx context.Context, server netip.AddrPort, questions string, d time.Duration) (Result, error) {
	return dnsperf(ctx, server, questions, "-l", wholeSeconds(d))
}

// Repeat asks server the questions of a file n times over, and returns an error
// unless all were answered.
func Repeat(ctx context.Context, server netip.AddrPort, questions string, n int) error {
	out, _, err := run(ctx, "dnsperf", append(dnsArgs(server, questions), "-n", strconv.Itoa(n))...)
	if err != nil {
		return err
	}
	_, lost, err := parseDNSPerf(out)
	if err == nil && lost > 0 {
		err = fmt.Errorf("dnsperf: %.4f %% of the queries got no answer", 100*lost)
	}
	return err
}

func dnsArgs(server netip.AddrPort, questions string) []string {
	return []string{
		"-s", server.Addr().String(), "-p", strconv.Itoa(int(server.Port())),
		"-d", questions, "-c", "4", "-T", "1", "-q", "100", "-t", "1",
	}
}

func dnsperf(ctx context.Context, server netip.AddrPort, questions string, limit ...string) (Result, error) {
	out, cores, err := run(ctx, "dnsperf", append(dnsArgs(server, questions), limit...)...)
	if err != nil {
		return Result{}, err
	}
	rate, lost, err := parseDNSPerf(out)
	if err == nil && lost > maxLost {
		err = fmt.Errorf("dnsperf: %.1f %% of the queries got no answer", 100*lost)
	}
	return Result{rate, cores}, err
}

func parseDNSPerf(out string) (rate, lost float64, err error) {
	var sent, done float64
	for _, f := range []struct {
		to      *float64
		pattern *regexp.Regexp
	}{{&rate, dnsRate}, {&sent, dnsSent}, {&done, dnsDone}} {
		if *f.to, err = number(out, f.pattern); err != nil {
			return 0, 0, fmt.Errorf("dnsperf: %w", err)
		}
	}
	codes := dnsCodes.FindStringSubmatch(out)
	switch {
	case done == 0 || codes == nil:
		return 0, 0, fmt.Errorf("dnsperf: no answers")
	case !strings.HasPrefix(codes[1], "NOERROR") || strings.Contains(codes[1], ","):
		return 0, 0, fmt.Errorf("dnsperf: got response codes %s, want NOERROR only", codes[1])
	}
	return rate, 1 - done/sent, nil
}
