package recording_test

import (
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"github.com/proxychaos/proxychaos/harness/recording"
)

// Recordings of version 1, cut to a few rows, as the build 899318a left them.
func TestVersion1BecomesEffects(t *testing.T) {
	for name, want := range map[string]struct {
		nodes, spare int
		waits        []recording.Seconds // of the steps after the first
		effects      [][]string
	}{
		"alb-ip-rotate":  {2, 2, []recording.Seconds{8}, [][]string{{"out", "out", "in", "in"}, {"silence", "silence"}}},
		"alias-switch":   {2, 2, []recording.Seconds{8}, [][]string{{"out", "out", "in", "in"}, {"no-targets", "no-targets"}}},
		"dns-servfail":   {4, 0, []recording.Seconds{10}, [][]string{{"servfail"}, {"resolves"}}},
		"tls-expired":    {4, 0, nil, [][]string{{"tls-expired", "tls-expired"}}},
		"alb-node-blink": {4, 0, []recording.Seconds{10}, [][]string{{"silence", "silence"}, {"serves", "serves"}}},
	} {
		t.Run(name, func(t *testing.T) {
			r, err := recording.Open(filepath.Join("testdata", "version1", name))
			must(t, err)
			b := r.Manifest.World.Balancers[0]
			if b.Nodes != want.nodes || b.Spare != want.spare || len(r.Manifest.World.Nodes) != 4 {
				t.Errorf("got %+v with %d nodes, want %d and %d spare", b, len(r.Manifest.World.Nodes), want.nodes, want.spare)
			}
			steps := r.Manifest.Plan.Steps
			if len(steps) != len(want.waits)+1 || steps[0].At != steps[0].Wait {
				t.Fatalf("got steps %+v, want %d", steps, len(want.waits)+1)
			}
			for i, wait := range want.waits {
				if got := steps[i+1].Wait; got < wait-0.001 || got > wait+0.001 {
					t.Errorf("step %d waits %g, want %g", i+2, got, wait)
				}
			}
			var effects [][]string
			for i, s := range r.Steps {
				if s.Number != i+1 || len(s.Proofs) == 0 {
					t.Errorf("step %d: got number %d and %d proofs", i+1, s.Number, len(s.Proofs))
				}
				effects = append(effects, words(s))
			}
			if !reflect.DeepEqual(effects, want.effects) {
				t.Errorf("got effects %v, want %v", effects, want.effects)
			}
			moments := map[string]bool{}
			for _, s := range r.Snapshots {
				moments[s.Moment] = true
			}
			if !moments[recording.MomentFault] {
				t.Errorf("got moments %v, want the one before the first fault", moments)
			}
		})
	}
}

// words say what the effects of a step are.
func words(s recording.Step) []string {
	var words []string
	for _, e := range s.Effects {
		switch {
		case e.Named != nil && *e.Named:
			words = append(words, "in")
		case e.Named != nil:
			words = append(words, "out")
		case e.How != "":
			words = append(words, e.How)
		case e.Serves != nil:
			words = append(words, "serves")
		case e.Resolves != nil:
			words = append(words, "resolves")
		}
	}
	return words
}

// Whatever a manifest or a row is damaged to, reading it is an error or a recording,
// and never a panic.
func FuzzOpen(f *testing.F) {
	for _, name := range []string{"alb-ip-rotate", "dns-servfail"} {
		dir := filepath.Join("testdata", "version1", name)
		manifest, err := os.ReadFile(filepath.Join(dir, recording.ManifestFile))
		if err != nil {
			f.Fatal(err)
		}
		steps, err := os.ReadFile(filepath.Join(dir, recording.StepsFile))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(manifest, steps)
	}
	f.Add([]byte(`{"schema":2,"world":{"balancers":[{"name":"b","nodes":1}]},"plan":{"steps":[{"at":1}]}}`), []byte("{\"step\":1,\"effects\":[{\"named\":false}]}\n"))
	f.Fuzz(func(t *testing.T, manifest, steps []byte) {
		dir := t.TempDir()
		for _, name := range []string{
			recording.RequestsFile, recording.AttemptsFile, recording.ConnectionsFile, recording.PacketsFile,
			recording.QueriesFile, recording.SnapshotsFile, recording.ProxyLogFile,
		} {
			must(t, os.WriteFile(filepath.Join(dir, name), nil, 0o600))
		}
		must(t, os.WriteFile(filepath.Join(dir, recording.ManifestFile), manifest, 0o600))
		must(t, os.WriteFile(filepath.Join(dir, recording.StepsFile), steps, 0o600))
		r, err := recording.Open(dir)
		if err == nil && r == nil {
			t.Error("got neither a recording nor an error")
		}
	})
}
