package recording

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"github.com/proxychaos/proxychaos/harness/kind"
)

// SaveConfig writes the configuration under test to config/, as it was read, and says
// what was written.
func (d *Dir) SaveConfig(from kind.Config) (Config, error) {
	config := Config{Path: from.Path, SHA256: Sum(from)}
	for _, file := range saved(from) {
		target := filepath.Join(d.Path, ConfigDir, filepath.FromSlash(file.Name))
		if err := os.MkdirAll(filepath.Dir(target), 0o755); err != nil {
			return Config{}, fmt.Errorf("keep the configuration: %w", err)
		}
		if err := os.WriteFile(target, file.Content, 0o644); err != nil {
			return Config{}, fmt.Errorf("keep the configuration: %w", err)
		}
		config.Files = append(config.Files, file.Name)
	}
	// A link is not made: it would lead somewhere on this machine.
	for _, link := range from.Links {
		config.Links = append(config.Links, link.Name+" -> "+link.Target)
	}
	config.Env = slices.Sorted(maps.Keys(from.Env.Values))
	return config, nil
}

// Sum is the SHA-256 over the names and contents of all files of a configuration, in
// hexadecimal: the same configuration has the same, wherever it was read.
func Sum(from kind.Config) string {
	hash := sha256.New()
	files := saved(from)
	for i, file := range rendered(from) {
		if file.Template != nil {
			fmt.Fprintf(hash, "%d %s ", len(file.Content), file.Content)
		}
		// The lengths keep "a"+"bc" apart from "ab"+"c".
		fmt.Fprintf(hash, "%d %s %d ", len(files[i].Name), files[i].Name, len(files[i].Content))
		_, _ = hash.Write(files[i].Content) // a hash never fails
	}
	for _, link := range from.Links {
		fmt.Fprintf(hash, "%d %s -> %d %s ", len(link.Name), link.Name, len(link.Target), link.Target)
	}
	return hex.EncodeToString(hash.Sum(nil))
}

// rendered are the files of a configuration, and the machine's resolv.conf if it has one.
func rendered(from kind.Config) []kind.File {
	if from.Resolvers == nil {
		return from.Files
	}
	return append(slices.Clone(from.Files), *from.Resolvers)
}

// saved are the same files as their user has them: what was made of a template may hold
// secrets of the environment.
func saved(from kind.Config) []kind.File {
	files := slices.Clone(rendered(from))
	for i, file := range files {
		if file.Template != nil {
			files[i].Name, files[i].Content = file.Template.Name, file.Template.Content
		}
	}
	return files
}
