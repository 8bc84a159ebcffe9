// Package lab runs the rows of a table: it starts what they compare, measures
// it in turns, and makes the report.
package lab

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/prometheus/procfs"

	"github.com/proxychaos/proxychaos/bench"
	"github.com/proxychaos/proxychaos/bench/gen"
	"github.com/proxychaos/proxychaos/bench/peer"
	"github.com/proxychaos/proxychaos/harness/machine"
	"github.com/proxychaos/proxychaos/harness/meant"
	"github.com/proxychaos/proxychaos/harness/recording"
)

// Lab is what a row needs.
type Lab struct {
	bench.Plan
	*peer.Shop
}

// Row measures one row with what it starts in the lab, which is stopped after
// it. What could not be measured is said in the row.
type Row struct {
	Name string
	Run  func(ctx context.Context, l *Lab) bench.Row
}

// Options say what is run and how.
type Options struct {
	bench.Plan
	Table   string // "bench" or "bench-proxy"
	Command string
	Only    string // name of one row; "" is all
	Binary  string // proxychaos
	Tools   []string
}

// Run measures the rows one after the other, each with programs of its own.
// It returns an error where a row has no such name, or when ctx ends.
func Run(ctx context.Context, rows []Row, o Options) (bench.Report, error) {
	report := bench.Report{Schema: bench.Schema, Table: o.Table, Command: o.Command, Began: time.Now()}
	var err error
	if report.Machine, err = Machine(ctx, o.Tools); err != nil {
		return report, err
	}
	cache, err := peer.Cache()
	if err != nil {
		return report, err
	}
	var names []string
	for _, row := range rows {
		names = append(names, row.Name)
		if o.Only != "" && o.Only != row.Name {
			continue
		}
		fmt.Fprintf(o.Progress, "%s: setting up\n", row.Name)
		measured, err := one(ctx, row, o, cache)
		if err != nil {
			return report, err
		}
		report.Rows = append(report.Rows, measured)
	}
	if len(report.Rows) == 0 {
		return report, fmt.Errorf("there is no row %q%s", o.Only, meant.Hint(o.Only, names))
	}
	report.Took = recording.Of(time.Since(report.Began))
	return report, nil
}

func one(ctx context.Context, row Row, o Options, cache string) (bench.Row, error) {
	dir, err := os.MkdirTemp("", "proxychaos-bench-")
	if err != nil {
		return bench.Row{}, fmt.Errorf("folder for configs and logs: %w", err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	// Workers of nginx and Apache that are not root read from it.
	if err := os.Chmod(dir, 0o755); err != nil {
		return bench.Row{}, fmt.Errorf("folder for configs and logs: %w", err)
	}
	l := &Lab{Plan: o.Plan, Shop: &peer.Shop{Dir: dir, Cache: cache, Binary: o.Binary, Log: o.Progress}}
	defer l.Close()
	measured := row.Run(ctx, l)
	measured.Name = row.Name
	return measured, ctx.Err()
}

// Throughput is a contestant whose figure is what a generator reached. server
// may be nil if err says why. What it passes requests on to is behind it.
func Throughput(who string, server *peer.Server, err error, load func(context.Context, *peer.Server, time.Duration) (gen.Result, error), behind ...*peer.Server) bench.Contestant {
	c := bench.Contestant{Who: who, Err: err}
	if err != nil {
		return c
	}
	c.Version = server.Version
	c.Measure = func(ctx context.Context, d time.Duration) (bench.Sample, error) {
		var result gen.Result
		cores, err := busy(func() (err error) {
			result, err = load(ctx, server, d)
			return err
		}, append([]*peer.Server{server}, behind...)...)
		if err != nil {
			return bench.Sample{}, err
		}
		sample := bench.Sample{Value: result.PerSecond, Generator: result.Cores, Server: cores[0]}
		for _, c := range cores[1:] {
			sample.Behind += c
		}
		return sample, nil
	}
	return c
}

// busy is how many cores each server keeps busy during f.
func busy(f func() error, servers ...*peer.Server) (cores []float64, err error) {
	before, err := spent(servers)
	if err != nil {
		return nil, err
	}
	began := time.Now()
	err = f()
	took := time.Since(began)
	if err != nil {
		return nil, err
	}
	after, err := spent(servers)
	if err != nil {
		return nil, err
	}
	for i := range servers {
		cores = append(cores, (after[i]-before[i]).Seconds()/took.Seconds())
	}
	return cores, nil
}

// spent is the processor time that each server has used so far.
func spent(servers []*peer.Server) ([]time.Duration, error) {
	all := make([]time.Duration, len(servers))
	for i, s := range servers {
		var err error
		if all[i], err = s.CPU(); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// Machine is where a run takes place, as it is before the run.
func Machine(ctx context.Context, tools []string) (bench.Machine, error) {
	host, err := machine.Host()
	if err != nil {
		return bench.Machine{}, err
	}
	proc, err := procfs.NewDefaultFS()
	if err != nil {
		return bench.Machine{}, fmt.Errorf("read /proc: %w", err)
	}
	load, err := proc.LoadAvg()
	if err != nil {
		return bench.Machine{}, fmt.Errorf("load average: %w", err)
	}
	m := bench.Machine{Host: host, Tool: machine.Tool(ctx), LoadBefore: load.Load1, Tools: tools, CPU: "of unknown make"}
	if cpus, err := proc.CPUInfo(); err == nil && len(cpus) > 0 && cpus[0].ModelName != "" {
		m.CPU = cpus[0].ModelName
	}
	return m, nil
}
