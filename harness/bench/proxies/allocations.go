package proxies

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"regexp"
	"strconv"

	"github.com/proxychaos/proxychaos/harness/bench"
	"github.com/proxychaos/proxychaos/harness/bench/lab"
)

func allocations(ctx context.Context, l *lab.Lab) bench.Row {
	row := bench.Row{
		Title: "goproxy: allocations of a proxied request", Unit: "allocations", Stat: bench.Median,
		Method: "`go test -run '^$' -bench '" + benchmarks + "' -benchmem ./goproxy`, which drives the proxy with clients and a backend that do not allocate.",
		Bars:   []bench.Bar{{Of: ours, Sense: bench.AtMost, Factor: 10}},
	}
	out, err := exec.CommandContext(ctx, "go", "test", "-run", "^$", "-bench", benchmarks, "-benchmem",
		"-count", strconv.Itoa(l.Rounds), "./goproxy").CombinedOutput()
	if err != nil {
		return failed(row, fmt.Errorf("go test: %w: %s", err, out))
	}
	values, err := allocsPerOp(string(out))
	if err != nil {
		return failed(row, err)
	}
	row.Series = []bench.Series{{Who: ours, Values: values}}
	fmt.Fprintln(l.Progress, "allocations:", values)
	return row
}

// benchmarks is the pattern of goproxy's benchmark of one small GET over kept
// connections.
const benchmarks = "^BenchmarkProxy$"

var benchmarkLine = regexp.MustCompile(`(?m)^Benchmark\S+\s.*\s(\d+) allocs/op$`)

func allocsPerOp(out string) ([]float64, error) {
	var values []float64
	for _, m := range benchmarkLine.FindAllStringSubmatch(out, -1) {
		v, err := strconv.ParseFloat(m[1], 64)
		if err != nil {
			return nil, err
		}
		values = append(values, v)
	}
	if len(values) == 0 {
		return nil, errors.New("go test ran no benchmark " + benchmarks)
	}
	return values, nil
}
