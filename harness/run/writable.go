package run

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// block is what a file system at least gives to a file: a full one has no room for it.
var block = make([]byte, 4096)

// CanRecord says why recordings cannot be written below Options.Runs, which it makes if it
// is not there. It is asked before anything is started: a run that cannot be kept is not
// worth its time.
func (o Options) CanRecord() error {
	err := os.MkdirAll(o.Runs, 0o755)
	if err == nil {
		err = tryWriting(o.Runs)
	}
	if path := (*fs.PathError)(nil); errors.As(err, &path) {
		err = path.Err // the name of the file that was tried tells nobody anything
	}
	if err != nil {
		return fmt.Errorf("recordings cannot be written to %s: %w; name another folder with RUNS=", o.Runs, err)
	}
	return nil
}

// tryWriting writes a file into a folder and removes it.
func tryWriting(dir string) error {
	file, err := os.CreateTemp(dir, ".try-*")
	if err != nil {
		return err
	}
	_, err = file.Write(block)
	return errors.Join(err, file.Close(), os.Remove(file.Name()))
}
