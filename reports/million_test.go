package reports

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"os"
	"runtime/debug"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/proxychaos/proxychaos/harness/judge"
	"github.com/proxychaos/proxychaos/harness/kind"
	"github.com/proxychaos/proxychaos/harness/recording"
)

// What a page of a million requests may take.
const (
	million       = 1_000_000
	largestPage   = 5 << 20 // bytes
	largestMemory = 1 << 30 // bytes
	longestCPU    = 10 * time.Second
)

// millionRequests is a recording of n requests at 1,000 a second, of which those of the last
// fifth failed, with all that nodes and proxy said of them.
func millionRequests(n int) *recording.Recording {
	random := rand.New(rand.NewPCG(1, 7))
	rec := &recording.Recording{}
	b := catalogue()[4]
	rec.Manifest = syntheticManifest("alb-ip-rotate", b, 1, 0)
	p := &rec.Manifest.Plan
	p.Rate, p.Duration = 1000, recording.Seconds(n)/1000
	moved, ended := p.Duration*3/5, p.Duration*4/5
	rec.Steps = syntheticSteps(moved, ended)
	p.Steps[0].At, p.Steps[1].At = moved, ended
	rec.Requests, rec.Attempts = make([]recording.Request, 0, n), make([]recording.Attempt, 0, n)
	for i := range n {
		due := recording.Seconds(i) / 1000
		sent := due + recording.Seconds(random.ExpFloat64()*.0003)
		r := recording.Request{Seq: uint64(i + 1), Due: due, Sent: sent, Latency: recording.Seconds(.0008 + random.ExpFloat64()*.0004), Code: 200, Outcome: recording.OK, Node: oldNodes[i%2], Server: "nginx/1.30.6"}
		a := recording.Attempt{Seq: r.Seq, At: sent + .0002, Done: sent + .0005, Node: r.Node, Port: 80, LB: "alb", Conn: uint64(i/1000 + 1), Number: i%1000 + 1, Method: "GET", Path: "/?proxychaos=" + strconv.Itoa(i+1), Host: "backend.example.com", Status: 200}
		switch {
		case sent <= ended:
			rec.Attempts = append(rec.Attempts, a)
		default:
			r.Code, r.Outcome, r.Node, r.Error = 502, recording.BadGateway, netip.Addr{}, ""
			rec.ProxyLog = append(rec.ProxyLog, recording.LogLine{At: sent, Text: fmt.Sprintf("[error] 22#22: *%d no live upstreams while connecting to upstream, client: 198.18.0.%d, request: \"GET /?proxychaos=%d HTTP/1.1\"", i, i%254, i+1)})
			if i%10 == 0 {
				r.Outcome, r.Code, r.Latency = recording.Timeout, 0, 4+recording.Seconds(random.Float64()*.002)
				rec.Packets = append(rec.Packets, recording.Packet{At: sent, Kind: recording.SYN, Node: oldNodes[i%2], Port: 80, Peer: netip.AddrPortFrom(netip.MustParseAddr("10.10.0.9"), uint16(20000+i%40000))})
			}
		}
		rec.Requests = append(rec.Requests, r)
		if i%1000 == 0 {
			rec.Connections = append(rec.Connections, recording.Conn{Conn: uint64(i/1000 + 1), Node: oldNodes[i%2], Port: 80, Peer: netip.AddrPortFrom(netip.MustParseAddr("10.10.0.9"), uint16(20000+i/1000%40000)), Opened: sent, Requests: 1000})
		}
	}
	return rec
}

// The plots and rows of a million requests fit into the page, whatever failed.
func TestAMillionRequestsFitIntoThePage(t *testing.T) {
	// make test-long: the page of a run with a million requests
	if testing.Short() {
		t.Skip("takes a while")
	}
	rec := millionRequests(million)
	for name, fails := range map[string]func(i int) bool{
		"a fifth failed": func(i int) bool { return i >= million*4/5 },
		"all failed":     func(int) bool { return true },
	} {
		for i := range rec.Requests {
			rec.Requests[i].Outcome = recording.OK
			if fails(i) {
				rec.Requests[i].Outcome = recording.BadGateway
			}
		}
		drawn, err := pack(newSeries(rec).plots())
		must(t, err)
		rows, err := pack(rowTables(rec, nil))
		must(t, err)
		rest := len(uplotJS) + len(uplotCSS) + len(pageHTML) + len(pageCSS) + 64<<10
		if size := len(drawn) + len(rows) + rest; size > largestPage {
			t.Errorf("%s: a page of %d bytes, want at most %d (plots %d, rows %d)", name, size, largestPage, len(drawn), len(rows))
		}
	}
}

// BenchmarkPageOfAMillionRequests reads a recording of a million requests, writes its page and
// opens it: how long each takes, how much processor time, and how much memory the process had
// at most. Run it with
// -benchtime=1x, in a process of its own.
func BenchmarkPageOfAMillionRequests(b *testing.B) {
	cell := millionCell(b)
	forgetPeak(b)
	for b.Loop() {
		began, before := time.Now(), cpuTime(b)
		file := writePage(b, Page{Cells: []Cell{cell}})
		b.ReportMetric(time.Since(began).Seconds(), "s/page")
		spent := cpuTime(b) - before
		b.ReportMetric(spent.Seconds(), "s-cpu/page")
		if spent > longestCPU {
			b.Errorf("%s of processor time, want at most %s", spent, longestCPU)
		}
		b.StopTimer()
		peak := peakMemory(b)
		b.ReportMetric(float64(peak)/(1<<20), "MiB-peak")
		if peak > largestMemory {
			b.Errorf("%d bytes of memory, want at most %d", peak, largestMemory)
		}
		info, err := os.Stat(file)
		if err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(info.Size())/(1<<20), "MiB-page")
		if info.Size() > largestPage {
			b.Errorf("a page of %d bytes, want at most %d", info.Size(), largestPage)
		}
		began = time.Now()
		tab := openTab(b, file, 1280, 900)
		b.ReportMetric(time.Since(began).Seconds(), "s/browser-started-and-all-drawn")
		b.ReportMetric(value[float64](b, tab, `performance.getEntriesByType("navigation")[0].loadEventEnd / 1000`), "s/load")
		b.ReportMetric(value[float64](b, tab, `drawnAt / 1000`), "s/drawn")
		b.StartTimer()
	}
}

// millionCell is the cell of a recording of a million requests, which it writes.
func millionCell(b *testing.B) Cell {
	b.Helper()
	rec := millionRequests(million)
	dir, err := recording.Create(b.TempDir(), "alb-ip-rotate", "nginx/static", time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC))
	if err != nil {
		b.Fatal(err)
	}
	rec.Manifest.Config, err = dir.SaveConfig(kind.Config{Path: "proxy.conf", Files: []kind.File{{Name: "proxy.conf", Content: []byte("server {}\n")}}})
	for _, failed := range []error{
		err, dir.Steps.Append(rec.Steps...), dir.Requests.Append(rec.Requests...), dir.Attempts.Append(rec.Attempts...),
		dir.Packets.Append(rec.Packets...), dir.Connections.Append(rec.Connections...), dir.ProxyLog.Append(rec.ProxyLog...),
		recording.SaveManifest(dir.Path, rec.Manifest), dir.Close(),
	} {
		if failed != nil {
			b.Fatal(failed)
		}
	}
	if kept := os.Getenv("REPORTS_MILLION"); kept != "" { // to be looked at, or given to the command
		if err := os.CopyFS(kept, os.DirFS(dir.Path)); err != nil {
			b.Fatal(err)
		}
	}
	return Cell{Manifest: rec.Manifest, Verdict: judge.Verdict{Result: judge.Fail, Sent: million, Failed: million / 5, NeverRecovered: true}, Dir: dir.Path}
}

// forgetPeak makes the kernel measure the peak of this process's memory from here on.
func forgetPeak(b *testing.B) {
	b.Helper()
	debug.FreeOSMemory()
	if err := os.WriteFile("/proc/self/clear_refs", []byte("5"), 0); err != nil {
		b.Fatal(err)
	}
}

// cpuTime is how much processor time this process has had.
func cpuTime(b *testing.B) time.Duration {
	b.Helper()
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		b.Fatal(err)
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

// peakMemory is the most memory that this process had, in bytes.
func peakMemory(b *testing.B) int {
	b.Helper()
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		b.Fatal(err)
	}
	_, line, _ := strings.Cut(string(status), "VmHWM:")
	line, _, _ = strings.Cut(line, " kB")
	kib, err := strconv.Atoi(strings.TrimSpace(line))
	if err != nil {
		b.Fatal(err)
	}
	return kib << 10
}
