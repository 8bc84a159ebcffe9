package images

import (
	"archive/tar"
	"fmt"
	"strings"
)

// entry is one file, folder (name ends in /) or symbolic link (link not empty)
// of a root file system. It belongs to root.
type entry struct {
	name    string
	mode    int64
	content []byte
	link    string
}

func (e entry) isDir() bool { return strings.HasSuffix(e.name, "/") }

func writeEntries(w *tar.Writer, entries []entry) error {
	for _, e := range entries {
		h := &tar.Header{Name: e.name, Mode: e.mode, Size: int64(len(e.content)), Typeflag: tar.TypeReg}
		switch {
		case e.link != "":
			h.Typeflag, h.Linkname, h.Mode = tar.TypeSymlink, e.link, 0o777
		case e.isDir():
			h.Typeflag = tar.TypeDir
		}
		if err := w.WriteHeader(h); err != nil {
			return fmt.Errorf("write %s: %w", e.name, err)
		}
		if _, err := w.Write(e.content); err != nil {
			return fmt.Errorf("write %s: %w", e.name, err)
		}
	}
	return nil
}
