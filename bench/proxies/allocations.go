package proxies

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/proxychaos/proxychaos/bench"
	"github.com/proxychaos/proxychaos/bench/lab"
)

func allocations(ctx context.Context, l *lab.Lab) bench.Row {
	row := bench.Row{
		Title: "goproxy: allocations of a proxied request", Unit: "allocations", Stat: bench.Median,
		Method: "`go test -run '^$' -bench '" + benchmarks + "' -benchmem ./goproxy`, which drives the proxy with clients and a backend that do not allocate.",
		Bars:   []bench.Bar{{Of: ours, Sense: bench.AtMost, Factor: maxAllocs}},
	}
	out, err := exec.CommandContext(ctx, "go", "test", "-run", "^$", "-bench", benchmarks, "-benchmem",
		"-count", strconv.Itoa(l.Rounds), "./goproxy").CombinedOutput()
	if err != nil {
		return failed(row, fmt.Errorf("go test: %w: %s", err, out))
	}
	if row.Series, err = allocsPerOp(string(out)); err != nil {
		return failed(row, err)
	}
	row.Bars = nil
	for _, s := range row.Series {
		row.Bars = append(row.Bars, bench.Bar{Of: s.Who, Sense: bench.AtMost, Factor: maxAllocs})
		fmt.Fprintln(l.Progress, "allocations:", s.Who, s.Values)
	}
	return row
}

// maxAllocs is the bar.
const maxAllocs = 10

// benchmarks is the pattern of goproxy's benchmark of one request on a kept
// connection; it has a part for each size of the body.
const benchmarks = "^BenchmarkProxy$"

var benchmarkLine = regexp.MustCompile(`(?m)^BenchmarkProxy(?:/(\S+?))?(?:-\d+)?\s.*\s(\d+) allocs/op$`)

// allocsPerOp has a series for each part of the benchmark.
func allocsPerOp(out string) ([]bench.Series, error) {
	var found []bench.Series
	for _, m := range benchmarkLine.FindAllStringSubmatch(out, -1) {
		v, err := strconv.ParseFloat(m[2], 64)
		if err != nil {
			return nil, err
		}
		who := strings.TrimSuffix(ours+", "+m[1], ", ")
		i := slices.IndexFunc(found, func(s bench.Series) bool { return s.Who == who })
		if i < 0 {
			i, found = len(found), append(found, bench.Series{Who: who})
		}
		found[i].Values = append(found[i].Values, v)
	}
	if len(found) == 0 {
		return nil, errors.New("go test ran no benchmark " + benchmarks)
	}
	return found, nil
}
