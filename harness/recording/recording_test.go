package recording_test

import (
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/proxychaos/proxychaos/harness/recording"
	"github.com/proxychaos/proxychaos/harness/world"
)

var noon = time.Date(2026, 11, 20, 12, 0, 0, 0, time.FixedZone("east", 3600))

func create(t *testing.T) *recording.Dir {
	t.Helper()
	dir, err := recording.Create(t.TempDir(), "alb-ip-rotate", "nginx/static", noon)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := dir.Close(); err != nil {
			t.Error(err)
		}
	})
	return dir
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// sample is a recording with at least one row of every kind.
func sample() recording.Recording {
	node, peer := netip.MustParseAddr("198.18.1.21"), netip.MustParseAddrPort("198.18.1.3:40000")
	closed := recording.Seconds(3.5)
	return recording.Recording{
		Manifest: recording.Manifest{
			Schema: recording.Schema, Scenario: "alb-ip-rotate", T0: noon.UTC(),
			Plan: recording.Plan{TTL: 1, Rate: 200, Seed: 1<<63 + 1, Steps: []recording.PlannedStep{{At: 5, Wait: 5, Faults: []recording.PlannedFault{{Name: "name moves"}}}}},
			World: world.Topology{
				World: world.World{Balancers: []world.Balancer{{Name: "backend", Nodes: 1, Targets: 2}}},
				Nodes: []world.Node{{Addr: node, Upstream: 1, Balancer: "backend", Number: 1}},
			},
		},
		Steps: []recording.Step{{
			Number: 1, Name: "name moves", Planned: 5, Effects: []world.Effect{{Node: node, Named: world.Truth(false)}},
			Proofs: []recording.Proof{{OK: true, Detail: "A <fresh> & only"}},
		}},
		Requests: []recording.Request{
			{Seq: 1, Due: 0, Sent: 0.0001, Latency: 0.002, Code: 200, Outcome: recording.OK, Node: node, Server: "nginx"},
			{Seq: 2, Due: 0.005, Sent: 0.0051, Outcome: recording.Timeout, Error: "the client gave up"},
		},
		Attempts:    []recording.Attempt{{Seq: 1, At: 0.001, Node: node, Port: 80, Conn: 7, Number: 1, Status: 200}},
		Connections: []recording.Conn{{Conn: 7, Node: node, Peer: peer, Opened: -1, Closed: &closed, Requests: 1}, {Conn: 8, Node: node, Peer: peer}},
		Packets:     []recording.Packet{{At: 8.1, Kind: recording.Segment, Node: node, Peer: peer, Retransmit: true, Seq: 9}},
		Queries:     []recording.Query{{At: 1, Client: peer, Resolver: peer, Name: "backend.example.com.", Answers: []netip.Addr{node}, TTL: 1}},
		Snapshots:   []recording.Snapshot{{At: -1, Moment: recording.MomentWarm, Processes: []recording.Process{{PID: 10, Worker: true, Seen: 3}}}},
		Checks:      []recording.Check{{At: 2, Done: 2.1, Node: node, Target: "198.18.1.2:80", Passed: true, Code: 200, State: "healthy"}},
		Sockets:     []recording.Socket{{Client: 1, Asked: 0.1, Opened: 0.2, Last: 3, Ended: 3.5, Node: node, Code: 101, Messages: 14, Outcome: recording.Connection, Error: "EOF"}},
		ProxyLog:    []recording.LogLine{{At: 8.25, Text: "[error] AH00957: attempt failed"}, {At: -0.5, Text: ""}},
	}
}

func write(t *testing.T, dir *recording.Dir, r recording.Recording) {
	t.Helper()
	must(t, recording.SaveManifest(dir.Path, r.Manifest))
	must(t, dir.Steps.Append(r.Steps...))
	must(t, dir.Requests.Append(r.Requests...))
	must(t, dir.Attempts.Append(r.Attempts...))
	must(t, dir.Connections.Append(r.Connections...))
	must(t, dir.Packets.Append(r.Packets...))
	must(t, dir.Queries.Append(r.Queries...))
	must(t, dir.Snapshots.Append(r.Snapshots...))
	must(t, dir.Checks.Append(r.Checks...))
	must(t, dir.Sockets.Append(r.Sockets...))
	must(t, dir.ProxyLog.Append(r.ProxyLog...))
}

// Builds before those that have health checks and WebSockets wrote no files for them.
func TestFilesThatEarlierBuildsDoNotHave(t *testing.T) {
	dir, want := create(t), sample()
	write(t, dir, want)
	for _, name := range []string{recording.ChecksFile, recording.SocketsFile} {
		must(t, os.Remove(filepath.Join(dir.Path, name)))
	}
	got, err := recording.Open(dir.Path)
	must(t, err)
	if got.Checks != nil || got.Sockets != nil || len(got.Requests) != len(want.Requests) {
		t.Errorf("got %d checks, %d WebSockets, %d requests, want none, none and %d", len(got.Checks), len(got.Sockets), len(got.Requests), len(want.Requests))
	}
}

func TestWhatWasWrittenIsReadBack(t *testing.T) {
	dir, want := create(t), sample()
	write(t, dir, want)
	got, err := recording.Open(dir.Path) // the writers are still open: half-way is enough
	must(t, err)
	want.Dir = dir.Path
	if !reflect.DeepEqual(*got, want) {
		t.Errorf("got %+v, want %+v", *got, want)
	}
}

func TestCreateNeverUsesAFolderTwice(t *testing.T) {
	root := t.TempDir()
	for _, want := range []string{"20261120T110000Z", "20261120T110000Z-2", "20261120T110000Z-3"} {
		dir, err := recording.Create(root, "alb-ip-rotate", "nginx/static@1.30.6", noon)
		must(t, err)
		must(t, dir.Close())
		cell := filepath.Join(root, "alb-ip-rotate", "nginx", "static@1.30.6")
		if dir.Path != filepath.Join(cell, want) {
			t.Errorf("got folder %s, want %s in %s", dir.Path, want, cell)
		}
		link, err := os.Readlink(filepath.Join(cell, recording.LatestLink))
		must(t, err)
		if link != want {
			t.Errorf("latest points at %s, want %s", link, want)
		}
	}
}

func TestCreateAtTheSameMoment(t *testing.T) {
	root := t.TempDir()
	var wg sync.WaitGroup
	paths := make([]string, 8)
	for i := range paths {
		wg.Go(func() {
			dir, err := recording.Create(root, "s", "k/n", noon)
			if err != nil {
				t.Error(err)
				return
			}
			paths[i] = dir.Path
			if err := dir.Close(); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	seen := map[string]bool{}
	for _, path := range paths {
		if seen[path] {
			t.Errorf("folder %s was given twice", path)
		}
		seen[path] = true
	}
}

func TestCreateRefusesNamesThatLeaveTheRoot(t *testing.T) {
	for _, name := range []string{"", ".", "..", "a/../b", "/a", "a//b", "a b", "latest", "nginx/latest", "-rf"} {
		root := t.TempDir()
		if dir, err := recording.Create(root, "s", name, noon); err == nil {
			t.Errorf("subject %q was accepted as %s", name, dir.Path)
		}
		if entries, _ := os.ReadDir(root); len(entries) != 0 {
			t.Errorf("subject %q was refused, but %s was made", name, entries[0].Name())
		}
	}
}

func TestAppendFromManyGoroutinesKeepsRowsWhole(t *testing.T) {
	dir := create(t)
	must(t, recording.SaveManifest(dir.Path, recording.Manifest{}))
	var wg sync.WaitGroup
	for worker := range 8 {
		wg.Go(func() {
			for i := range 200 {
				if err := dir.Requests.Append(recording.Request{Seq: uint64(worker*200 + i), Error: strings.Repeat("x", i)}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	got, err := recording.Open(dir.Path)
	must(t, err)
	seen := map[uint64]bool{}
	for _, row := range got.Requests {
		seen[row.Seq] = true
	}
	if len(got.Requests) != 1600 || len(seen) != 1600 {
		t.Errorf("got %d rows with %d sequence numbers, want 1600 of both", len(got.Requests), len(seen))
	}
}

func TestAppendAfterCloseIsAnError(t *testing.T) {
	dir, err := recording.Create(t.TempDir(), "s", "k/n", noon)
	must(t, err)
	must(t, dir.Close())
	if err := dir.Steps.Append(recording.Step{}); err == nil || !strings.Contains(err.Error(), recording.StepsFile) {
		t.Errorf("got %v, want an error that names %s", err, recording.StepsFile)
	}
}

func TestProxyLogOfSeveralLines(t *testing.T) {
	dir := create(t)
	must(t, recording.SaveManifest(dir.Path, recording.Manifest{}))
	must(t, dir.ProxyLog.Append(recording.LogLine{At: 1.5, Text: "one\r\ntwo\n"}))
	text, err := os.ReadFile(filepath.Join(dir.Path, recording.ProxyLogFile))
	must(t, err)
	if want := "1.500000 one\n1.500000 two\n"; string(text) != want {
		t.Errorf("got %q, want %q", text, want)
	}
}

func TestOpenRefuses(t *testing.T) {
	for name, test := range map[string]struct {
		file, text string
		want       []string
	}{
		"another schema":    {recording.ManifestFile, `{"schema": 3, "t0": 5}`, []string{"manifest.json", "schema 3", "schemas 1 to 2"}},
		"no schema":         {recording.ManifestFile, `{}`, []string{"schema 0"}},
		"a broken manifest": {recording.ManifestFile, `{"schema": 1,`, []string{"manifest.json"}},
		"a plan of an age":  {recording.ManifestFile, `{"schema": 2, "plan": {"duration": 1e300}}`, []string{"manifest.json", "1e+300 s", "86400"}},
		"a cut-off row":     {recording.RequestsFile, "{\"seq\":1}\n{\"seq\":2", []string{"requests.jsonl:2", "cut off"}},
		"an empty line":     {recording.QueriesFile, "{}\n\n{}\n", []string{"dns.jsonl:2"}},
		"null for a row":    {recording.QueriesFile, "null\n", []string{"dns.jsonl:1"}},
		"two rows in one":   {recording.AttemptsFile, "{}{}\n", []string{"attempts.jsonl:1"}},
		"a wrong type":      {recording.PacketsFile, "{}\n{}\n{\"at\":\"x\"}\n", []string{"packets.jsonl:3"}},
		"a bad address":     {recording.ConnectionsFile, "{\"node\":\"198.18\"}\n", []string{"connections.jsonl:1"}},
		"a log without time": {
			recording.ProxyLogFile, "1 a\nplain text\n",
			[]string{"proxy.log:2", "plain text"},
		},
		"a cut-off log": {recording.ProxyLogFile, "1.5", []string{"proxy.log:1", "cut off"}},
	} {
		t.Run(name, func(t *testing.T) {
			dir := create(t)
			write(t, dir, sample())
			must(t, os.WriteFile(filepath.Join(dir.Path, test.file), []byte(test.text), 0o644))
			_, err := recording.Open(dir.Path)
			if err == nil {
				t.Fatal("it was read")
			}
			for _, want := range test.want {
				if !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
					t.Errorf("got error %q, want one line with %q", err, want)
				}
			}
		})
	}
}

func TestOpenOfSomethingElse(t *testing.T) {
	dir := create(t)
	if _, err := recording.Open(dir.Path); err == nil || !strings.Contains(err.Error(), "no manifest.json") {
		t.Errorf("without a manifest: got %v", err)
	}
	write(t, dir, sample())
	must(t, os.Remove(filepath.Join(dir.Path, recording.PacketsFile)))
	if _, err := recording.Open(dir.Path); err == nil || !strings.Contains(err.Error(), recording.PacketsFile) {
		t.Errorf("without a row file: got %v", err)
	}
}

func TestVerdictAndManifestAreReplaced(t *testing.T) {
	dir := create(t)
	for i := range 3 {
		must(t, recording.SaveVerdict(dir.Path, map[string]int{"n": i}))
		must(t, recording.SaveManifest(dir.Path, recording.Manifest{Scenario: fmt.Sprint(i)}))
	}
	var verdict map[string]int
	must(t, recording.ReadVerdict(dir.Path, &verdict))
	r, err := recording.Open(dir.Path)
	must(t, err)
	if verdict["n"] != 2 || r.Manifest.Scenario != "2" || r.Manifest.Schema != recording.Schema {
		t.Errorf("got verdict %v, manifest %+v: want the last of both", verdict, r.Manifest)
	}
	entries, err := os.ReadDir(dir.Path)
	must(t, err)
	for _, entry := range entries {
		if strings.HasPrefix(entry.Name(), ".") {
			t.Errorf("%s was left behind", entry.Name())
		}
	}
}

// FuzzRows: whatever stands in a row file, reading it never panics, an error
// names the line, and what was read can be written and read again as the same.
func FuzzRows(f *testing.F) {
	f.Add("{\"seq\":1,\"node\":\"198.18.1.21\"}\n", "1.5 text\n")
	f.Add("{\"seq\":1", "1.5")
	f.Add("", "1.5")
	f.Add("null\n", " \n")
	f.Fuzz(func(t *testing.T, requests, log string) {
		dir := create(t)
		must(t, recording.SaveManifest(dir.Path, recording.Manifest{}))
		must(t, os.WriteFile(filepath.Join(dir.Path, recording.RequestsFile), []byte(requests), 0o644))
		must(t, os.WriteFile(filepath.Join(dir.Path, recording.ProxyLogFile), []byte(log), 0o644))
		first, err := recording.Open(dir.Path)
		if err != nil {
			if !strings.Contains(err.Error(), recording.RequestsFile+":") && !strings.Contains(err.Error(), recording.ProxyLogFile+":") {
				t.Fatalf("error %q does not name the line", err)
			}
			return
		}
		again := create(t)
		must(t, recording.SaveManifest(again.Path, recording.Manifest{}))
		must(t, again.Requests.Append(first.Requests...))
		must(t, again.ProxyLog.Append(first.ProxyLog...))
		second, err := recording.Open(again.Path)
		must(t, err)
		if !reflect.DeepEqual(first.Requests, second.Requests) {
			t.Errorf("got %+v, want %+v", second.Requests, first.Requests)
		}
		if len(first.ProxyLog) != len(second.ProxyLog) {
			t.Fatalf("got %d log lines, want %d", len(second.ProxyLog), len(first.ProxyLog))
		}
		for i, want := range first.ProxyLog {
			if got := second.ProxyLog[i].Text; got != strings.TrimSuffix(want.Text, "\r") {
				t.Errorf("got log text %q, want %q", got, want.Text)
			}
		}
	})
}
