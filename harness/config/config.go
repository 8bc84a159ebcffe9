// Package config reads a proxy's configuration as its user has it, a file or a folder,
// once, and finds hints in it: its refresh, its use of TLS, the ports of its backends. The
// files are never changed.
package config

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"

	"github.com/proxychaos/proxychaos/harness/kind"
)

// Config is one configuration under test.
type Config struct {
	Kind kind.Name
	kind.Config
}

const (
	maxFiles = 1000
	maxBytes = 16 << 20
)

// Read reads the file or folder at p, in the file system files; on this machine if that
// is nil. Links to files are followed, as in a folder sites-enabled.
func Read(name kind.Name, files fs.FS, p string) (Config, error) {
	c := Config{Kind: name, Config: kind.Config{Path: p}}
	inside := p
	if files == nil {
		files, inside = os.DirFS(filepath.Dir(filepath.Clean(p))), filepath.Base(filepath.Clean(p))
	}
	var err error
	switch c.Files, err = read(files, inside); {
	case errors.Is(err, fs.ErrNotExist):
		return Config{}, fmt.Errorf("CONFIG=%s: there is no such file or folder", p)
	case err != nil:
		return Config{}, fmt.Errorf("CONFIG=%s: %w", p, err)
	}
	return c, nil
}

// read takes one file by its own name, or all files of a folder by their names in it.
func read(files fs.FS, root string) ([]kind.File, error) {
	info, err := fs.Stat(files, root)
	if err != nil {
		return nil, err
	}
	if info.Mode().IsRegular() {
		content, err := fs.ReadFile(files, root)
		return []kind.File{{Name: path.Base(root), Content: content}}, err
	}
	if !info.IsDir() {
		return nil, errors.New("this is neither a file nor a folder")
	}
	var found []kind.File
	total := 0
	folder, err := fs.Sub(files, root)
	if err != nil {
		return nil, err
	}
	// In the order of the names.
	err = fs.WalkDir(folder, ".", func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		switch info, err := fs.Stat(folder, p); {
		case err != nil:
			return err
		case !info.Mode().IsRegular():
			return fmt.Errorf("%s is not a file, nor a link to one", p)
		}
		content, err := fs.ReadFile(folder, p)
		if err != nil {
			return err
		}
		total += len(content)
		if len(found) == maxFiles || total > maxBytes {
			return fmt.Errorf("more than %d files or %d MiB: want the folder of a proxy's configuration", maxFiles, maxBytes>>20)
		}
		found = append(found, kind.File{Name: p, Content: content})
		return nil
	})
	if err == nil && len(found) == 0 {
		err = errors.New("the folder has no file in it")
	}
	return found, err
}

// Layout says where the files go in the image of the proxy and what is started.
func (c Config) Layout() (kind.Layout, error) {
	k, err := kind.Of(c.Kind)
	if err != nil {
		return kind.Layout{}, err
	}
	return k.Layout(c.Config)
}
