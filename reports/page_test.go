package reports

import (
	"bytes"
	"os"
	"testing"
)

// TestWritePage leaves the page of a made-up suite where REPORTS_PAGE says, to
// be looked at in a browser.
func TestPageOfASuite(t *testing.T) {
	var b bytes.Buffer
	must(t, HTML(&b, Page{Cells: syntheticSuite(t)}))
	if path := os.Getenv("REPORTS_PAGE"); path != "" {
		must(t, os.WriteFile(path, b.Bytes(), 0o644))
	}
	const most = 1500 << 10
	if b.Len() > most {
		t.Errorf("the page of 9 cells has %d bytes, want at most %d", b.Len(), most)
	}
	t.Logf("%d bytes", b.Len())
}
