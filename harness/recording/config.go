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
	config := Config{Path: from.Path}
	hash := sha256.New()
	files := from.Files
	if from.Resolvers != nil {
		files = append(slices.Clone(files), *from.Resolvers)
	}
	for _, file := range files {
		if file.Template != nil { // what was made of it may hold secrets of the environment
			fmt.Fprintf(hash, "%d %s ", len(file.Content), file.Content)
			file.Name, file.Content = file.Template.Name, file.Template.Content
		}
		target := filepath.Join(d.Path, ConfigDir, filepath.FromSlash(file.Name))
		if err := os.MkdirAll(filepath.Dir(target), 0o755); err != nil {
			return Config{}, fmt.Errorf("keep the configuration: %w", err)
		}
		if err := os.WriteFile(target, file.Content, 0o644); err != nil {
			return Config{}, fmt.Errorf("keep the configuration: %w", err)
		}
		// The lengths keep "a"+"bc" apart from "ab"+"c".
		fmt.Fprintf(hash, "%d %s %d ", len(file.Name), file.Name, len(file.Content))
		_, _ = hash.Write(file.Content) // a hash never fails
		config.Files = append(config.Files, file.Name)
	}
	// A link is not made: it would lead somewhere on this machine.
	for _, link := range from.Links {
		fmt.Fprintf(hash, "%d %s -> %d %s ", len(link.Name), link.Name, len(link.Target), link.Target)
		config.Links = append(config.Links, link.Name+" -> "+link.Target)
	}
	config.Env = slices.Sorted(maps.Keys(from.Env.Values))
	config.SHA256 = hex.EncodeToString(hash.Sum(nil))
	return config, nil
}
