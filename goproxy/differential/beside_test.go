package differential

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/proxychaos/proxychaos/goproxy"
)

// bench is a proxy in front of a recorder of its own, with a config that passes on
// whatever it takes.
type bench struct {
	name    string
	address string
	backend *recorder
}

// plainPeers pass all on; goproxy is told apart.
var plainPeers = []peer{
	{name: "apache", files: []string{"plain.httpd.conf"}, start: func(root string) *exec.Cmd {
		return exec.Command("apache2", "-D", "FOREGROUND", "-f", root+"/plain.httpd.conf")
	}},
	{name: "nginx", files: []string{"plain.nginx.conf"}, start: func(root string) *exec.Cmd {
		return exec.Command("nginx", "-p", root, "-c", root+"/plain.nginx.conf")
	}},
	{name: "haproxy", files: []string{"plain.haproxy.cfg"}, start: func(root string) *exec.Cmd {
		return exec.Command("haproxy", "-db", "-f", root+"/plain.haproxy.cfg")
	}},
}

func startBenches(t testing.TB) (peers []bench, ours bench) {
	for _, p := range plainPeers {
		backend := startRecorder(t)
		listen := freePort(t)
		root := t.TempDir()
		if err := os.Chmod(root, 0o755); err != nil { //nolint:gosec // nginx's and Apache's workers are not root
			t.Fatal(err)
		}
		writeFiles(t, p.files, root, listen, backend.port())
		address := "127.0.0.1:" + listen
		startProcess(t, p.start(root), address, root)
		peers = append(peers, bench{p.name, address, backend})
	}
	backend := startRecorder(t)
	return peers, bench{"goproxy", startGoproxy(t, goproxy.Config{
		Routes:    []goproxy.Route{{Upstream: "app", PreserveHost: true}},
		Upstreams: map[string]goproxy.Upstream{"app": {URL: "http://" + backend.Addr().String(), Retries: goproxy.Retries{Attempts: 1, HedgeAfter: goproxy.Off}}},
	}), backend}
}

// outcome is the result of a shot.
type outcome struct {
	passed  []string // requests as the backend read them
	answers []string // responses as the client read them
}

func (o outcome) String() string {
	return fmt.Sprintf("  passed on %d:\n%s\n  answered %d:\n%s", len(o.passed), indented(o.passed), len(o.answers), indented(o.answers))
}

func indented(all []string) string {
	return "    " + strings.ReplaceAll(clipped(strings.Join(all, "\n--\n")), "\n", "\n    ")
}

// clipped is a text that can be read.
func clipped(s string) string {
	if len(s) > 3000 {
		return s[:2000] + " ... " + s[len(s)-900:]
	}
	return s
}

// patience is how long the end of a connection is waited for.
const patience = 20 * time.Second

// fire sends the shot and returns the result, when the proxy has closed the
// connection.
func (b bench) fire(t testing.TB, s shot) outcome {
	t.Helper()
	b.backend.begin(s)
	conn, err := net.Dial("tcp", b.address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(patience))
	go s.send(conn)
	var o outcome
	for from := bufio.NewReader(conn); ; {
		head := len(o.answers) < len(s.heads) && s.heads[len(o.answers)]
		m, err := readResponse(from, head)
		if m.line == "" && err != nil {
			if errors.Is(err, os.ErrDeadlineExceeded) {
				o.answers = append(o.answers, "and no end")
			}
			break
		}
		if status := m.status(); status == "100" || status == "103" {
			continue // proxies need not pass these on
		}
		answer := answerOf(m, err)
		o.answers = append(o.answers, answer)
		own := answer == refused || answer == failed
		if err != nil || m.flaw != "" || (own && slices.Contains(m.values("Connection"), "close")) {
			break
		}
	}
	// That the proxy refuses what comes behind is not always seen before the reset.
	for n := len(o.answers); n > 0 && o.answers[n-1] == refused; n-- {
		o.answers = o.answers[:n-1]
	}
	for _, m := range b.backend.whole() {
		o.passed = append(o.passed, m.endToEnd())
	}
	return o
}

func (s shot) send(conn net.Conn) {
	at := 0
	cuts := slices.Sorted(slices.Values(s.cuts))
	for _, cut := range append(cuts, len(s.bytes)) {
		if _, err := io.WriteString(conn, s.bytes[at:cut]); err != nil {
			return // it was answered before
		}
		at = cut
	}
}

// status is that of a response.
func (m message) status() string {
	_, rest, _ := strings.Cut(m.line, " ")
	status, _, _ := strings.Cut(rest, " ")
	return status
}

// readResponse reads what a proxy, or a backend, sent.
func readResponse(from *bufio.Reader, head bool) (message, error) {
	return readMessage(from, func(m message) string {
		status := m.status()
		lengths, codings := m.values("Content-Length"), m.values("Transfer-Encoding")
		switch {
		case head || strings.HasPrefix(status, "1") || status == "204" || status == "304":
			return ""
		case len(lengths)+len(codings) > 1:
			return fmt.Sprintf("lengths %q and codings %q", lengths, codings)
		case len(codings) == 1:
			return "chunked"
		case len(lengths) == 1:
			return lengths[0]
		}
		return "close"
	})
}

// What proxies say themselves is their own affair, but for whose fault it is.
const (
	refused = "a refusal of the proxy's own"
	failed  = "a failure of the proxy's own"
)

// answerOf is an answer in one text.
func answerOf(m message, err error) string {
	own := len(m.values("X-Backend")) == 0
	switch {
	case m.flaw != "":
		return "FLAW " + m.flaw
	case own && m.status() >= "5" && m.status() != "501" && m.status() != "505":
		return failed
	case own:
		return refused
	case err != nil:
		return "broken off, " + m.status()
	}
	m.line = m.status()
	return m.endToEnd()
}

// meant is what should come of a sound shot: each request reaches the backend, and each
// answer the client, as it was written.
func (s shot) meant(t testing.TB) outcome {
	t.Helper()
	var o outcome
	requests := bufio.NewReader(strings.NewReader(s.bytes))
	for n := 0; ; n++ {
		m, err := readMessage(requests, requestFraming)
		if errors.Is(err, io.EOF) {
			return o
		}
		if err != nil || m.flaw != "" {
			t.Fatalf("a sound shot has request %d with %v %s", n, err, m.flaw)
		}
		m.fields = slices.DeleteFunc(m.fields, func(f string) bool { return strings.HasPrefix(f, "X-Hop:") })
		o.passed = append(o.passed, m.endToEnd())
		text := otherAnswer
		if n < len(s.answers) {
			text = s.answers[n]
		}
		answer := bufio.NewReader(strings.NewReader(text))
		head := n < len(s.heads) && s.heads[n]
		a, err := readResponse(answer, head)
		if a.status() == "103" {
			a, err = readResponse(answer, head)
		}
		o.answers = append(o.answers, answerOf(a, err))
	}
}

// FuzzBesideOthers sends random requests through goproxy, and gets random answers. What
// is sound has to arrive as it was written. What is not is sent through Apache, nginx
// and HAProxy too: goproxy may do what one of them does, or refuse what one of them
// refuses. What it refuses alone is in stricter, with the reason.
//
// go test -fuzz=FuzzBesideOthers -fuzztime=30m ./goproxy/differential goes on with
// seeds of its own.
func FuzzBesideOthers(f *testing.F) {
	for seed := range uint64(300) {
		f.Add(seed)
	}
	peers, ours := startBenches(f)
	f.Fuzz(func(t *testing.T, seed uint64) {
		s := drawShot(seed)
		got := ours.fire(t, s)
		for _, m := range slices.Concat(got.passed, got.answers) {
			if strings.HasPrefix(m, "FLAW") {
				t.Errorf("goproxy sent %s", m)
			}
		}
		if s.sound {
			if want := s.meant(t); !same(got, want) {
				t.Errorf("%q\ngoproxy\n%v\nwritten\n%v", clipped(s.bytes), got, want)
			}
			return
		}
		theirs := make([]outcome, len(peers))
		var all sync.WaitGroup
		for i, p := range peers {
			all.Go(func() { theirs[i] = p.fire(t, s) })
		}
		all.Wait()
		if !s.allows(got, theirs) {
			t.Errorf("%q\nwrong: %s\ngoproxy\n%v\nApache\n%v\nnginx\n%v\nHAProxy\n%v", clipped(s.bytes), s.wrong, got, theirs[0], theirs[1], theirs[2])
		}
	})
}

// stricter is what goproxy refuses, or answers with a failure, though Apache, nginx
// and HAProxy take it, and why.
var stricter = map[string]string{
	"a name like a coding's":             "Gateways that turn - into _ take it for Transfer-Encoding or Content-Length.",
	"a trailer":                          "RFC 9110, 6.5.1: such a field must not come after the body that it is about.",
	"a version":                          "There is no HTTP/1.2, and who says so wants to be read in two ways.",
	"Connection":                         "What is no name is no option; nothing tells what was meant to be taken away.",
	"a chunk size":                       "RFC 9112, 7.1: no space stands behind the size, and none is guessed.",
	"an empty line first":                "RFC 9112, 2.2, asks for one empty line, and two are no more than that.",
	"an absolute target":                 "Its host has to be that of the Host field, so that nobody takes the other one.",
	"an answer with a bad chunk size":    "As in a request.",
	"an answer with a bad status":        "RFC 9110, 15: a status is 100 to 599.",
	"an answer with a length and chunks": "RFC 9112, 6.3: two ways to say the length are how responses are smuggled.",
	"an answer cut in its body":          "A response of up to 32 KiB is read before it is passed on, so the client gets a whole answer.",
}

// looser is what goproxy passes on in its own way, and why.
var looser = map[string]string{
	"a large head": "A head may have 64 KiB.",
	"Upgrade":      "Whether there is one is for the upstream to say, whatever the method.",
	"a target":     "A path with dot segments is sent as routes see it: table_test.go has such paths.",
}

// allows reports whether a shot that is not sound may come to that.
func (s shot) allows(got outcome, theirs []outcome) bool {
	if looser[s.wrong] != "" || slices.ContainsFunc(theirs, func(o outcome) bool { return same(o.coarse(), got.coarse()) }) {
		return true
	}
	stops := func(o outcome) bool { // at what is wrong
		if !strings.HasPrefix(s.wrong, "an answer") {
			return len(o.passed) == 0
		}
		return len(o.answers) == 0 || o.answers[0] == failed || o.answers[0] == refused || strings.HasPrefix(o.answers[0], "broken off")
	}
	return stops(got) && (stricter[s.wrong] != "" || slices.ContainsFunc(theirs, stops))
}

// coarse is an outcome without fields, since proxies drop some that are sound, and
// without the request behind what is wrong, for which some keep the connection.
func (o outcome) coarse() (out outcome) {
	for _, m := range o.passed {
		if line, rest, _ := strings.Cut(m, "\n"); !strings.HasPrefix(line, "GET /c9/end ") {
			out.passed = append(out.passed, line+rest[strings.LastIndexByte(rest, '\n')+1:])
		}
	}
	if len(o.answers) > 0 {
		line, _, _ := strings.Cut(o.answers[0], "\n")
		out.answers = []string{line}
	}
	return out
}

func same(a, b outcome) bool {
	return slices.Equal(a.passed, b.passed) && slices.Equal(a.answers, b.answers)
}
