package migrate

import (
	"bytes"
	"errors"
	"flag"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	crossplane "github.com/nginxinc/nginx-go-crossplane"

	"github.com/proxychaos/proxychaos/goproxy"
)

var update = flag.Bool("update", false, "write the golden files")

func run(t *testing.T, args ...string) (out, notes string, err error) {
	t.Helper()
	cmd := Command()
	cmd.SilenceErrors, cmd.SilenceUsage = true, true
	var stdout, stderr bytes.Buffer
	cmd.SetOut(&stdout)
	cmd.SetErr(&stderr)
	cmd.SetArgs(args)
	err = cmd.ExecuteContext(t.Context())
	return stdout.String(), stderr.String(), err
}

func kindOf(file string) string {
	if strings.Contains(file, "nginx") {
		return "nginx"
	}
	return "apache"
}

// The golden files hold the notes, as comments, and the config.
func TestGolden(t *testing.T) {
	files, err := filepath.Glob("testdata/*.conf")
	if err != nil || len(files) < 5 {
		t.Fatalf("%v, %v", files, err)
	}
	for _, file := range files {
		out, notes, err := run(t, file, "--from", kindOf(file), "--force")
		if err != nil {
			t.Errorf("%s: %v", file, err)
			continue
		}
		got := "# " + strings.ReplaceAll(strings.TrimSpace(notes), "\n", "\n# ") + "\n" + out
		golden := strings.TrimSuffix(file, ".conf") + ".yaml"
		if *update {
			if err := os.WriteFile(golden, []byte(got), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(golden)
		if err != nil {
			t.Fatal(err)
		}
		if got != string(want) {
			t.Errorf("%s gives\n%s\nwant\n%s", file, got, want)
		}
		if _, err := goproxy.Load(golden); err != nil {
			t.Errorf("goproxy does not take it: %v", err)
		}
	}
}

// backends are what the configs of the catalogue have for their backends: a name, or addresses.
var backends = regexp.MustCompile(`backend\.example\.com|192\.168\.1\.\d+:\d+`)

// Every config of the catalogue's Apache and nginx becomes one that sends all requests to
// its backends.
func TestCatalogue(t *testing.T) {
	var files []string
	for _, kind := range []string{"apache", "nginx"} {
		of, err := filepath.Glob("../../scenarios/configs/" + kind + "/*.conf")
		if err != nil || len(of) < 5 {
			t.Fatalf("%v, %v", of, err)
		}
		files = append(files, of...)
	}
	for _, file := range files {
		out, notes, err := run(t, file, "--from", kindOf(file))
		if err != nil {
			t.Errorf("%s: %v", file, err)
			continue
		}
		cfg, err := goproxy.Parse(file, []byte(out))
		if err != nil || len(cfg.Routes) != 1 || len(cfg.Upstreams) != 1 {
			t.Errorf("%s became\n%s\n%v", file, out, err)
			continue
		}
		up := cfg.Upstreams[cfg.Routes[0].Upstream]
		target := up.URL
		for _, m := range up.Members {
			target += m.URL
		}
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		named := backends.FindAllString(string(text), -1)
		for _, backend := range named {
			if !strings.Contains(target, "://"+backend) {
				t.Errorf("%s asks %q, which has no %s", file, target, backend)
			}
		}
		if len(named) == 0 {
			t.Errorf("%s names no backend", file)
		}
		for line := range strings.Lines(notes) {
			if !strings.HasPrefix(line, file+":") {
				t.Errorf("a note without a place: %s", line)
			}
		}
	}
}

func TestErrors(t *testing.T) {
	for name, test := range map[string]struct{ kind, text, want string }{
		"section not closed": {"apache", "<VirtualHost *:80>\n", ":1: <VirtualHost> is not closed"},
		"section not open":   {"apache", "\n</VirtualHost>\n", ":2: </VirtualHost> closes nothing that is open"},
		"quote":              {"apache", "ServerName \"a\n", ":1: the quote \" is not closed"},
		"nothing":            {"apache", "ServerName a\n", "nothing in it sends requests"},
		"not Apache's":       {"apache", "server {\n  proxy_pass http://a;\n}\n", "nothing in it sends requests"},
		"not UTF-8":          {"nginx", "# \xff\n", "not all UTF-8"},
		"brace":              {"nginx", "server {\n", "unexpected end of file"},
		"no proxy_pass":      {"nginx", "server { listen 80; }\n", "nothing in it sends requests"},
		"cannot be":          {"apache", "ProxyPass /a http://b/ stickysession=S\n", "what goproxy cannot take: upstreams.b.stickysession: no member has a route"},
	} {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "x.conf")
			if err := os.WriteFile(file, []byte(test.text), 0o600); err != nil {
				t.Fatal(err)
			}
			if _, _, err := run(t, file, "--from", test.kind); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %s", err, test.want)
			}
		})
	}
	if _, _, err := run(t, "x", "--from", "caddy"); err == nil || !strings.Contains(err.Error(), "want apache or nginx") {
		t.Errorf("got %v", err)
	}
	for _, kind := range []string{"apache", "nginx"} {
		if _, _, err := run(t, "testdata/absent", "--from", kind); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s: got %v", kind, err)
		}
	}
}

// What is read without an error has to be a config that can be written.
func requireSound(t *testing.T, cfg goproxy.Config, notes []Note, err error) {
	for _, n := range notes {
		if n.Line < 1 || n.Directive == "" || n.Reason == "" {
			t.Errorf("%+v", n)
		}
	}
	if err != nil {
		return
	}
	if err := Write(&bytes.Buffer{}, cfg, notes); err != nil {
		t.Error(err)
	}
}

func addFiles(f *testing.F, pattern string) {
	files, err := filepath.Glob(pattern)
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(data))
	}
}

func FuzzApache(f *testing.F) {
	addFiles(f, "testdata/*.conf")
	f.Add("ProxyPass /a http://b:1 max=x retry=-1\nProxyPassMatch ^(.)$ http://c/$1\n")
	f.Fuzz(func(t *testing.T, text string) {
		cfg, notes, err := parseApache("f", text, false)
		requireSound(t, cfg, notes, err)
	})
}

func FuzzNginx(f *testing.F) {
	addFiles(f, "testdata/nginx.conf")
	addFiles(f, "../../scenarios/configs/nginx/*.conf")
	f.Add("upstream a { server b weight=x; hash $c; }\nserver { location ~ ( { proxy_pass http://a/$1; } location /x { proxy_pass https://a; } }\n")
	f.Fuzz(func(t *testing.T, text string) {
		cfg, notes, err := parseNginx("f", text, crossplane.ParseOptions{
			SingleFile: true,
			Open:       func(string) (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(text)), nil },
		})
		requireSound(t, cfg, notes, err)
	})
}
