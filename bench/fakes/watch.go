package fakes

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"regexp"
	"strconv"
	"time"

	"github.com/proxychaos/proxychaos/bench"
	"github.com/proxychaos/proxychaos/bench/lab"
	"github.com/proxychaos/proxychaos/harness/pod"
)

// watched is how many cells are watched at a time.
const watched = 4

// watcher is who is measured in its row.
const watcher = "pod"

// watch is what looking at sockets costs while cells run.
func watch(ctx context.Context, l *lab.Lab) bench.Row {
	row := bench.Row{
		Title: "What watching four cells costs", Unit: "% of a core", Digits: 1, Stat: bench.Median,
		Method: fmt.Sprintf("A pod lists the established TCP sockets of its cell every %v. `go test -run '^$' -bench '%s' ./harness/pod` is what one list costs on this machine, whose kernel walks its whole table of connections for it; "+
			"the figure is that of four cells. What a new connection costs is not in it.", pod.DefaultInterval, lookBenchmark),
		Bars: []bench.Bar{{Of: watcher, Sense: bench.AtMost, Factor: 5}},
	}
	out, err := exec.CommandContext(ctx, "go", "test", "-run", "^$", "-bench", lookBenchmark, "-count", strconv.Itoa(l.Rounds), "./harness/pod").CombinedOutput()
	if err != nil {
		return failed(row, fmt.Errorf("go test: %w: %s", err, out))
	}
	looks, err := looksOf(string(out))
	if err != nil {
		return failed(row, err)
	}
	series := bench.Series{Who: watcher}
	for _, took := range looks {
		series.Values = append(series.Values, 100*watched*took.Seconds()/pod.DefaultInterval.Seconds())
	}
	fmt.Fprintln(l.Progress, "watch:", series.Values)
	row.Series = []bench.Series{series}
	return row
}

// lookBenchmark is the pattern of the benchmark of one list of sockets.
const lookBenchmark = "^BenchmarkSockets$"

var lookLine = regexp.MustCompile(`(?m)^BenchmarkSockets(?:-\d+)?\s+\d+\s+([\d.]+) ns/op`)

// looksOf is what one list took, in each round of the benchmark.
func looksOf(out string) (looks []time.Duration, err error) {
	for _, m := range lookLine.FindAllStringSubmatch(out, -1) {
		ns, err := strconv.ParseFloat(m[1], 64)
		if err != nil {
			return nil, err
		}
		looks = append(looks, time.Duration(ns))
	}
	if len(looks) == 0 {
		return nil, errors.New("go test ran no benchmark " + lookBenchmark)
	}
	return looks, nil
}
