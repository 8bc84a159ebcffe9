package desync

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/goccy/go-yaml"
)

// What the classifier reached. A lower score is a regression.
const (
	corpusCases   = 159
	corpusClasses = 159
	corpusReasons = 159
)

// corpusCase is a case of aws/http-desync-guardian.
type corpusCase struct {
	Name, URI, Method, Version string
	Headers                    []struct{ Name, Value string }
	Expected                   struct{ Tier, Reason string }
}

// head is the case as bytes on a connection.
func (c corpusCase) head() []byte {
	line := c.Method + " " + c.URI
	if c.Version != "" {
		line += " " + c.Version
	}
	line += "\r\n"
	for _, h := range c.Headers {
		line += h.Name + ":" + h.Value + "\r\n"
	}
	return []byte(line + "\r\n")
}

// The cases that AWS published, which give class and reason for each request.
func TestCorpus(t *testing.T) {
	folder := os.Getenv("PROXYCHAOS_CORPORA")
	if folder == "" {
		t.Skip("PROXYCHAOS_CORPORA is not set: the cases of aws/http-desync-guardian are not run; set it to the folder that has http-desync-guardian/*.yaml")
	}
	files, err := filepath.Glob(filepath.Join(folder, "http-desync-guardian", "*.yaml"))
	if err != nil || len(files) == 0 {
		t.Fatalf("PROXYCHAOS_CORPORA=%s: got %d files http-desync-guardian/*.yaml, %v, want some", folder, len(files), err)
	}
	cases, classes, reasons := 0, 0, 0
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var list []corpusCase
		if err := yaml.Unmarshal(text, &list); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		for _, c := range list {
			got := Classify(c.head())
			want := c.Expected.Reason
			if want == "Compliant" {
				want = ""
			}
			cases++
			if got.Class.String() == c.Expected.Tier {
				classes++
			}
			if got.Reason.String() == want {
				reasons++
			}
			if got.Class.String() != c.Expected.Tier || got.Reason.String() != want {
				t.Logf("%s: %s: got %s %s, AWS has %s %s: %q", filepath.Base(file), c.Name, got.Class, got.Reason, c.Expected.Tier, c.Expected.Reason, c.head())
			}
		}
	}
	score := fmt.Sprintf("%d of %d classes, %d reasons", classes, cases, reasons)
	t.Log(score)
	t.Attr("aws-fact", "2.6")
	t.Attr("aws-score", score)
	if cases != corpusCases || classes < corpusClasses || reasons < corpusReasons {
		t.Errorf("got %s, want %d of %d classes, %d reasons", score, corpusClasses, corpusCases, corpusReasons)
	}
}
