package reports

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/accessibility"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/proxychaos/proxychaos/harness/recording"
)

// browser is the Chromium of the tests of the page. In CI it is an error that there is none.
func browser(t testing.TB) string {
	t.Helper()
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	const missing = "there is no chromium in PATH: as root on Debian, .ci/packages installs it"
	if os.Getenv("CI") == "true" {
		t.Fatal(missing)
	}
	t.Skip(missing)
	return ""
}

// tab is one page in Chromium, with what it complained of and asked for.
type tab struct {
	context.Context
	mutex      sync.Mutex
	complaints []string
	requests   []string
}

// patience is how long one tab may take for all that a test asks of it, on a busy machine.
const patience = 5 * time.Minute

// openTab opens an HTML file and waits until all of its plots are drawn.
func openTab(t testing.TB, file string, width, height int64) *tab {
	t.Helper()
	options := append(slices.Clone(chromedp.DefaultExecAllocatorOptions[:]), chromedp.ExecPath(browser(t)), chromedp.NoSandbox, chromedp.WSURLReadTimeout(patience))
	within, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	allocator, stop := chromedp.NewExecAllocator(within, options...)
	t.Cleanup(stop)
	ctx, end := chromedp.NewContext(allocator)
	t.Cleanup(end)
	tab := &tab{Context: ctx}
	if err := chromedp.Listen(ctx, tab.heard); err != nil {
		t.Fatal(err)
	}
	call(t, tab, network.Enable, network.EnableParams{})
	tab.do(t, chromedp.EmulateViewport(width, height), chromedp.Navigate("file://"+file))
	tab.await(t, `document.documentElement.dataset.drawn === "all"`)
	return tab
}

// call runs a command of the browser's protocol.
func call[P, R any](t testing.TB, b *tab, command cdp.Command[P, R], params P) R {
	t.Helper()
	result, err := chromedp.Call(b, command, params)
	if err != nil {
		t.Fatal(err)
	}
	return result
}

func (b *tab) heard(event any) {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	switch e := event.(type) {
	case *runtime.EventExceptionThrown:
		b.complaints = append(b.complaints, e.ExceptionDetails.Text+" "+describe(e.ExceptionDetails.Exception))
	case *runtime.EventConsoleAPICalled:
		for _, arg := range e.Args {
			b.complaints = append(b.complaints, fmt.Sprintf("console.%s %s%s", e.Type, arg.Value, arg.Description))
		}
	case *log.EventEntryAdded:
		b.complaints = append(b.complaints, e.Entry.Text+" "+e.Entry.URL)
	case *network.EventRequestWillBeSent:
		b.requests = append(b.requests, e.Request.URL)
	}
}

func describe(exception *runtime.RemoteObject) string {
	if exception == nil {
		return ""
	}
	return exception.Description
}

func (b *tab) do(t testing.TB, actions ...chromedp.Action[chromedp.Void]) {
	t.Helper()
	if err := chromedp.Do(b, actions...); err != nil {
		t.Fatal(err)
	}
}

// click clicks the first element of a selector.
func (b *tab) click(t testing.TB, selector string) {
	t.Helper()
	b.do(t, chromedp.Click(chromedp.CSS(selector)))
}

// choose takes an option of a list of choices, as a user does.
func (b *tab) choose(t testing.TB, selector, option string) {
	t.Helper()
	run(t, b, fmt.Sprintf(`(s => { s.value = %q; s.dispatchEvent(new Event("change", { bubbles: true })); })(document.querySelector(%q))`, option, selector))
}

// await waits until an expression of JavaScript is true; a promise is awaited.
func (b *tab) await(t testing.TB, expression string) {
	t.Helper()
	for looks := time.NewTicker(20 * time.Millisecond); !value[bool](t, b, expression); {
		select {
		case <-looks.C:
		case <-b.Done():
			b.mutex.Lock()
			defer b.mutex.Unlock()
			t.Fatalf("%s did not become true: %v; the browser complained: %q", expression, b.Err(), b.complaints)
		}
	}
}

// value is the value of an expression of JavaScript; a promise is awaited.
func value[T any](t testing.TB, b *tab, expression string) T {
	t.Helper()
	v, err := chromedp.Run(b, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
	if err != nil {
		t.Fatalf("%s: %v", expression, err)
	}
	return v
}

// run runs JavaScript for what it does.
func run(t testing.TB, b *tab, script string) {
	t.Helper()
	value[chromedp.Void](t, b, script)
}

// writePage writes a page into a file of its own.
func writePage(t testing.TB, p Page) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "page.html")
	f, err := os.Create(file)
	if err == nil {
		err = HTML(f, p)
	}
	if err == nil {
		err = f.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return file
}

// browserSuite is a page with what broke, held, proved nothing and was not run.
func browserSuite(t *testing.T) ([]Cell, string) {
	t.Helper()
	browser(t)
	cells := syntheticSuite(t)
	cells = []Cell{cells[1], cells[2], cells[4], cells[7], cells[9]} // apache and nginx
	return cells, writePage(t, Page{Cells: cells})
}

// quiet fails the test if the page complained or asked for anything but itself.
func (b *tab) quiet(t *testing.T, file string) {
	t.Helper()
	b.mutex.Lock()
	defer b.mutex.Unlock()
	for _, c := range b.complaints {
		t.Errorf("the browser complained: %s", c)
	}
	for _, url := range b.requests {
		if url != "file://"+file {
			t.Errorf("the page asked for %s", url)
		}
	}
	if len(b.requests) == 0 {
		t.Error("not even the request for the page was seen: the test sees nothing")
	}
}

// The page in a browser: what it draws, where its links lead, how it is used without a mouse.
func TestPageInABrowser(t *testing.T) {
	cells, file := browserSuite(t)
	b := openTab(t, file, 1280, 900)
	broken := cells[1] // apache/smax-ttl, a fix that broke; it is c1, as broken comes first
	rec, err := recording.Open(broken.Dir)
	must(t, err)
	at := slices.IndexFunc(rec.Requests, func(r recording.Request) bool { return r.Outcome != recording.OK })
	first := rec.Requests[at]
	naming := fmt.Sprintf("request %d, sent at %.3f s: %s after", first.Seq, float64(first.Sent), first.Outcome)
	readout := `document.querySelector("#c1 .readout").textContent`
	names := func(words string) string { return fmt.Sprintf("%s.toLowerCase().includes(%q)", readout, words) }

	t.Run("jumps to the first failure", func(t *testing.T) {
		b.click(t, ".jump")
		b.await(t, names(naming))
		b.await(t, `(r => r.top >= -1 && r.top < innerHeight)(document.querySelector("#c1-plots").getBoundingClientRect())`)
		if span := value[[]float64](t, b, `runOf("c1").then(r => r.plots.flatMap(u => [u.scales.x.min, u.scales.x.max]))`); len(span) != 8 || span[0] >= float64(first.Sent) || span[1] <= float64(first.Sent) || slices.Max(span)-slices.Min(span) > 3 {
			t.Errorf("the plots show %v, want all of them the same moments about %.3f", span, float64(first.Sent))
		}
	})
	t.Run("shows a request on hover", func(t *testing.T) {
		b.click(t, `#c1 [data-do=whole]`)
		b.await(t, `runOf("c1").then(r => r.latency.scales.x.min === 0)`)
		for _, i := range []int{10, at} { // one that was served, one that failed
			r := rec.Requests[i]
			run(t, b, `document.querySelector("#c1 [data-plot=latency]").scrollIntoView({ block: "center" })`)
			place := value[[]float64](t, b, fmt.Sprintf(`runOf("c1").then(r => { const u = r.latency, box = u.over.getBoundingClientRect();
				return [box.left + u.valToPos(%g, "x"), box.top + u.valToPos(Math.max(%g, 0.1), "y")]; })`, float64(r.Sent), float64(r.Latency)*1000))
			b.do(t, chromedp.MouseEvent(chromedp.MouseMoved, 5, 5), chromedp.MouseEvent(chromedp.MouseMoved, place[0], place[1]))
			b.await(t, `/request \d+, sent at/i.test(`+readout+`)`)
			// Others may lie under the same pixel.
			said := value[string](t, b, readout)
			if !strings.Contains(said, ": "+r.Outcome+" after") || !strings.Contains(said, fmt.Sprintf("sent at %d.", int(r.Sent))) {
				t.Errorf("over the dot of request %d (%s at %.3f) the page says %q", r.Seq, r.Outcome, float64(r.Sent), said)
			}
		}
	})
	t.Run("zooms by dragging", func(t *testing.T) {
		box := value[[]float64](t, b, `runOf("c1").then(r => { const b = r.plots[0].over.getBoundingClientRect(); return [b.left, b.top + b.height / 2, b.width]; })`)
		b.do(t, chromedp.DragAndDropXY(box[0]+box[2]/4, box[1], box[0]+box[2]/2, box[1]))
		b.await(t, `runOf("c1").then(r => r.plots.every(u => u.scales.x.min > r.p.end / 5 && u.scales.x.max < r.p.end * 0.6))`)
		b.click(t, `#c1 [data-do=whole]`)
		b.await(t, `runOf("c1").then(r => r.plots.every(u => u.scales.x.min === 0 && u.scales.x.max === r.p.end))`)
	})
	t.Run("goes from request to request by keys", func(t *testing.T) {
		b.click(t, `#c1 [data-do=first]`)
		b.await(t, names(naming))
		b.do(t, chromedp.Focus(chromedp.CSS(`#c1 input[type=range]`)), chromedp.KeyEvent(kb.ArrowRight))
		next := rec.Requests[at+1]
		b.await(t, names(fmt.Sprintf("request %d, sent at", next.Seq)))
		if said := value[string](t, b, `document.querySelector("#c1 input[type=range]").getAttribute("aria-valuetext")`); !strings.HasPrefix(said, fmt.Sprintf("request %d, sent at", next.Seq)) {
			t.Errorf("a screen reader is told %q", said)
		}
	})
	t.Run("follows evidence to its row and moment", func(t *testing.T) {
		// nginx/static quotes line 2 of dns.jsonl.
		cell := value[string](t, b, `[...document.querySelectorAll("article")].find(a => a.querySelector("h3").textContent.startsWith("nginx/static")).id`)
		run(t, b, fmt.Sprintf(`document.querySelector("#%s .evidence").open = true`, cell))
		b.click(t, fmt.Sprintf(`#%s a[data-row="dns.jsonl:1"], #%s a[data-row="packets.jsonl:1"]`, cell, cell))
		b.await(t, fmt.Sprintf(`document.querySelector("#%s-rows tr.here")?.dataset.line === "1"`, cell))
		b.await(t, fmt.Sprintf(`(r => r.top >= 0 && r.bottom <= innerHeight)(document.querySelector("#%s-rows tr.here").getBoundingClientRect())`, cell))
	})
	t.Run("every failed request can be reached", func(t *testing.T) {
		run(t, b, `document.querySelector("#c1-rows details[data-file='requests.jsonl']").open = true`)
		b.await(t, `!!document.querySelector("#c1-rows details[data-file='requests.jsonl'] table")`)
		b.choose(t, `#c1-rows details[data-file='requests.jsonl'] select`, "failed")
		seen := value[int](t, b, `(() => { const d = document.querySelector("#c1-rows details[data-file='requests.jsonl']"); let n = 0, last = "";
			for (;;) { const where = d.querySelector("output").textContent; if (where === last) { return n; } last = where;
				n += [...d.querySelectorAll("tbody tr")].filter(r => r.cells[3].textContent !== "ok").length; d.querySelectorAll("button")[2].click(); } })()`)
		if seen != broken.Verdict.Failed {
			t.Errorf("going on to the end shows %d failed requests, want %d", seen, broken.Verdict.Failed)
		}
	})
	t.Run("filters", func(t *testing.T) {
		for _, c := range []struct {
			name, word string
			want       int
		}{{"words", "broke", 2}, {"proxy", "nginx", 1}, {"words", "", 2}, {"words", "unproven", 1}, {"proxy", "", 1}, {"words", "", 5}} {
			b.choose(t, "select[name="+c.name+"]", c.word)
			got := value[[]int](t, b, `[document.querySelectorAll(".subjects > li:not([hidden])").length, document.querySelectorAll("article:not([hidden])").length]`)
			if got[0] != c.want {
				t.Errorf("%s %q: %d of the subjects are shown, want %d (and %d articles)", c.name, c.word, got[0], c.want, got[1])
			}
		}
	})
	t.Run("has a table behind each plot", func(t *testing.T) {
		run(t, b, `document.querySelectorAll("details").forEach(d => { d.open = true; })`)
		b.await(t, `[...document.querySelectorAll("details.behind")].every(d => d.querySelectorAll("tbody tr").length > 0)`)
		b.await(t, `[...document.querySelectorAll(".rows details")].every(d => d.querySelectorAll("tbody tr").length > 0)`)
	})
	t.Run("names every control", func(t *testing.T) { namesEveryControl(t, b) })
	t.Run("is drawn in the dark", func(t *testing.T) {
		light := value[string](t, b, `document.querySelector("#c1 canvas").toDataURL()`)
		call(t, b, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: "dark"}}})
		drawn, err := json.Marshal(light)
		must(t, err)
		b.await(t, `document.querySelector("#c1 canvas").toDataURL() !== `+string(drawn))
	})
	t.Run("can be printed", func(t *testing.T) {
		sheets, err := chromedp.Run(b, chromedp.PrintToPDF())
		must(t, err)
		if !strings.HasPrefix(string(sheets), "%PDF") {
			t.Errorf("got %d bytes that are no PDF", len(sheets))
		}
	})
	b.quiet(t, file)
}

// controls are the roles of what can be used or stands for a picture.
var controls = []string{"button", "link", "combobox", "slider", "spinbutton", "textbox", "checkbox", "image", "img", "DisclosureTriangle", "status"}

func namesEveryControl(t *testing.T, b *tab) {
	t.Helper()
	tree := call(t, b, accessibility.GetFullAXTree, accessibility.GetFullAXTreeParams{}).Nodes
	text := func(v *accessibility.Value) string {
		if v == nil {
			return ""
		}
		var s string
		_ = json.Unmarshal(v.Value, &s) // what is no text has none
		return s
	}
	seen := map[string]int{}
	for _, n := range tree {
		role := text(n.Role)
		if n.Ignored || !slices.Contains(controls, role) {
			continue
		}
		seen[role]++
		if text(n.Name) == "" {
			t.Errorf("a %s has no name: %+v", role, n.Properties)
		}
	}
	for _, role := range []string{"button", "link", "combobox", "slider", "spinbutton"} {
		if seen[role] == 0 {
			t.Errorf("the tree has no %s: %v", role, seen)
		}
	}
}

// On a narrow screen nothing has to be looked for to the right.
func TestPageOnANarrowScreen(t *testing.T) {
	_, file := browserSuite(t)
	b := openTab(t, file, 500, 900)
	run(t, b, `document.querySelectorAll("details").forEach(d => { d.open = true; })`)
	b.await(t, `[...document.querySelectorAll(".rows details")].every(d => d.querySelectorAll("tbody tr").length > 0)`)
	wide := value[[]string](t, b, `[...document.body.querySelectorAll("*")].filter(e => !e.closest("pre, .stack thead, .uplot") && e.getBoundingClientRect().right > innerWidth + 0.5).map(e => e.outerHTML.slice(0, 120))`)
	for _, e := range wide {
		t.Errorf("reaches out of the screen: %s", e)
	}
	if width := value[int](t, b, `document.documentElement.scrollWidth`); width > 500 {
		t.Errorf("the page is %d px wide on a screen of 500", width)
	}
	b.quiet(t, file)
}

// A comparison fits the screens that most people have, without a bar to push it to the side.
func TestAComparisonFitsTheScreen(t *testing.T) {
	browser(t)
	broke, held := brokeAndHeld(t)
	for name, c := range map[string]Comparison{
		"better": comparisonOf(9, []Cell{broke}, []Cell{held}), "worse": comparisonOf(9, []Cell{held}, []Cell{broke}), "cannot tell": comparisonOf(1, []Cell{broke}, []Cell{held}),
	} {
		c.A = "./" + strings.Repeat("a-long-name-of-a-folder/", 6) + "nginx.conf"
		file := writePage(t, Page{Comparison: &c})
		for _, width := range []int64{1400, 1280, 800, 500} {
			b := openTab(t, file, width, 900)
			if got := value[int](t, b, `document.documentElement.scrollWidth`); int64(got) > width {
				t.Errorf("%s: the page is %d px wide on a screen of %d", name, got, width)
			}
			b.quiet(t, file)
		}
	}
}
