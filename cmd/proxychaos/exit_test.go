package main

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	. "github.com/onsi/gomega"
	"github.com/spf13/cobra"
)

var update = flag.Bool("update", false, "write docs/exit-codes.md")

// situation is what goes wrong, or not, and commands that it is tried with.
type situation struct {
	title, intro string
	tries        []try
}

// try is a command in a situation.
type try struct {
	words  string
	env    string // one variable
	full   bool   // standard output is on a full disk
	nobody bool   // its user owns nothing here
	// says is true if the first line is on standard output.
	says bool
}

// aDisk is a device on which nothing can be written.
const aDisk = "/dev/full"

// noEngine is where no engine listens.
const noEngine = "DOCKER_HOST=unix:///run/proxychaos-none.sock"

// special are the situations that have to be thought of for each command. The folder has
// ok.yaml, bad.yaml, bad/claims.json, bad/proxies.json, now.conf, left-out.conf, a recording run, a folder read-only and a
// full disk, full.
var special = []situation{
	{"A file that is not there, or does not say what it should", "", []try{
		{words: "goproxy run none.yaml"},
		{words: "goproxy run bad.yaml"},
		{words: "goproxy validate none.yaml"},
		{words: "goproxy validate bad.yaml"},
		{words: "goproxy validate ok.yaml", says: true},
		{words: "migrate none.conf --from nginx"},
		{words: "migrate now.conf"},
		{words: "migrate now.conf --from caddy"},
		{words: "migrate left-out.conf --from nginx"},
		{words: "recheck none"},
		{words: "recheck run-edited"},
		{words: "report none"},
		{words: "run none"},
		{words: "run alb-ip-rotate --proxy nginx --config none.conf"},
		{words: "run alb-ip-rotate --config now.conf"},
		{words: "run alb-ip-rotate --proxy ngnix --config now.conf"},
		{words: "run alb-ip-rotate --subject nginx/none"},
		{words: "run alb-ip-rotate --cloud azur"},
		{words: "run zone-flap --cloud azure"},
		{words: "run alb-ip-rotate --proxy nginx --config now.conf --env none.env"},
		{words: "run alb-ip-rotate --max-failed 3"},
		{words: "run alb-ip-rotate --rate none"},
		{words: "run alb-ip-rotate --proxy nginx --config now.conf --release bookworm"},
		{words: "run alb-ip-rotate --proxy caddy --release bookworm"},
		{words: "run alb-ip-rotate", env: "PROXYCHAOS_RATE=none"},
		{words: "run alb-ip-rotate", env: "PROXYCHAOS_QUIET=none"},
		{words: "nightly --floor none"},
		{words: "nightly --shard 9/8"},
		{words: "nightly --baseline none.json"},
		{words: "nightly --baseline now.conf"},
		{words: "report merge none"},
		{words: "report merge run run"},
		{words: "baseline none"},
		{words: "baseline run -o full/baseline.json"},
		{words: "compare --a now.conf --b now.conf --proxy nginx --why maybe"},
		{words: "compare"},
		{words: "compare --a none.conf --b now.conf", env: "PROXYCHAOS_PROXY=nginx"},
		{words: "compare --a now.conf --b now.conf"},
		{words: "compare --a now.conf --b now.conf --name none"},
		{words: "compare --a now.conf --proxy nginx --release-a stable --release-b none"},
		{words: "compare --a now.conf --b now.conf --proxy nginx --env-b none.env"},
		{words: "compare --a now.conf --b now.conf --proxy nginx --for 1s"},
		{words: "compare --a now.conf --b now.conf --proxy nginx --min-failed Inf"},
		{words: "compare --a now.conf --b now.conf --proxy nginx --min-recovery 2h"},
		{words: "compare --a now.conf --b now.conf --proxy nginx --min-p99 -20%"},
		{words: "atlas"},
		{words: "atlas --proxy goproxy"},
		{words: "atlas --proxy nginx --release stable,none"},
		{words: "report atlas none"},
		{words: "report atlas run"},
		{words: "proxies none"},
		{words: "proxies --docs bad"},
		{words: "claims none"},
		{words: "claims --stored --docs bad"},
		{words: "claims 002-valid-3s --parallel none"},
		{words: "fakealb --access-log none/access.log --nodes a=127.0.7.1"},
	}},
	{"No Docker engine", "`run`, `nightly`, `compare` and `atlas` need one, except for configs of goproxy. Of configs of several proxies only those of goproxy are run; with `CI=true` none is. An `incident` needs one in any case.", []try{
		{words: "run alb-ip-rotate --proxy nginx --config now.conf"},
		{words: "run alb-ip-rotate --proxy nginx --config now.conf", env: "DOCKER_HOST=tcp://192.0.2.1:2376"},
		{words: "run alb-ip-rotate", env: "CI=true"},
		{words: "nightly", env: "CI=true"},
		{words: "compare --a now.conf --b now.conf --proxy nginx"},
		{words: "atlas --proxy nginx"},
		{words: "claims 002-valid-3s"},
		{words: "incident govuk-2018 --quiet"},
		{words: "check", env: "PROXYCHAOS_PROXY=nginx"},
		{words: "images", env: "PROXYCHAOS_PROXY=nginx"},
	}},
	{"A full disk", "The commands write to `" + aDisk + "`, or to the folder `full` on a full disk.", []try{
		{words: "run alb-ip-rotate --proxy goproxy --config ok.yaml --runs full"},
		{words: "nightly --runs full"},
		{words: "compare --a ok.yaml --b ok.yaml --proxy goproxy --runs full"},
		{words: "report run -o full/page.html"},
		{words: "atlas --proxy nginx --runs full"},
		{words: "report atlas run --runs full"},
		{words: "claims --stored --write --docs full"},
		{words: "claims --stored", full: true},
		{words: "man full/man"},
		{words: "man man", full: true},
		{words: "--help", full: true},
		{words: "help goproxy", full: true},
		{words: "--version", full: true},
		{words: "version", full: true},
		{words: "list", full: true},
		{words: "completion bash", full: true},
		{words: "completion fish", full: true},
		{words: "completion powershell", full: true},
		{words: "completion zsh", full: true},
		{words: "goproxy validate ok.yaml", full: true},
		{words: "goproxy schema", full: true},
		{words: "migrate now.conf --from nginx", full: true},
		{words: "recheck run", full: true},
		{words: "report run -o " + aDisk},
		{words: "fakedns --listen 127.0.0.1:0 --control 127.0.0.1:0", full: true},
		{words: "fakealb --control 127.0.0.1:0", full: true},
	}},
	{"A folder that cannot be written to", "", []try{
		{words: "report run -o read-only/page.html", nobody: true},
		{words: "man read-only/man", nobody: true},
		{words: "run alb-ip-rotate --proxy nginx --config now.conf --runs read-only/runs", nobody: true},
		{words: "nightly --runs read-only/runs", nobody: true},
		{words: "compare --a now.conf --b now.conf --proxy nginx", env: "PROXYCHAOS_RUNS=read-only/runs", nobody: true},
		{words: "check", env: "PROXYCHAOS_RUNS=read-only", nobody: true},
		{words: "claims --stored --write --docs read-only", nobody: true},
		{words: "claims 002-valid-3s --runs read-only", nobody: true},
		{words: "fakealb --access-log read-only/access.log --nodes a=127.0.7.1", nobody: true},
	}},
}

// general are the situations that every command can be in.
func general(root *cobra.Command) []situation {
	help := situation{title: "Asked for help"}
	flags := situation{title: "A wrong flag"}
	words := situation{title: "A wrong word, or none"}
	var add func(*cobra.Command)
	add = func(c *cobra.Command) {
		path := strings.TrimSpace(strings.TrimPrefix(c.CommandPath(), root.Name()))
		help.tries = append(help.tries, try{words: strings.TrimSpace(path + " --help"), says: true})
		flags.tries = append(flags.tries, try{words: strings.TrimSpace(path + " --wrong")})
		wrong := path + " wrong"
		if c.Args != nil && c.Args(c, []string{"wrong"}) == nil && !c.HasSubCommands() && c.Name() != "help" {
			wrong = path // it takes files: what is wrong is that there is none
		}
		words.tries = append(words.tries, try{words: strings.TrimSpace(wrong)})
		for _, sub := range c.Commands() {
			if !sub.Hidden {
				add(sub)
			}
		}
	}
	add(root)
	return []situation{help, flags, words}
}

// materials is a folder with what the tries name, which another user can read.
func materials(t *testing.T) string {
	t.Helper()
	g := NewWithT(t)
	dir, err := os.MkdirTemp("", "proxychaos-exit-") // t.TempDir is for its owner only
	g.Expect(err).NotTo(HaveOccurred())
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	g.Expect(os.Mkdir(filepath.Join(dir, "bad"), 0o755)).To(Succeed())
	for name, text := range map[string]string{
		"bad/claims.json":  "{",
		"bad/proxies.json": "{",
		"ok.yaml":          "listen: 127.0.0.1:0\nroutes: [{upstream: a}]\nupstreams: {a: {url: \"http://a.example.com:8080\"}}\n",
		"bad.yaml":         "lissen: 127.0.0.1:0\n",
		"now.conf":         "server {\n    location / { proxy_pass http://backend.example.com; }\n}\n",
		"left-out.conf":    "server {\n    location / { proxy_pass http://backend.example.com; }\n    location /x/ { allow 10.0.0.0/8; deny all; proxy_pass http://backend.example.com; }\n}\n",
	} {
		g.Expect(os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600)).To(Succeed())
	}
	g.Expect(os.CopyFS(filepath.Join(dir, "run"), os.DirFS(record(t, 7)))).To(Succeed())
	g.Expect(os.CopyFS(filepath.Join(dir, "run-edited"), os.DirFS(record(t, 7)))).To(Succeed())
	g.Expect(os.WriteFile(filepath.Join(dir, "run-edited", "verdict.json"), []byte(`{"result": "pass"}`), 0o600)).To(Succeed())
	g.Expect(os.Mkdir(filepath.Join(dir, "read-only"), 0o755)).To(Succeed())
	g.Expect(exec.Command("chmod", "-R", "a+rX", dir).Run()).To(Succeed())
	g.Expect(os.Chmod(filepath.Join(dir, "read-only"), 0o555)).To(Succeed())
	fillDisk(t, filepath.Join(dir, "full"))
	return dir
}

// fillDisk mounts a full disk at a folder.
func fillDisk(t *testing.T, dir string) {
	t.Helper()
	if os.Getuid() != 0 {
		t.Fatal("needs root: it mounts a disk")
	}
	g := NewWithT(t)
	g.Expect(os.Mkdir(dir, 0o755)).To(Succeed())
	g.Expect(syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=16k")).To(Succeed())
	t.Cleanup(func() { g.Expect(syscall.Unmount(dir, 0)).To(Succeed()) })
	err := os.WriteFile(filepath.Join(dir, "ballast"), make([]byte, 64<<10), 0o600)
	g.Expect(err).To(MatchError(syscall.ENOSPC))
}

// in runs a try in the folder and returns what became of it.
func (c try) in(t *testing.T, dir string) ran {
	t.Helper()
	var stdout, stderr bytes.Buffer
	cmd := exec.CommandContext(t.Context(), program, strings.Fields(c.words)...)
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = dir, clean(append([]string{noEngine, "CI="}, strings.Fields(c.env)...)...), &stdout, &stderr
	if c.full {
		disk, err := os.OpenFile(aDisk, os.O_WRONLY, 0)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = disk.Close() }()
		cmd.Stdout = disk
	}
	if c.nobody && os.Getuid() == 0 { // root may write everywhere
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	}
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return ran{cmd.ProcessState.ExitCode(), stdout.String(), stderr.String()}
}

// Whatever is wrong with a command, it says so in one line and ends with the code that
// docs/exit-codes.md has for it. The table there is made by
// `go test ./cmd/proxychaos -run TestExitCodes -update`.
func TestExitCodes(t *testing.T) {
	dir := materials(t)
	var table strings.Builder
	for _, s := range append(general(newRoot()), special...) {
		fmt.Fprintf(&table, "\n### %s\n", s.title)
		if s.intro != "" {
			fmt.Fprintf(&table, "\n%s\n", s.intro)
		}
		table.WriteString("\n| `proxychaos` ... | exit | says |\n|---|--:|---|\n")
		for _, c := range s.tries {
			got := c.in(t, dir)
			said, silent := got.stderr, got.stdout
			if c.says {
				said, silent = got.stdout, got.stderr
			}
			first, rest, _ := strings.Cut(said, "\n")
			if _, after, found := strings.Cut(said, "\nproxychaos: "); found {
				first = "proxychaos: " + strings.TrimSuffix(after, "\n")
			}
			name := strings.TrimSpace(c.env + " " + c.words)
			switch {
			case c.says && (got.code != exitDone || silent != ""):
				t.Errorf("%s: exit %d, and %q on standard error: want success", name, got.code, silent)
			case !c.says && (got.code != exitWrong && got.code != exitTrouble && got.code != exitNotRun || !strings.Contains(said, "proxychaos: ")):
				t.Errorf("%s: exit %d, %q: want 1, 2 or 3, and a line that begins with proxychaos:", name, got.code, said)
			case !c.says && rest != "" && !strings.HasPrefix(c.words, "migrate") && !strings.HasPrefix(c.words, "fake"):
				t.Errorf("%s: more than one line: %s", name, said)
			case first == "":
				t.Errorf("%s: says nothing", name)
			case strings.Contains(said, "goroutine "):
				t.Errorf("%s: panics: %s", name, said)
			}
			fmt.Fprintf(&table, "| `%s` | %d | %s |\n", name, got.code, inTable(first))
		}
	}
	checkDoc(t, "../../docs/exit-codes.md", table.String())
}

// inTable is a line as a cell of a Markdown table has it.
func inTable(line string) string {
	if len(line) > 150 {
		line = line[:150] + "..."
	}
	return strings.NewReplacer("|", `\|`, "<", "&lt;", "*", `\*`).Replace(line)
}

// checkDoc compares what follows the marker of a doc with the text, or writes it.
func checkDoc(t *testing.T, path, text string) {
	t.Helper()
	const marker = "<!-- what follows is made by TestExitCodes -->\n"
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	head, got, found := strings.Cut(string(content), marker)
	switch {
	case !found:
		t.Fatalf("%s has no %q", path, marker)
	case got == text:
	case *update:
		if err := os.WriteFile(path, []byte(head+marker+text), 0o600); err != nil {
			t.Fatal(err)
		}
	default:
		t.Errorf("%s is not what the commands do; go test ./cmd/proxychaos -run TestExitCodes -update writes\n%s", path, text)
	}
}

// Every command that runs cells ends with 130 after Ctrl-C, and the docs name each.
func TestInterruptsInTheDocs(t *testing.T) {
	g := NewWithT(t)
	text, err := os.ReadFile("../../docs/exit-codes.md")
	g.Expect(err).NotTo(HaveOccurred())
	var row string
	for line := range strings.Lines(string(text)) {
		if strings.HasPrefix(line, fmt.Sprintf("| %d |", exitInterrupted)) {
			row = line
		}
	}
	seen := 0
	every(newRoot(), nil, func(c *cobra.Command, _ []string) {
		if c.Flags().Lookup(flagOf("PARALLEL")) != nil {
			g.Expect(row).To(ContainSubstring("`" + c.Name() + "`"))
			seen++
		}
	})
	g.Expect(seen).To(BeNumerically(">", 4))
}
