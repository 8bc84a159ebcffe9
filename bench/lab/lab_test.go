package lab_test

import (
	"bytes"
	"context"
	"errors"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"github.com/proxychaos/proxychaos/bench"
	"github.com/proxychaos/proxychaos/bench/gen"
	"github.com/proxychaos/proxychaos/bench/lab"
	"github.com/proxychaos/proxychaos/bench/peer"
	"github.com/proxychaos/proxychaos/fakealb"
	"github.com/proxychaos/proxychaos/harness/images"
)

// A row is measured with our own servers, as the rows of the tables are: what
// answers has a figure, what does not start has none and meets no bar.
func TestSmoke(t *testing.T) {
	if _, err := exec.LookPath("h2load"); err != nil {
		t.Fatal("h2load is missing: .ci/packages installs it")
	}
	g := NewWithT(t)
	binary := filepath.Join(t.TempDir(), "proxychaos")
	g.Expect(images.Build(t.Context(), "../..", binary)).To(Succeed())
	const requests = 5000
	var nodes *peer.Server
	row := lab.Row{Name: "smoke", Run: func(ctx context.Context, l *lab.Lab) bench.Row {
		var err error
		nodes, err = l.FakeALB(ctx)
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(l.FakeDNS(ctx, "10.0.0.1")).NotTo(BeNil())
		load := func(ctx context.Context, s *peer.Server, _ time.Duration) (gen.Result, error) {
			began := time.Now()
			err := gen.Exactly(ctx, s.URL(), requests)
			return gen.Result{PerSecond: requests / time.Since(began).Seconds()}, err
		}
		series := l.Measure(ctx, "smoke", []bench.Contestant{
			lab.Throughput("fakealb", nodes, nil, load, nodes), // behind itself, so that both are seen to work
			lab.Throughput("gone", nil, errors.New("not installed"), load),
			lab.Paced("paced", nodes, nil, 50),
		})
		status, err := fakealb.NewClient(nodes.Control, nil).Status(ctx)
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(status.Attempts).To(BeNumerically(">=", 3*requests), "warm-up and two rounds")
		return bench.Row{
			Title: "Smoke", Unit: "requests/s", Stat: bench.Median, Series: series,
			Bars: []bench.Bar{
				{Of: "fakealb", Sense: bench.AtLeast, Factor: 1},
				{Of: "fakealb", Against: "gone", Sense: bench.AtLeast, Factor: 1},
			},
		}
	}}
	var progress bytes.Buffer
	options := lab.Options{
		Plan:  bench.Plan{Rounds: 2, Duration: 2 * time.Second, Progress: &progress},
		Table: "bench", Command: "make bench", Binary: binary,
	}
	report, err := lab.Run(t.Context(), []lab.Row{row}, options)
	g.Expect(err).NotTo(HaveOccurred(), progress.String())
	g.Expect(report.Rows).To(HaveLen(1))
	got := report.Rows[0]
	g.Expect(got.Name).To(Equal("smoke"))
	g.Expect(got.Find("fakealb").Missing).To(BeEmpty(), progress.String())
	g.Expect(got.Find("fakealb").Values).To(HaveLen(2))
	g.Expect(slices.Max(got.Find("fakealb").Server)).To(BeNumerically(">", 0))
	g.Expect(slices.Max(got.Find("fakealb").Behind)).To(BeNumerically(">", 0))
	if paced := got.Find("paced"); paced.Missing == "" {
		g.Expect(paced.Values).To(HaveLen(2))
		g.Expect(paced.Curve).NotTo(BeEmpty())
	} else {
		g.Expect(paced.Missing).To(ContainSubstring("the generator or the cores are the limit"), "a busy machine cannot hold a rate, and says so")
		g.Expect(paced.Values).To(BeEmpty())
	}
	judged := got.Judge()
	g.Expect(judged[0].Outcome).To(Equal(bench.Met))
	g.Expect(judged[1]).To(Equal(bench.Judgement{Bar: "fakealb: at least 1 × gone", Got: "gone: not installed", Outcome: bench.NotMeasured}))
	g.Expect(report.Unmeasured()).To(Equal(1))
	g.Expect(report.Machine.Cores).To(BeNumerically(">", 0))
	g.Expect(report.Machine.CPU).NotTo(BeEmpty())
	g.Expect(progress.String()).To(ContainSubstring("smoke: round 2 of 2: fakealb"))
	_, err = gen.Get(t.Context(), nodes.URL())
	g.Expect(err).To(HaveOccurred(), "it was stopped after its row")
}

func TestUnknownRow(t *testing.T) {
	g := NewWithT(t)
	rows := []lab.Row{{Name: "dns"}, {Name: "http"}}
	_, err := lab.Run(t.Context(), rows, lab.Options{Only: "nope", Plan: bench.Plan{Progress: &bytes.Buffer{}}})
	g.Expect(err).To(MatchError(`there is no row "nope"; there are dns, http`))
}
