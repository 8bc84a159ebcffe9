package judge_test

import (
	"encoding/json"
	"math/rand/v2"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/proxychaos/proxychaos/harness/judge"
	"github.com/proxychaos/proxychaos/harness/recording"
	model "github.com/proxychaos/proxychaos/harness/world"
)

// randomRun is a run of any timeline, in which anything may have happened to a request.
func randomRun(random *rand.Rand) *world {
	w := rotate()
	w.Steps, w.Manifest.Plan.Steps, w.Manifest.Plan.Budget.RecoverWithin = nil, nil, seconds(random.IntN(3))
	nodes := []netip.Addr{old1, old2, fresh1}
	at := seconds(3)
	for i := range 1 + random.IntN(4) {
		wait := seconds(random.IntN(4))
		at += wait
		e := model.Effect{Node: nodes[random.IntN(3)]}
		switch truth := model.Truth(random.IntN(2) == 0); random.IntN(4) {
		case 0:
			e = model.Effect{Resolves: truth, How: "servfail"}
		case 1:
			e.Serves, e.How, e.Partly = truth, "silence", random.IntN(2) == 0
		default:
			e.Named = truth
		}
		w.Manifest.Plan.Steps = append(w.Manifest.Plan.Steps, after(wait, "a fault"))
		w.Steps = append(w.Steps, step(i+1, "a fault", at, []model.Effect{e}))
	}
	conns := []recording.Conn{w.open(-1, old1), w.open(-1, old2), w.open(-1, fresh1)}
	for due := seconds(0); due < 20-gap/2; due += gap {
		conn := conns[random.IntN(3)]
		switch fate := random.IntN(20); {
		case due < 3 || fate > 3:
			w.attempt(due, conn, w.request(due, recording.OK, conn.Node), 200)
		case fate == 0:
			w.stall(due, due+gap, conn)
		case fate == 1:
			w.fail(due, due+gap, recording.BadGateway)
		case fate == 2:
			w.fail(due, due+gap, recording.Connection)
		default:
			w.syn(due, conn.Node)
			seq := w.request(due, recording.OK, conn.Node)
			w.attempt(due, conn, seq, 0)
			w.attempt(due, conn, seq, 200)
			if random.IntN(2) == 0 {
				w.post(seq)
			}
		}
		if random.IntN(50) == 0 {
			w.query(due, nodes[:random.IntN(4)]...)
		}
	}
	return w
}

// Of any run the judge says one thing, gives its reason, and has a cause if it failed.
func TestAnyRunIsJudged(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 6))
	results := map[string]int{}
	for round := range 300 {
		v := randomRun(random).judge()
		results[v.Result]++
		text := asJSON(t, v)
		caused := slices.ContainsFunc(v.Findings, func(f judge.Finding) bool {
			return f.Code != judge.ConnectionPerRequest && f.Code != judge.FollowedDNS && f.Code != judge.HealedItself
		})
		switch {
		case len(v.Reasons) == 0, v.Result == judge.Fail && !caused,
			v.Failed < v.Unavoidable+v.WithoutNode, v.Before.Sent+v.During.Sent+v.After.Sent != v.Sent,
			v.Recovery != nil && *v.Recovery < 0:
			t.Fatalf("round %d: %s", round, text)
		}
		for _, f := range v.Findings {
			if f.Text == "" || f.Evidence == nil {
				t.Fatalf("round %d: a finding without text or evidence: %s", round, text)
			}
		}
	}
	if results[judge.Fail] == 0 || results[judge.Unproven] == 0 {
		t.Errorf("got results %v, want some of each that can come", results)
	}
}

// Whatever the rows of a recording are, to judge it gives a verdict and never a panic.
func FuzzJudge(f *testing.F) {
	names := []string{
		recording.ManifestFile, recording.StepsFile, recording.RequestsFile, recording.AttemptsFile, recording.ConnectionsFile,
		recording.PacketsFile, recording.QueriesFile, recording.SnapshotsFile, recording.ProxyLogFile,
	}
	root := filepath.Join("..", "recording", "testdata", "version1")
	read := func(t testing.TB, scenario string) [][]byte {
		var files [][]byte
		for _, name := range names {
			text, err := os.ReadFile(filepath.Join(root, scenario, name))
			if err != nil {
				t.Fatal(err)
			}
			files = append(files, text)
		}
		return files
	}
	for _, scenario := range []string{"alb-ip-rotate", "alb-node-blink", "tls-expired"} {
		for i, text := range read(f, scenario) {
			f.Add(uint8(i), text)
		}
	}
	manifest, err := json.Marshal(rotate().Manifest)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(uint8(0), manifest)
	good := read(f, "alb-ip-rotate")
	f.Fuzz(func(t *testing.T, which uint8, text []byte) {
		dir := t.TempDir()
		for i, name := range names {
			content := good[i]
			if i == int(which)%len(names) {
				content = text
			}
			if err := os.WriteFile(filepath.Join(dir, name), content, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		r, err := recording.Open(dir)
		if err != nil {
			return
		}
		if v := judge.Judge(r); v.Result == "" || len(v.Reasons) == 0 {
			t.Errorf("got %+v, want a result and its reason", v)
		}
	})
}
