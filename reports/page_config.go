package reports

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/proxychaos/proxychaos/harness/recording"
)

// How much of the configuration a page shows. What is left out is said beside it.
const (
	maxConfigFiles = 20
	maxConfigBytes = 32 << 10 // of one file
)

type configText struct{ Name, Text, Cut string }

// first is at most the first n of all, and what to say if it is less.
func first[T any](all []T, n int) ([]T, string) {
	if len(all) <= n {
		return all, ""
	}
	return all[:n], fmt.Sprintf("first %s of %s", thousands(n), thousands(len(all)))
}

// configTexts reads the configuration that was run. A file that cannot be read
// is shown with the reason in its place.
func configTexts(rec *recording.Recording) ([]configText, string) {
	names, cut := first(rec.Manifest.Config.Files, maxConfigFiles)
	var texts []configText
	for _, name := range names {
		c := configText{Name: name}
		text, err := readConfig(rec.Dir, name)
		if err != nil {
			c.Cut = "not shown: " + err.Error()
		} else if len(text) > maxConfigBytes {
			c.Cut = fmt.Sprintf("first %s of %s", thousands(maxConfigBytes), count(len(text), "byte"))
			text = text[:maxConfigBytes]
		}
		c.Text = strings.ToValidUTF8(string(text), "\uFFFD")
		texts = append(texts, c)
	}
	return texts, cut
}

// readConfig keeps inside the folder, whatever the manifest says.
func readConfig(dir, name string) ([]byte, error) {
	root, err := os.OpenRoot(filepath.Join(dir, recording.ConfigDir))
	if err != nil {
		return nil, err
	}
	defer root.Close()
	return root.ReadFile(filepath.FromSlash(name))
}
