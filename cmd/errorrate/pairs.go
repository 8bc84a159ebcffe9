package main

import (
	"cmp"
	"crypto/sha256"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"

	"github.com/proxychaos/proxychaos/harness/meant"
	"github.com/proxychaos/proxychaos/reports/compare"
	"github.com/proxychaos/proxychaos/scenarios"
)

// pairsYAML has the pairs; pairFiles has the configs that are in no catalogue.
var (
	//go:embed pairs.yaml
	pairsYAML []byte
	//go:embed pairs
	pairFiles embed.FS
)

// pair is two configurations of which it is known what a comparison has to say. Its fields
// are described at the head of pairs.yaml.
type pair struct {
	Name      string
	Proxy     string
	ProxyB    string `yaml:"proxy_b"`
	Release   string
	ReleaseA  string `yaml:"release_a"`
	ReleaseB  string `yaml:"release_b"`
	A, B      string
	Change    []string
	Scenario  string
	Set       map[string]string
	Want      compare.Word
	By        string
	Because   string
	textOfA   string
	textOfB   string
	extension string // of both files
}

// readPairs are all pairs, with the text of their configs.
func readPairs() ([]pair, error) {
	var all []pair
	if err := yaml.UnmarshalWithOptions(pairsYAML, &all, yaml.Strict()); err != nil {
		return nil, fmt.Errorf("pairs.yaml: %w", err)
	}
	for i := range all {
		if err := all[i].read(); err != nil {
			return nil, fmt.Errorf("pairs.yaml: %s: %w", all[i].Name, err)
		}
	}
	return all, nil
}

func (p *pair) read() (err error) {
	if p.textOfA, err = configText(p.A); err != nil {
		return err
	}
	if p.textOfB, err = configText(cmp.Or(p.B, p.A)); err != nil {
		return err
	}
	p.extension = path.Ext(p.A)
	if len(p.Change) == 0 {
		return nil
	}
	if len(p.Change) != 2 || strings.Count(p.textOfB, p.Change[0]) != 1 {
		return fmt.Errorf("change: got %q, want a text that is there once, and what replaces it", p.Change)
	}
	p.textOfB = strings.Replace(p.textOfB, p.Change[0], p.Change[1], 1)
	return nil
}

// configText is a config of the catalogue, or of this folder.
func configText(name string) (string, error) {
	text, err := fs.ReadFile(scenarios.Configs, path.Join("configs", name))
	if errors.Is(err, fs.ErrNotExist) {
		text, err = fs.ReadFile(pairFiles, path.Join("pairs", name))
	}
	return string(text), err
}

// sum tells a pair from any other: an answer is that of a pair as it stands.
func (p pair) sum() string {
	sum := sha256.New()
	for _, key := range slices.Sorted(maps.Keys(p.Set)) {
		fmt.Fprintf(sum, "%s=%s\n", key, p.Set[key])
	}
	for _, part := range []string{p.textOfA, p.textOfB, p.Proxy, p.ProxyB, p.Release, p.ReleaseA, p.ReleaseB, p.Scenario} {
		fmt.Fprintf(sum, "%d:%s", len(part), part)
	}
	return fmt.Sprintf("%x", sum.Sum(nil)[:6])
}

// place writes both configs into a folder, and returns the flags with which compare is asked.
func (p pair) place(dir string) ([]string, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	extension := p.extension
	if p.B != "" {
		extension = path.Ext(p.B)
	}
	a, b := filepath.Join(dir, "now"+p.extension), filepath.Join(dir, "next"+extension)
	if err := errors.Join(os.WriteFile(a, []byte(p.textOfA), 0o600), os.WriteFile(b, []byte(p.textOfB), 0o600)); err != nil {
		return nil, err
	}
	args := []string{"compare", "--a", a, "--b", b, "--name", p.Scenario, "--runs", dir}
	for _, flag := range []struct{ name, value string }{
		{"proxy", p.Proxy}, {"proxy-b", p.ProxyB}, {"release", p.Release}, {"release-a", p.ReleaseA}, {"release-b", p.ReleaseB},
	} {
		if flag.value != "" {
			args = append(args, "--"+flag.name, flag.value)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(p.Set)) {
		args = append(args, "--"+name, p.Set[name])
	}
	return args, nil
}

// right says whether a sentence of compare is the known answer.
func (p pair) right(sentence string) bool {
	word, by := said(sentence)
	return word == p.Want && strings.HasPrefix(by, p.By)
}

// sentences are how the first line of compare begins, by its word.
var sentences = []struct {
	begins string
	word   compare.Word
}{
	{"do not roll out: B is worse: ", compare.Worse},
	{"roll out: B is better: ", compare.Better},
	{"roll out: B is not worse; ", compare.NotWorse},
	{"roll out: no difference that counts ", compare.NoDifference},
	{"cannot tell: ", compare.CannotTell},
	{"cannot tell yet: ", compare.CannotTell},
}

// said is the word of a sentence of compare, and what follows; no word if it is none.
func said(sentence string) (word compare.Word, by string) {
	for _, s := range sentences {
		if rest, ok := strings.CutPrefix(sentence, s.begins); ok {
			return s.word, rest
		}
	}
	return "", sentence
}

// pairNamed are the pairs of a name, or an error that lists all.
func pairNamed(all []pair, name string) ([]pair, error) {
	var names []string
	for _, p := range all {
		if p.Name == name {
			return []pair{p}, nil
		}
		names = append(names, p.Name)
	}
	return nil, fmt.Errorf("there is no pair %q%s", name, meant.Hint(name, names))
}
