package fakes

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/proxychaos/proxychaos/bench"
	"github.com/proxychaos/proxychaos/bench/gen"
	"github.com/proxychaos/proxychaos/bench/lab"
	"github.com/proxychaos/proxychaos/bench/peer"
	"github.com/proxychaos/proxychaos/fakedns"
)

// addresses are what every name has: two, as an ALB in two zones.
var addresses = []string{"10.0.0.1", "10.0.1.1"}

func dns(ctx context.Context, l *lab.Lab) bench.Row {
	row := bench.Row{
		Title: "fakedns: answers over UDP, with its log on", Unit: "answers/s", Stat: bench.Median,
		Method: "dnsperf asks for the A records of 100 names with 2 addresses each, with at most 100 unanswered. " +
			"fakedns keeps its query log, CoreDNS has `file` and `log`, each dnsmasq a hosts file. " +
			"The reflector only sends packets back: what dnsperf itself can do here.",
		Bars: []bench.Bar{
			{Of: "fakedns", Against: "CoreDNS", Sense: bench.AtLeast, Factor: 2.5},
			{Of: "fakedns", Against: "dnsmasq", Sense: bench.AtLeast, Factor: 1.2},
		},
	}
	questions, err := questionFile(l.Dir)
	if err != nil {
		return failed(row, err)
	}
	load := func(ctx context.Context, s *peer.Server, d time.Duration) (gen.Result, error) {
		return gen.DNSPerf(ctx, s.Addr, questions, d)
	}
	fresh := func(ctx context.Context, s *peer.Server, d time.Duration) (gen.Result, error) {
		// Each round begins with an empty log, as the peers' files cost nothing to have grown.
		if _, err := fakedns.NewClient(s.Control, nil).Reset(ctx); err != nil {
			return gen.Result{}, err
		}
		return load(ctx, s, d)
	}
	ours, errOurs := l.FakeDNS(ctx, addresses...)
	coredns, errCore := l.CoreDNS(ctx, addresses...)
	quiet, errQuiet := l.Dnsmasq(ctx, false, addresses...)
	logged, errLogged := l.Dnsmasq(ctx, true, addresses...)
	row.Series = l.Measure(ctx, "dns", []bench.Contestant{
		lab.Throughput("fakedns", ours, errOurs, fresh),
		lab.Throughput("CoreDNS", coredns, errCore, load),
		lab.Throughput("dnsmasq", quiet, errQuiet, load),
		lab.Throughput("dnsmasq with log-queries", logged, errLogged, load),
		reflector(ctx, questions),
	})
	return row
}

func reflector(ctx context.Context, questions string) bench.Contestant {
	addr, err := gen.Reflect(ctx)
	return bench.Contestant{
		Who: "reflector (limit of dnsperf)", Err: err,
		Measure: func(ctx context.Context, d time.Duration) (bench.Sample, error) {
			result, err := gen.DNSPerf(ctx, addr, questions, d)
			return bench.Sample{Value: result.PerSecond, Generator: result.Cores}, err
		},
	}
}

func questionFile(dir string) (string, error) {
	path := filepath.Join(dir, "questions")
	if err := os.WriteFile(path, []byte(strings.Join(peer.Names(), " A\n")+" A\n"), 0o644); err != nil {
		return "", fmt.Errorf("write the questions: %w", err)
	}
	return path, nil
}

// failed is a row for which nothing could be set up.
func failed(row bench.Row, err error) bench.Row {
	for _, b := range row.Bars {
		row.Series = append(row.Series, bench.Series{Who: b.Of, Missing: err.Error()})
	}
	return row
}
