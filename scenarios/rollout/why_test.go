package rollout

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/proxychaos/proxychaos/harness/judge"
	"github.com/proxychaos/proxychaos/harness/recording"
	"github.com/proxychaos/proxychaos/harness/run"
	"github.com/proxychaos/proxychaos/reports"
	"github.com/proxychaos/proxychaos/reports/compare"
)

// pair is two configurations with four directives changed, of which one matters.
type pair struct {
	name, a, b string
	// bad is a text that is in every config that loses requests, or, if not, in none.
	bad     string
	without bool   // it is bad not to have it
	blamed  string // what the report says of the change
}

const nginxNow = `upstream backend {
    server backend.example.com resolve;
    keepalive 8;
}
server {
    listen 80;
    resolver 127.0.0.1 valid=2s;
    client_max_body_size 10m;
    location / {
        proxy_pass http://backend;
        proxy_http_version 1.1;
        proxy_set_header Connection "";
        proxy_read_timeout 60s;
    }
}
`

// pairs are ten, of several proxies and of changes of several shapes.
var pairs = []pair{
	{
		"a parameter taken out", nginxNow,
		swap(nginxNow, "backend.example.com resolve;", "backend.example.com;", "10m", "20m", "60s", "30s", "keepalive 8", "keepalive 16"),
		"backend.example.com resolve;", true, ":2: server backend.example.com resolve; became server backend.example.com;",
	},
	{
		"lines beside each other", nginxNow,
		swap(nginxNow, "proxy_http_version 1.1;", "proxy_http_version 1.0;", `Connection "";`, "Connection close;", "60s", "1s", "10m", "20m"),
		"proxy_read_timeout 1s", false, ":13: proxy_read_timeout 60s; became proxy_read_timeout 1s;",
	},
	{
		"a line added among changed ones", nginxNow,
		swap(nginxNow, "        proxy_read_timeout 60s;\n", "        proxy_read_timeout 61s;\n        proxy_next_upstream off;\n", "10m", "20m", "keepalive 8", "keepalive 9"),
		"proxy_next_upstream off", false, ":14: proxy_next_upstream off; was added",
	},
	{
		"a line taken out among changed ones", nginxNow,
		swap(nginxNow, "    resolver 127.0.0.1 valid=2s;\n    client_max_body_size 10m;\n", "    client_max_body_size 20m;\n", "60s", "61s", "keepalive 8", "keepalive 9"),
		"resolver 127.0.0.1", true, ":7: resolver 127.0.0.1 valid=2s; was taken out",
	},
	{
		"a block added", nginxNow,
		swap(nginxNow, "    location / {", "    location /old {\n        # gone\n        if ($arg_x) {\n            return 503;\n        }\n    }\n    location / {", "10m", "20m", "60s", "61s", "keepalive 8", "keepalive 9"),
		"return 503", false, ":9: location /old { # gone if ($arg_x) { return 503; } } was added",
	},
	{
		"a comment and an indentation are no changes", nginxNow,
		swap(nginxNow, "server {\n", "# next\nserver {\n", "    listen 80;", "\tlisten 80;", "valid=2s", "valid=600s", "10m", "20m", "60s", "61s", "keepalive 8", "keepalive 9"),
		"valid=600s", false, ":8: resolver 127.0.0.1 valid=2s; became resolver 127.0.0.1 valid=600s;",
	},
	{
		"Apache, in a section",
		"<VirtualHost *:80>\n  ServerName a\n  ProxyPass / http://backend.example.com/ disablereuse=On\n  ProxyTimeout 5\n  KeepAlive On\n  Timeout 60\n</VirtualHost>\n",
		"<VirtualHost *:80>\n  ServerName b\n  ProxyPass / http://backend.example.com/\n  ProxyTimeout 6\n  KeepAlive On\n  Timeout 61\n</VirtualHost>\n",
		"disablereuse=On", true, "ProxyPass / http://backend.example.com/ disablereuse=On became ProxyPass / http://backend.example.com/",
	},
	{
		"HAProxy",
		"defaults\n  timeout connect 3s\n  timeout server 10s\nresolvers dns\n  nameserver one 127.0.0.1:53\n  hold valid 1s\nbackend b\n  balance roundrobin\n  server-template s 4 backend.example.com:80 resolvers dns\n",
		"defaults\n  timeout connect 4s\n  timeout server 11s\nresolvers dns\n  nameserver one 127.0.0.1:53\n  hold valid 9h\nbackend b\n  balance leastconn\n  server-template s 4 backend.example.com:80 resolvers dns\n",
		"hold valid 9h", false, ":6: hold valid 1s became hold valid 9h",
	},
	{
		"Caddy", "example.com {\n\treverse_proxy {\n\t\tdynamic a backend.example.com 80 {\n\t\t\trefresh 1s\n\t\t}\n\t\tlb_policy random\n\t}\n\tencode gzip\n\tlog\n}\n",
		"example.com {\n\treverse_proxy {\n\t\tdynamic a backend.example.com 80 {\n\t\t\trefresh 10m\n\t\t}\n\t\tlb_policy first\n\t}\n\tencode zstd\n}\n",
		"refresh 10m", false, ":4: refresh 1s became refresh 10m",
	},
	{
		"goproxy", "listen: \":8080\"\nroutes:\n  - upstream: backend\nupstreams:\n  backend:\n    url: http://backend.example.com:8080\n    refresh: 1s\n    timeout: 2s\n    retries: 2\n",
		"listen: \":8081\"\nroutes:\n  - upstream: backend\nupstreams:\n  backend:\n    url: http://backend.example.com:8080\n    refresh: 2s\n    timeout: 3s\n    retries: 0\n",
		"retries: 0", false, ":9: retries: 2 became retries: 0",
	},
}

// swap replaces texts, each with the one after it.
func swap(text string, pairs ...string) string { return strings.NewReplacer(pairs...).Replace(text) }

// sick says whether a lab of made-up proxies has the config at a path lose requests.
func (p pair) sick(path string) bool {
	var all strings.Builder
	files, _, err := readTree(path)
	if err != nil {
		panic(err)
	}
	for _, text := range files {
		all.WriteString(text)
	}
	return strings.Contains(all.String(), p.bad) != p.without
}

// compared runs A and B in the made-up lab until there is a word.
func (p pair) compared(t *testing.T, a, b string) (compare.Word, error) {
	t.Helper()
	q := question(1, "s")
	q.A.Config, q.B.Config = a, b
	j := opened(t, t.TempDir())
	play := func(_ context.Context, c run.Cell, seed uint64) run.Result {
		r := run.Result{Cell: c, Dir: "somewhere"}
		r.Manifest.Scenario, r.Manifest.Plan.Seed = c.Scenario.Name, seed
		r.Verdict = judge.Verdict{Result: judge.Pass, Sent: 2000, Window: 8}
		if recovery := recording.Seconds(3); p.sick(c.Subject.Config) {
			r.Verdict.Result, r.Verdict.Failed, r.Verdict.Recovery = judge.Fail, 300+int(seed%7), &recovery
		}
		return r
	}
	err := newRunner(q, play, j, func(string, ...any) {}).answer(t.Context())
	return q.Decide(j).Word, err
}

// write puts a config into a file, or, if folder, into one of several in a folder.
func write(t *testing.T, name, text string, folder bool) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	files := map[string]string{path: text}
	if folder {
		files = map[string]string{filepath.Join(path, "conf.d", "site.conf"): text, filepath.Join(path, "mime.types"): "types {}\n"}
	}
	for file, text := range files {
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return path
}

// Of four changes the one that matters is named, in ten pairs of ten, as files and as folders;
// also if B is the better one.
func TestWhyNamesTheDirective(t *testing.T) {
	named := 0
	for _, p := range pairs {
		for shape, c := range map[string]struct{ folder, back bool }{"files": {}, "folders": {folder: true}, "better": {back: true}} {
			a, b := write(t, "now.conf", p.a, c.folder), write(t, "next.conf", p.b, c.folder)
			want := compare.Worse
			if c.back {
				a, b, want = b, a, compare.Better
			}
			word, err := p.compared(t, a, b)
			if err != nil || word != want {
				t.Fatalf("%s: %s, %v", p.name, word, err)
			}
			changed, err := FindChanges(a, b)
			if err != nil {
				t.Fatal(err)
			}
			if len(changed.Changes) != 4 {
				t.Errorf("%s, %s: %d changes, want 4: %v", p.name, shape, len(changed.Changes), changed.Changes)
			}
			blames, err := Why(t.Context(), changed, word, func(_ context.Context, _ Change, b string) (compare.Word, error) { return p.compared(t, a, b) })
			if err != nil {
				t.Fatal(err)
			}
			var matter []string
			for _, blame := range blames {
				if blame.Part == reports.Matters {
					matter = append(matter, blame.Change)
				}
			}
			if len(matter) != 1 || !c.back && !strings.Contains(matter[0], p.blamed) {
				t.Errorf("%s, %s: blamed %q, want one: %q", p.name, shape, matter, p.blamed)
				continue
			}
			named++
		}
	}
	t.Logf("named in %d of %d", named, 3*len(pairs))
}

// A config that does not run without a change leaves that change open, and the others told.
func TestWhyOfWhatDoesNotRun(t *testing.T) {
	a, b := write(t, "now.conf", "one 1;\ntwo 1;\n", false), write(t, "next.conf", "one 2;\ntwo 2;\n", false)
	changed, err := FindChanges(a, b)
	if err != nil {
		t.Fatal(err)
	}
	fails := errors.New("unknown directive")
	blames, err := Why(t.Context(), changed, compare.Worse, func(_ context.Context, _ Change, b string) (compare.Word, error) {
		if text, _ := os.ReadFile(b); strings.HasPrefix(string(text), "one 1;") {
			return "", fails
		}
		return compare.CannotTell, nil
	})
	if err != nil || len(blames) != 2 || blames[0].Part != reports.PartNotKnown || !errors.Is(blames[0].Err, fails) || blames[1].Part != reports.PartNotKnown {
		t.Errorf("%+v, %v", blames, err)
	}
	ctx, interrupt := context.WithCancel(t.Context())
	if _, err := Why(ctx, changed, compare.Worse, func(context.Context, Change, string) (compare.Word, error) { interrupt(); return "", nil }); !errors.Is(err, context.Canceled) {
		t.Errorf("an interrupt: %v", err)
	}
}

// Files that only one of two folders has, and that are no text, are changes as a whole.
func TestChangesOfFolders(t *testing.T) {
	a, b := t.TempDir(), t.TempDir()
	for path, text := range map[string]string{
		filepath.Join(a, "old.conf"): "a;\n", filepath.Join(b, "new.conf"): "b;\n",
		filepath.Join(a, "key.der"): "\xff\x00", filepath.Join(b, "key.der"): "\xff\x01",
		filepath.Join(a, "same.conf"): "s;\n", filepath.Join(b, "same.conf"): "s;\n",
	} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	changed, err := FindChanges(a, b)
	if err != nil {
		t.Fatal(err)
	}
	var files []string
	for i, change := range changed.Changes {
		files = append(files, change.File)
		into := t.TempDir()
		path, err := changed.Without(i, into)
		if err != nil {
			t.Fatal(err)
		}
		got, _, err := readTree(path)
		if err != nil {
			t.Fatal(err)
		}
		switch change.File {
		case "key.der":
			if got["key.der"] != "\xff\x00" || len(got) != 3 {
				t.Errorf("without the change of key.der: %q", got)
			}
		case "new.conf":
			if _, there := got["new.conf"]; there || len(got) != 2 {
				t.Errorf("without new.conf: %q", got)
			}
		case "old.conf":
			if got["old.conf"] != "a;\n" || len(got) != 4 {
				t.Errorf("with old.conf again: %q", got)
			}
		}
	}
	if !slices.Equal(files, []string{"key.der", "new.conf", "old.conf"}) {
		t.Errorf("%v changed", files)
	}
	if _, err := FindChanges(a, filepath.Join(b, "new.conf")); !errors.Is(err, errUnlike) {
		t.Errorf("a folder and a file: %v", err)
	}
	if _, err := FindChanges(filepath.Join(a, "none"), b); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("nothing and a folder: %v", err)
	}
}
