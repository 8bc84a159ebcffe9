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
	resolved := files("a", "bc", "d", "")
	resolved.Resolvers = &kind.File{Name: "etc/resolv.conf", Content: []byte("search b\n")}
	if kept, err := create(t).SaveConfig(resolved); err != nil || !reflect.DeepEqual(kept.Files, []string{"a", "d", "etc/resolv.conf"}) {
		t.Errorf("got %+v, %v, want the machine's resolv.conf among the files", kept, err)
	}
	for _, other := range []kind.Config{resolved, files("ab", "c", "d", ""), files("a", "bcd"), files("a", "bc"), files("a", "bx", "d", ""), files("a", "bc", "e", "")} {
		if hash(other) == base {
			t.Errorf("%v has the hash of other files", other)
		}
	}
}

// A template is kept as its user has it: what was made of it may hold secrets. Another
// environment is another configuration all the same.
func TestSaveConfigKeepsTheTemplate(t *testing.T) {
	rendered := func(value string) kind.Config {
		return kind.Config{Env: kind.Env{Values: map[string]string{"SECRET": value}}, Files: []kind.File{{
			Name: "conf.d/a.conf", Content: []byte(value), Template: &kind.Template{Name: "templates/a.conf.template", Content: []byte("${SECRET}")},
		}}}
	}
	dir := create(t)
	config, err := dir.SaveConfig(rendered("hunter2"))
	must(t, err)
	if !reflect.DeepEqual(config.Files, []string{"templates/a.conf.template"}) || !reflect.DeepEqual(config.Env, []string{"SECRET"}) {
		t.Errorf("got %+v", config)
	}
	text, err := os.ReadFile(filepath.Join(dir.Path, recording.ConfigDir, "templates", "a.conf.template"))
	must(t, err)
	if string(text) != "${SECRET}" {
		t.Errorf("the copy holds %q", text)
	}
	other, err := create(t).SaveConfig(rendered("other"))
	must(t, err)
	if other.SHA256 == config.SHA256 {
		t.Error("another environment has the same hash")
	}
}

// A link is named and not made: it would lead somewhere on this machine.
func TestSaveConfigNamesLinks(t *testing.T) {
	c := files("nginx.conf", "x")
	without, err := create(t).SaveConfig(c)
	must(t, err)
	c.Links = []kind.Link{{Name: "modules", Target: "/usr/lib/nginx/modules"}}
	dir := create(t)
	config, err := dir.SaveConfig(c)
	must(t, err)
	if !reflect.DeepEqual(config.Links, []string{"modules -> /usr/lib/nginx/modules"}) || config.SHA256 == without.SHA256 {
		t.Errorf("got %+v", config)
	}
	if _, err := os.Lstat(filepath.Join(dir.Path, recording.ConfigDir, "modules")); err == nil {
		t.Error("the link was made")
	}
}
