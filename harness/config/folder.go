package config

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"regexp"

	"github.com/proxychaos/proxychaos/harness/kind"
)

// What a folder may hold at most.
const (
	maxFiles = 1000
	maxBytes = 16 << 20
)

// flattened is a symbolic link as git leaves it if it makes none (core.symlinks=false): a
// file with nothing but the path in it, and no end of line. No proxy's file looks so.
var flattened = regexp.MustCompile(`^\.{0,2}/[^\s;{}<>]{1,200}$`)

// folder takes all that lies in a folder, in the order of the names.
func (c *Config) folder(folder fs.FS) error {
	w := walk{config: c, folder: folder}
	err := fs.WalkDir(folder, ".", w.visit)
	if err == nil && len(c.Files) == 0 {
		err = errors.New("the folder has no file in it")
	}
	return err
}

// walk goes through a folder and puts what it meets into a configuration.
type walk struct {
	config *Config
	folder fs.FS
	bytes  int // of the files so far
}

// visit is an fs.WalkDirFunc.
func (w *walk) visit(p string, d fs.DirEntry, err error) error {
	switch {
	case err != nil:
		return err
	case d.IsDir() && d.Name() == ".git":
		w.config.LeftOut = append(w.config.LeftOut, p+": the history of a repository")
		return fs.SkipDir
	case d.IsDir():
		return nil
	}
	info, err := d.Info()
	if err != nil {
		return err
	}
	if info.Mode()&fs.ModeSymlink != 0 {
		to, statErr := fs.Stat(w.folder, p)
		if statErr != nil || !to.Mode().IsRegular() {
			target, err := fs.ReadLink(w.folder, p)
			w.link(p, target)
			return err
		}
		info = to
	}
	if !info.Mode().IsRegular() {
		w.config.LeftOut = append(w.config.LeftOut, p+": neither a file, a folder nor a link")
		return nil
	}
	return w.file(p, info)
}

func (w *walk) file(p string, info fs.FileInfo) error {
	if w.bytes += int(info.Size()); len(w.config.Files) == maxFiles || w.bytes > maxBytes {
		return fmt.Errorf("more than %d files or %d MiB: want the folder of a proxy's configuration", maxFiles, maxBytes>>20)
	}
	content, err := fs.ReadFile(w.folder, p)
	if err != nil {
		return err
	}
	if flattened.Match(content) {
		target := string(content)
		if content, err = fs.ReadFile(w.folder, path.Join(path.Dir(p), target)); err != nil || path.IsAbs(target) {
			w.link(p, target)
			return nil
		}
	}
	w.config.Files = append(w.config.Files, kind.File{Name: p, Content: content, Executable: info.Mode()&0o111 != 0})
	return nil
}

// link keeps a link as it is.
func (w *walk) link(p, target string) {
	w.config.Links = append(w.config.Links, kind.Link{Name: p, Target: target})
}
