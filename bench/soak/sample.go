package soak

import (
	"context"
	"fmt"
	"net/http"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"github.com/proxychaos/proxychaos/harness/recording"
)

const (
	sampleEvery = time.Second
	reportEvery = 30 // samples
)

// sample looks at the proxy every second until ctx ends.
func (s *stage) sample(ctx context.Context) []Sample {
	var all []Sample
	for n := 1; until(ctx, s.began.Add(time.Duration(n)*sampleEvery)); n++ {
		one, err := s.look(ctx)
		if ctx.Err() != nil {
			break
		}
		if err != nil {
			fmt.Fprintf(s.Progress, "%.0f s: no sample: %v\n", one.At, err)
			continue
		}
		all = append(all, one)
		if n%reportEvery == 0 {
			fmt.Fprintf(s.Progress, "%.0f s: %d failed, %.1f MiB, %.0f goroutines, %.0f open files, p99 %.1f ms\n",
				one.At, one.Failed, one.MiB, one.Goroutines, one.OpenFiles, one.P99)
		}
	}
	return all
}

func (s *stage) look(ctx context.Context) (Sample, error) {
	one := Sample{At: recording.Of(time.Since(s.began))}
	one.Failed, one.P50, one.P99 = s.load.lately()
	memory, err := s.proxy.Memory()
	if err != nil {
		return one, err
	}
	one.MiB = float64(memory) / (1 << 20)
	for _, fake := range s.fakes {
		memory, err := fake.Memory()
		if err != nil {
			return one, err
		}
		one.FakesMiB += float64(memory) / (1 << 20)
	}
	metrics, err := scrape(ctx, s.proxy.Control+"/metrics")
	if err != nil {
		return one, err
	}
	for of, into := range map[string]*float64{"go_goroutines": &one.Goroutines, "process_open_fds": &one.OpenFiles, "goproxy_attempts_total": &one.Again} {
		family := metrics[of]
		if family == nil {
			return one, fmt.Errorf("%s/metrics has no %s", s.proxy.Control, of)
		}
		for _, m := range family.GetMetric() {
			if !isFirst(m) {
				*into += m.GetGauge().GetValue() + m.GetCounter().GetValue()
			}
		}
	}
	return one, nil
}

// isFirst reports whether a metric counts first attempts.
func isFirst(m *dto.Metric) bool {
	for _, label := range m.GetLabel() {
		if label.GetName() == "reason" && label.GetValue() == "first" {
			return true
		}
	}
	return false
}

func scrape(ctx context.Context, url string) (map[string]*dto.MetricFamily, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	parser := expfmt.NewTextParser(model.UTF8Validation)
	metrics, err := parser.TextToMetricFamilies(resp.Body)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", url, err)
	}
	return metrics, nil
}
