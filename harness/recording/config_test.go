package recording_test

import (
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"github.com/proxychaos/proxychaos/harness/kind"
	"github.com/proxychaos/proxychaos/harness/recording"
)

func files(pairs ...string) kind.Config {
	c := kind.Config{Path: "./nginx"}
	for i := 0; i < len(pairs); i += 2 {
		c.Files = append(c.Files, kind.File{Name: pairs[i], Content: []byte(pairs[i+1])})
	}
	return c
}

func TestSaveConfig(t *testing.T) {
	dir := create(t)
	config, err := dir.SaveConfig(files("conf.d/b.conf", "b", "nginx.conf", "server {}\n"))
	must(t, err)
	if config.Path != "./nginx" || !reflect.DeepEqual(config.Files, []string{"conf.d/b.conf", "nginx.conf"}) {
		t.Errorf("got %+v", config)
	}
	text, err := os.ReadFile(filepath.Join(dir.Path, recording.ConfigDir, "nginx.conf"))
	must(t, err)
	if string(text) != "server {}\n" {
		t.Errorf("the copy holds %q", text)
	}
}

func TestConfigHashTellsNamesAndContents(t *testing.T) {
	hash := func(c kind.Config) string {
		config, err := create(t).SaveConfig(c)
		must(t, err)
		return config.SHA256
	}
	base := hash(files("a", "bc", "d", ""))
	if again := hash(files("a", "bc", "d", "")); again != base {
		t.Errorf("the same files gave %s and %s", base, again)
	}
	for _, other := range []kind.Config{files("ab", "c", "d", ""), files("a", "bcd"), files("a", "bc"), files("a", "bx", "d", ""), files("a", "bc", "e", "")} {
		if hash(other) == base {
			t.Errorf("%v has the hash of other files", other)
		}
	}
}
