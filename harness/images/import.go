package images

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/moby/moby/client"
)

// importTar makes an image from a root file system in one step, without a
// builder. A second import under the same name would leave the first one
// nameless, so callers take a lock of its name, and look first.
func (f *Finder) importTar(ctx context.Context, ref string, tar io.Reader, changes []string) error {
	res, err := f.cli.ImageImport(ctx, client.ImageImportSource{Source: tar, SourceName: "-"}, ref, client.ImageImportOptions{Changes: changes})
	if err != nil {
		return fmt.Errorf("import %s: %w", ref, err)
	}
	defer func() { _ = res.Close() }()
	// The engine reports a failure inside the stream, after its status 200.
	dec := json.NewDecoder(res)
	for {
		var line struct {
			Error string `json:"error"`
		}
		err := dec.Decode(&line)
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return fmt.Errorf("import %s: %w", ref, err)
		case line.Error != "":
			return fmt.Errorf("import %s: %s", ref, line.Error)
		}
	}
}

// cutLast cuts s around the last instance of sep.
func cutLast(s, sep string) (before, after string, found bool) {
	i := strings.LastIndex(s, sep)
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+len(sep):], true
}
