package recording_test

import (
	"net"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/proxychaos/proxychaos/harness/recording"
)

// tree writes files (name to contents) to a new folder.
func tree(t *testing.T, files map[string]string) string {
	t.Helper()
	root := t.TempDir()
	for name, text := range files {
		path := filepath.Join(root, name)
		must(t, os.MkdirAll(filepath.Dir(path), 0o755))
		must(t, os.WriteFile(path, []byte(text), 0o644))
	}
	return root
}

func TestCopyConfigOfAFile(t *testing.T) {
	dir := create(t)
	from := filepath.Join(tree(t, map[string]string{"default.conf": "server {}\n"}), "default.conf")
	config, err := dir.CopyConfig(from)
	must(t, err)
	if config.Path != from || !reflect.DeepEqual(config.Files, []string{"default.conf"}) {
		t.Errorf("got %+v", config)
	}
	text, err := os.ReadFile(filepath.Join(dir.Path, recording.ConfigDir, "default.conf"))
	must(t, err)
	if string(text) != "server {}\n" {
		t.Errorf("the copy holds %q", text)
	}
}

func TestCopyConfigOfAFolder(t *testing.T) {
	dir := create(t)
	from := tree(t, map[string]string{"nginx.conf": "a", "conf.d/b.conf": "b", "available/site": "s"})
	must(t, os.Mkdir(filepath.Join(from, "enabled"), 0o755))
	must(t, os.Symlink("../available/site", filepath.Join(from, "enabled", "site")))
	config, err := dir.CopyConfig(from)
	must(t, err)
	if want := []string{"available/site", "conf.d/b.conf", "enabled/site", "nginx.conf"}; !reflect.DeepEqual(config.Files, want) {
		t.Errorf("got files %v, want %v", config.Files, want)
	}
	info, err := os.Lstat(filepath.Join(dir.Path, recording.ConfigDir, "enabled", "site"))
	must(t, err)
	if !info.Mode().IsRegular() {
		t.Errorf("the link was copied as %v, want its contents", info.Mode())
	}
}

func TestConfigHashTellsNamesAndContents(t *testing.T) {
	hash := func(files map[string]string) string {
		config, err := create(t).CopyConfig(tree(t, files))
		must(t, err)
		return config.SHA256
	}
	base := hash(map[string]string{"a": "bc", "d": ""})
	if again := hash(map[string]string{"d": "", "a": "bc"}); again != base {
		t.Errorf("the same files gave %s and %s", base, again)
	}
	for _, other := range []map[string]string{{"ab": "c", "d": ""}, {"a": "bcd", "": ""}, {"a": "bc"}, {"a": "bx", "d": ""}, {"a": "bc", "e": ""}} {
		delete(other, "")
		if hash(other) == base {
			t.Errorf("%v has the hash of other files", other)
		}
	}
}

func TestCopyConfigRefuses(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "s")
	listener, err := net.Listen("unix", socket)
	must(t, err)
	defer listener.Close()
	looped := tree(t, map[string]string{"a": "a"})
	must(t, os.Symlink(looped, filepath.Join(looped, "self")))
	for from, want := range map[string]string{
		filepath.Join(t.TempDir(), "absent"): "absent",
		t.TempDir():                          "holds no file",
		socket:                               "neither a file nor a folder",
		filepath.Dir(socket):                 "not a file",
		looped:                               "self",
	} {
		if _, err := create(t).CopyConfig(from); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got error %v, want %q", from, err, want)
		}
	}
}
