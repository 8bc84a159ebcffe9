package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/proxychaos/proxychaos/harness/machine"
	"github.com/proxychaos/proxychaos/reports/compare"
	"github.com/proxychaos/proxychaos/scenarios"
	"github.com/proxychaos/proxychaos/scenarios/journal"
)

// answersFile has the answers of the pairs, a line for each.
const answersFile = "cmd/errorrate/pairs.jsonl"

// answered is what compare said of a pair.
type answered struct {
	Pair     string  `json:"pair"`
	Sum      string  `json:"sum"` // of the pair as it was
	Sentence string  `json:"sentence"`
	Seconds  float64 `json:"seconds"` // from the start of the command to its end
	Runs     int     `json:"runs"`
	Commit   string  `json:"commit,omitempty"`
	Cores    int     `json:"cores"`
}

// runPairs runs the pairs that have no answer yet, one after the other, or again the one that
// is named, and writes the table after each.
func runPairs(names []string) error {
	all, err := readPairs()
	if err != nil {
		return err
	}
	answers, err := journal.OpenAt[answered](answersFile)
	if err != nil {
		return err
	}
	program, hasProgram := scenarios.Environment("KIT")
	runs, _ := scenarios.Environment("RUNS")
	if !hasProgram || runs == "" {
		return errors.New("PROXYCHAOS_KIT and PROXYCHAOS_RUNS: want the program and the folder of recordings; make pairs sets them")
	}
	todo := slices.DeleteFunc(slices.Clone(all), func(p pair) bool { return latest(answers.Rows(), p) != nil })
	if len(names) > 0 {
		if todo, err = pairNamed(all, names[0]); err != nil {
			return err
		}
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	for _, p := range todo {
		answer, err := p.ask(ctx, program, filepath.Join(runs, "pairs", p.Name))
		if err != nil {
			return fmt.Errorf("%s: %w", p.Name, err)
		}
		if err := answers.Append(answer); err != nil {
			return err
		}
		fmt.Printf("%s: %v: %s\n", p.Name, p.right(answer.Sentence), answer.Sentence)
		if err := writeTables(page, pairsTable(all, answers.Rows()), "pairs"); err != nil {
			return err
		}
	}
	return writeTables(page, pairsTable(all, answers.Rows()), "pairs")
}

// latest is the last answer to a pair as it stands; nil if there is none.
func latest(answers []answered, p pair) *answered {
	for i := len(answers) - 1; i >= 0; i-- {
		if answers[i].Pair == p.Name && answers[i].Sum == p.sum() {
			return &answers[i]
		}
	}
	return nil
}

// ask has the program compare a pair, from nothing: what an interrupted call has run is
// removed, so that the time is that of the whole.
func (p pair) ask(ctx context.Context, program, dir string) (answered, error) {
	if err := os.RemoveAll(dir); err != nil {
		return answered{}, err
	}
	args, err := p.place(dir)
	if err != nil {
		return answered{}, err
	}
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Env = slices.DeleteFunc(os.Environ(), func(pair string) bool {
		name, _, _ := strings.Cut(strings.TrimPrefix(pair, scenarios.Prefix), "=")
		return strings.HasPrefix(pair, scenarios.Prefix) && name != "PARALLEL" && name != "KIT"
	})
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGINT) }
	cmd.WaitDelay = time.Minute
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, os.Stderr
	begin := time.Now()
	err = cmd.Run()
	if ctx.Err() != nil {
		return answered{}, errors.New("interrupted; the same command goes on with this pair")
	}
	sentence, _, _ := strings.Cut(out.String(), "\n")
	if word, _ := said(sentence); word == "" {
		return answered{}, fmt.Errorf("got no answer: %w", errors.Join(err, errors.New(sentence)))
	}
	blocks, err := journaled(dir)
	return answered{
		Pair: p.Name, Sum: p.sum(), Sentence: sentence, Seconds: time.Since(begin).Round(100 * time.Millisecond).Seconds(),
		Runs: 3 * blocks, Commit: machine.Tool(ctx).Commit, Cores: runtime.NumCPU(),
	}, err
}

// journaled is how many blocks the comparison in a folder ran.
func journaled(dir string) (int, error) {
	paths, err := filepath.Glob(filepath.Join(dir, "compare-*.jsonl"))
	if err != nil || len(paths) != 1 {
		return 0, errors.Join(err, fmt.Errorf("%s: got %d journals of comparisons, want one", dir, len(paths)))
	}
	text, err := os.ReadFile(paths[0])
	return bytes.Count(text, []byte("\n")), err
}

// pairsTable has a row for each pair, and above it a summary of them.
func pairsTable(all []pair, answers []answered) string {
	var rows strings.Builder
	var took []float64
	right, cores := 0, 0
	for _, p := range all {
		known := string(p.Want)
		if p.By != "" {
			known += ": " + p.By
		}
		fmt.Fprintf(&rows, "| %s | %s | %s | %s |", p.Name, p.Scenario, known, p.Because)
		a := latest(answers, p)
		if a == nil {
			fmt.Fprintln(&rows, " not asked | | |")
			continue
		}
		mark := "**wrong**: "
		if p.right(a.Sentence) {
			right, mark = right+1, ""
		}
		took, cores = append(took, a.Seconds), a.Cores
		word, by := said(a.Sentence)
		if word == compare.NoDifference {
			by = ""
		}
		if by != "" {
			by = ": " + by
		}
		fmt.Fprintf(&rows, " %s%s%s | %d | %.1f |\n", mark, word, by, a.Runs, a.Seconds/60)
	}
	head := "No pair has an answer yet."
	if len(took) > 0 {
		slices.Sort(took)
		head = fmt.Sprintf("%d of %d pairs have an answer, and %d of these answers are right. Median time to a decision: %.1f minutes, the longest %.1f, on %d cores.",
			len(took), len(all), right, took[len(took)/2]/60, took[len(took)-1]/60, cores)
	}
	return head + "\n\n| pair | scenario | right | because | said | runs | minutes |\n|---|---|---|---|---|--:|--:|\n" + rows.String()
}
