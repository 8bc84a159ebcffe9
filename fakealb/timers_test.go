package fakealb_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/proxychaos/proxychaos/fakealb"
)

// The README's table of timers is what the server says of them.
func TestTimersAreDocumented(t *testing.T) {
	f := start(t, func(c *fakealb.Config) { c.TimeScale = 60 }, "127.0.82.1")
	st, err := f.Status(f.ctx)
	if err != nil {
		t.Fatal(err)
	}
	var want strings.Builder
	for _, timer := range st.Timers {
		setting := ""
		if timer.Setting != "" {
			setting = "`" + timer.Setting + "`"
		}
		fmt.Fprintf(&want, "| %s | %s | %s |\n", timer.Name, time.Duration(timer.ALB), setting)
		if timer.Real != timer.ALB/60 {
			t.Errorf("%s: got %s here, want %s / 60", timer.Name, time.Duration(timer.Real), time.Duration(timer.ALB))
		}
	}
	_, table, _ := strings.Cut(readFile(t, "README.md"), "| timer | by default | set with |\n|---|---|---|\n")
	table, _, _ = strings.Cut(table, "\n\n")
	if strings.TrimSpace(table) != strings.TrimSpace(want.String()) {
		t.Errorf("README.md has\n%s\nwant\n%s", table, want.String())
	}
	if st.Uptime.Real <= 0 || st.Uptime.ALB != st.Uptime.Real*60 {
		t.Errorf("the uptime: got %+v, want the load balancers' to be 60 times the real one", st.Uptime)
	}
}

func TestEventsHaveBothTimes(t *testing.T) {
	f := start(t, func(c *fakealb.Config) { c.TimeScale = 60 }, "127.0.82.2")
	f.set(t, fakealb.FaultLinger, f.nodes[0])
	events, err := f.History(f.ctx)
	if err != nil {
		t.Fatal(err)
	}
	for i, e := range events {
		if e.SinceStart.Real <= 0 || e.SinceStart.ALB != e.SinceStart.Real*60 || i > 0 && e.SinceStart.Real < events[i-1].SinceStart.Real {
			t.Errorf("event %d: got %+v after %+v", i, e.SinceStart, events[max(0, i-1)].SinceStart)
		}
	}
}

// notScaled are the times in the code that the time scale leaves alone, and why.
var notScaled = map[string]string{
	"maxLag":        "a bound of a setting",
	"maxGrace":      "a bound of settings of faults, which have real times",
	"maxHold":       "a bound of a request header",
	"maxDelay":      "a bound of built-in targets, which have real times, as servers have",
	"leafLife":      "certificates have real dates",
	"memory":        "how long the kernel retransmits",
	"acceptPause":   "no timer of a load balancer's",
	"answerLimit":   "no timer of a load balancer's",
	"fillerTimeout": "no timer of a load balancer's",
	"maxAwaitSent":  "how long the client's kernel may take",
	"settleTime":    "how long the transport may take",
	"writeWait":     "how long the target's kernel may take",
	"lookAfter":     "no timer of a load balancer's",
	"drainIdle":     "how long the client's kernel may take",
	"drainMax":      "how long the client's kernel may take",
}

// A time in the code is scaled, or it is in the list above. So a new one cannot be
// forgotten.
func TestEveryTimerIsScaled(t *testing.T) {
	isTime := regexp.MustCompile(`\btime\.(Millisecond|Second|Minute|Hour)\b|\bDuration\(`)
	var all strings.Builder
	consts := map[string]bool{}
	for _, folder := range []string{".", "cert", "policy", "read", "nlb", "targets", "netfault", "sticky", "rules", "capture"} {
		files, err := filepath.Glob(filepath.Join(folder, "*.go"))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			if strings.HasSuffix(file, "_test.go") {
				continue
			}
			source, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			all.Write(source)
			parsed, err := parser.ParseFile(token.NewFileSet(), file, source, 0)
			if err != nil {
				t.Fatal(err)
			}
			ast.Inspect(parsed, func(n ast.Node) bool {
				spec, ok := n.(*ast.ValueSpec)
				if !ok {
					return true
				}
				for i, value := range spec.Values {
					if isTime.Match(source[value.Pos()-1 : value.End()-1]) {
						consts[spec.Names[i].Name] = true
					}
				}
				return true
			})
		}
	}
	if len(consts) < 10 {
		t.Fatalf("got %d times in the code: %v", len(consts), consts)
	}
	for name := range consts {
		scaled := regexp.MustCompile(`scaled\(((targets|sticky)\.)?` + name + `\)`).MatchString(all.String())
		if _, known := notScaled[name]; scaled == known {
			t.Errorf("%s: scaled %t, listed as not scaled %t: want one of them", name, scaled, known)
		}
	}
	for name := range notScaled {
		if !consts[name] {
			t.Errorf("%s is listed as not scaled, and is no time in the code", name)
		}
	}
}
