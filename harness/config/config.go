// Package config reads a proxy's configuration as its user has it, a file or a folder,
// once, and finds hints in it: its refresh, its use of TLS, the hosts and paths that it
// serves, the ports of its backends. The files are never changed.
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

// Read reads the file or folder at p, in the file system files; on this machine if that
// is nil. A link to a file of the same folder is read as that file, as in sites-enabled.
// Any other is kept as a link: in the container it may lead to what the image has, and
// here it would be another machine's. Templates are rendered with env. A program of which
// nothing is known may need no files: then p is empty.
func Read(name kind.Name, files fs.FS, p string, env kind.Env) (Config, error) {
	c := Config{Kind: name, Config: kind.Config{Path: p, Env: env}}
	if p == "" && name == kind.Any {
		return c, nil
	}
	var err error
	if files == nil {
		err = c.readHere(p)
	} else {
		err = c.read(files, p)
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return Config{}, fmt.Errorf("CONFIG=%s: there is no such file or folder", p)
	case err != nil:
		return Config{}, fmt.Errorf("CONFIG=%s: %w", p, err)
	}
	c.TakeResolvConf()
	if len(c.Files) == 0 && name != kind.Any {
		return Config{}, fmt.Errorf("CONFIG=%s: the folder has no file in it but %s", p, c.Resolvers.Name)
	}
	if c.Config, err = c.Render(); err != nil {
		return Config{}, fmt.Errorf("CONFIG=%s: %w", p, err)
	}
	return c, nil
}

// readHere reads a file or folder of this machine. What is in a folder is not read from
// outside of it, wherever its links lead.
func (c *Config) readHere(p string) error {
	clean := filepath.Clean(p)
	info, err := os.Stat(clean)
	if err != nil {
		return err
	}
	if !info.IsDir() {
		return c.read(os.DirFS(filepath.Dir(clean)), filepath.Base(clean))
	}
	root, err := os.OpenRoot(clean)
	if err != nil {
		return err
	}
	if err := errors.Join(c.folder(root.FS()), root.Close()); err != nil {
		return err
	}
	return c.dockerfile(clean)
}

// dockerfile reads the Dockerfile in a folder of this machine, or the one beside it.
func (c *Config) dockerfile(folder string) error {
	whole, err := filepath.Abs(folder) // "." has a name too
	if err != nil {
		return err
	}
	for _, docker := range []kind.Dockerfile{{Name: "Dockerfile", Within: "."}, {Name: "../Dockerfile", Within: filepath.Base(whole)}} {
		p := filepath.Join(whole, docker.Name)
		info, err := os.Stat(p)
		if err != nil || !info.Mode().IsRegular() || info.Size() > maxBytes {
			continue // what cannot be one lays nothing out
		}
		if docker.Content, err = os.ReadFile(p); err == nil {
			c.Docker = &docker
			break
		}
	}
	return nil
}

// read takes one file by its own name, or a folder.
func (c *Config) read(files fs.FS, root string) error {
	info, err := fs.Stat(files, root)
	if err != nil {
		return err
	}
	if info.IsDir() {
		folder, err := fs.Sub(files, root)
		if err != nil {
			return err
		}
		return c.folder(folder)
	}
	if !info.Mode().IsRegular() {
		return errors.New("this is neither a file nor a folder")
	}
	if info.Size() > maxBytes {
		return fmt.Errorf("more than %d MiB: want the file of a proxy's configuration", maxBytes>>20)
	}
	content, err := fs.ReadFile(files, root)
	c.Files = []kind.File{{Name: path.Base(root), Content: content}}
	return err
}

// Layout says where the files go in the image of the proxy and what is started.
func (c Config) Layout() (kind.Layout, error) {
	k, err := kind.Of(c.Kind)
	if err != nil {
		return kind.Layout{}, err
	}
	layout, err := k.Layout(c.Config)
	layout.Env = append(layout.Env, c.Environment()...)
	layout.Sockets = c.AppSockets()
	return layout, err
}
