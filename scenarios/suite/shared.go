//go:build scenario

package suite

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"

	"github.com/onsi/ginkgo/v2"
	"github.com/onsi/ginkgo/v2/types"
	"github.com/onsi/gomega"

	"github.com/proxychaos/proxychaos/harness/run"
)

// Root is the folder of the checkout, where make puts recordings and programs; the
// current one if this is none.
func Root() string {
	dir, err := os.Getwd() // asked before there is a spec that could fail
	if err != nil {
		return "."
	}
	for at := dir; at != filepath.Dir(at); at = filepath.Dir(at) {
		if _, err := os.Stat(filepath.Join(at, "go.mod")); err == nil {
			return at
		}
	}
	return dir
}

// Runs is the folder of the recordings: a relative one is in the checkout.
func Runs(asked string) string {
	if filepath.IsAbs(asked) {
		return asked
	}
	return filepath.Join(Root(), asked)
}

// Options are those given, with recordings and progress where they can be read while the
// suite runs: Ginkgo keeps what parallel processes print until the end.
func Options(opt run.Options) run.Options {
	opt.Runs = Runs(opt.Runs)
	opt.Make, opt.InstallEngine = true, true
	if path := os.Getenv("PROGRESS"); path != "" {
		progress, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0)
		gomega.Expect(err).NotTo(gomega.HaveOccurred())
		ginkgo.DeferCleanup(progress.Close)
		opt.Log = progress
	}
	return opt
}

// specs are those of this suite that will be run, once Count was told.
var specs int

// Count is for ReportBeforeSuite: only Ginkgo knows which specs its filters leave.
func Count(report ginkgo.Report) { specs = report.PreRunStats.SpecsThatWillRun }

// Open is for the first process of a suite: it opens the engine, makes the image of the
// agents, starts the reaper, and fetches the images of the cells. It returns what the
// others need for Join.
func Open(ctx context.Context, opt run.Options, cells []run.Cell) []byte {
	first, err := run.Open(ctx, Options(opt))
	ginkgo.DeferCleanup(first.Close)
	gomega.Expect(err).NotTo(gomega.HaveOccurred())
	first.Fetch(ctx, cells)
	config, _ := ginkgo.GinkgoConfiguration()
	first.Expect(min(specs, len(cells)), config.ParallelTotal)
	shared, err := json.Marshal(first.Shared())
	gomega.Expect(err).NotTo(gomega.HaveOccurred())
	return shared
}

// Join is a process's part of what Open has opened, with options of its own.
func Join(opt run.Options, text []byte) *run.Lab {
	var shared run.Shared
	gomega.Expect(json.Unmarshal(text, &shared)).To(gomega.Succeed())
	lab, err := run.Join(Options(opt), shared)
	ginkgo.DeferCleanup(lab.Close)
	gomega.Expect(err).NotTo(gomega.HaveOccurred())
	return lab
}

// Entry reads what a spec has left under a name, whether in this process or another; false
// if it left nothing.
func Entry(spec types.SpecReport, name string, into any) bool {
	for _, e := range spec.ReportEntries {
		if e.Name != name {
			continue
		}
		text := []byte(e.Value.AsJSON)
		if len(text) == 0 {
			var err error
			text, err = json.Marshal(e.Value.GetRawValue())
			gomega.Expect(err).NotTo(gomega.HaveOccurred())
		}
		gomega.Expect(json.Unmarshal(text, into)).To(gomega.Succeed())
		return true
	}
	return false
}

// Told says to whoever started the suite (.ci/suite) that its table, which has an entry of
// each spec that failed, says all that Ginkgo does.
func Told(report types.Report, entry string) error {
	path := os.Getenv("TABLE")
	if path == "" || len(report.SpecialSuiteFailureReasons) > 0 {
		return nil
	}
	for _, spec := range report.SpecReports {
		if !spec.Failed() {
			continue
		}
		inTable := slices.ContainsFunc(spec.ReportEntries, func(e types.ReportEntry) bool { return e.Name == entry })
		if !inTable || spec.State != types.SpecStateFailed {
			return nil
		}
	}
	return os.WriteFile(path+".told", nil, 0o600)
}

// Table is where the table goes: Ginkgo frames what is printed. Close it if it is not
// standard output.
func Table() (*os.File, error) {
	if path := os.Getenv("TABLE"); path != "" {
		return os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	}
	return os.Stdout, nil
}
