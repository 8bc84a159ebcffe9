package recording

import (
	"strings"
	"testing"
)

// Each path gets its share, of the POSTs and of each client's requests too.
func TestPathsTakeTurns(t *testing.T) {
	for paths := 1; paths <= 8; paths++ {
		w := Way{Paths: strings.Split("/a /b /c /d /e /f /g /h", " ")[:paths]}
		for name, every := range map[string]uint64{"request": 1, "POST": 10, "request of a client": 32} {
			got := map[string]int{}
			for n := range uint64(1400) {
				path, _, _ := strings.Cut(w.Path(1+n*every), "?")
				got[path]++
			}
			for path, n := range got {
				if n < 1000/paths || n > 1800/paths {
					t.Errorf("%d paths: %s was asked for by %d of 1400 when each %s counts", paths, path, n, name)
				}
			}
			if len(got) != paths {
				t.Errorf("got paths %v, want %d", got, paths)
			}
		}
	}
}

func TestNumbered(t *testing.T) {
	for path, want := range map[string]string{
		"/": "/?proxychaos=7", "/a%2Fb?q=1": "/a%2Fb?q=1&proxychaos=7", "/a?": "/a?proxychaos=7",
		"/a?q&": "/a?q&proxychaos=7", "/a#top": "/a?proxychaos=7",
	} {
		if got := Numbered(path, "7"); got != want {
			t.Errorf("%s: got %s, want %s", path, got, want)
		}
	}
}

func TestOrigin(t *testing.T) {
	for _, tc := range [][3]string{
		{"http://198.18.0.2:80", "www.example.com", "http://www.example.com:80"},
		{"https://198.18.0.2:8443", "shop.example.com:443", "https://shop.example.com:8443"},
		{"http://[fd00::2]:80", "a.example", "http://a.example:80"},
	} {
		if got := (Way{Target: tc[0], Host: tc[1]}).Origin(); got != tc[2] {
			t.Errorf("got %s, want %s", got, tc[2])
		}
	}
}
