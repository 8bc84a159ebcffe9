package fakes

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"

	"github.com/proxychaos/proxychaos/bench"
	"github.com/proxychaos/proxychaos/bench/gen"
	"github.com/proxychaos/proxychaos/bench/lab"
	"github.com/proxychaos/proxychaos/bench/peer"
)

// recorded is how many requests are recorded.
const recorded = 1_000_000

func memory(ctx context.Context, l *lab.Lab) bench.Row {
	row := bench.Row{
		Title: "Memory for 1,000,000 recorded requests", Unit: "MiB", Stat: bench.Median,
		Method: "The whole resident memory of a process that was sent exactly 1,000,000 requests (h2load) or queries (dnsperf). " +
			"Then all rows are fetched and counted: with one missing there is no figure.",
		Bars: []bench.Bar{
			{Of: "fakealb", Sense: bench.AtMost, Factor: 300},
			{Of: "fakedns", Sense: bench.AtMost, Factor: 300},
		},
	}
	var note string
	var alb bench.Series
	alb, note = fakealbMemory(ctx, l)
	row.Series = []bench.Series{alb, fakednsMemory(ctx, l)}
	if note != "" {
		row.Notes = []string{note}
	}
	for _, s := range row.Series {
		fmt.Fprintln(l.Progress, "memory:", s.Who, s.Values, s.Missing)
	}
	return row
}

func fakealbMemory(ctx context.Context, l *lab.Lab) (series bench.Series, note string) {
	series.Who = "fakealb"
	server, err := l.FakeALB(ctx)
	if err == nil {
		err = gen.Exactly(ctx, server.URL(), recorded)
	}
	var mib float64
	if err == nil {
		mib, err = holds(ctx, server, server.Control+"/v1/records/attempts")
	}
	if err != nil {
		series.Missing = err.Error()
		return series, ""
	}
	series.Values = []float64{mib}
	if heap := liveHeap(server); heap != "" {
		note = "fakealb's live heap after its last garbage collection under load: " + heap + " MiB, 16 of them a floor that is never touched (fakealb/command.go)."
	}
	return series, note
}

func fakednsMemory(ctx context.Context, l *lab.Lab) bench.Series {
	series := bench.Series{Who: "fakedns"}
	questions, err := questionFile(l.Dir)
	var server *peer.Server
	if err == nil {
		server, err = l.FakeDNS(ctx, addresses...)
	}
	if err == nil {
		err = gen.Repeat(ctx, server.Addr, questions, recorded/len(peer.Names()))
	}
	var mib float64
	if err == nil {
		mib, err = holds(ctx, server, server.Control+"/v1/queries")
	}
	if err != nil {
		series.Missing = err.Error()
		return series
	}
	series.Values = []float64{mib}
	return series
}

// holds returns the memory of server in MiB, if it gives all rows.
func holds(ctx context.Context, server *peer.Server, rows string) (float64, error) {
	bytes, err := server.Memory()
	if err != nil {
		return 0, err
	}
	n, err := countRows(ctx, rows)
	if err == nil && n != recorded {
		err = fmt.Errorf("it gives %d rows, want %d", n, recorded)
	}
	return float64(bytes) / (1 << 20), err
}

// countRows counts the lines of an NDJSON stream.
func countRows(ctx context.Context, url string) (n int, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return 0, err
	}
	request.Header.Set("Accept", "application/x-ndjson")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, err
	}
	defer response.Body.Close()
	for lines := bufio.NewReaderSize(response.Body, 1<<20); ; {
		_, err := lines.ReadSlice('\n')
		switch {
		case errors.Is(err, io.EOF):
			return n, nil
		case err != nil:
			return n, fmt.Errorf("row %d: %w", n+1, err)
		}
		n++
	}
}

// gcLine has the heap at the start and end of a collection and what was live.
var gcLine = regexp.MustCompile(`gc \d+ .* \d+->\d+->(\d+) MB,`)

// liveHeap is the last one in the log of a server with gctrace.
func liveHeap(server *peer.Server) string {
	out, err := server.Output()
	if err != nil {
		return ""
	}
	return lastLive(out)
}

func lastLive(log []byte) string {
	all := gcLine.FindAllSubmatch(log, -1)
	if len(all) == 0 {
		return ""
	}
	return string(all[len(all)-1][1])
}
