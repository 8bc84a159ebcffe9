// Package config takes a proxy's configuration as its user has it, a file or a
// folder, and says where its files go in the official image's layout, which
// resolver addresses it asks and which backend ports it names. The files are
// never changed.
package config

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"sort"

	"github.com/proxychaos/proxychaos/harness"
)

// Config is one configuration under test.
type Config struct {
	Kind harness.Kind
	// Path is where it was read from.
	Path string
	// Files are its own files, in the order of their names, without any file
	// that is added to make a fragment run.
	Files []File
}

// File is one file of a configuration.
type File struct {
	Name    string // slash-separated, relative to Config.Path
	Content []byte
}

const (
	maxFiles = 1000
	maxBytes = 16 << 20
)

// Read reads the file or folder at p.
func Read(kind harness.Kind, p string) (Config, error) {
	info, err := os.Stat(p)
	if errors.Is(err, fs.ErrNotExist) {
		return Config{}, fmt.Errorf("CONFIG=%s: there is no such file or folder", p)
	}
	if err != nil {
		return Config{}, fmt.Errorf("CONFIG=%s: %w", p, err)
	}
	c := Config{Kind: kind, Path: p}
	if !info.IsDir() {
		content, err := os.ReadFile(p)
		if err != nil {
			return Config{}, fmt.Errorf("CONFIG=%s: %w", p, err)
		}
		c.Files = []File{{Name: filepath.Base(p), Content: content}}
		return c, nil
	}
	if c.Files, err = readFolder(p); err != nil {
		return Config{}, fmt.Errorf("CONFIG=%s: %w", p, err)
	}
	return c, nil
}

func readFolder(root string) ([]File, error) {
	var files []File
	total := 0
	err := filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		content, err := os.ReadFile(p)
		if err != nil {
			return err
		}
		name, err := filepath.Rel(root, p)
		if err != nil {
			return err
		}
		total += len(content)
		if len(files) == maxFiles || total > maxBytes {
			return fmt.Errorf("more than %d files or %d MiB: want the folder of a proxy's configuration", maxFiles, maxBytes>>20)
		}
		files = append(files, File{Name: filepath.ToSlash(name), Content: content})
		return nil
	})
	if err != nil {
		return nil, err
	}
	if len(files) == 0 {
		return nil, errors.New("the folder has no file in it")
	}
	sort.Slice(files, func(i, j int) bool { return files[i].Name < files[j].Name })
	return files, nil
}

// single says whether the configuration is one file.
func (c Config) single() bool { return len(c.Files) == 1 && path.Dir(c.Files[0].Name) == "." }
