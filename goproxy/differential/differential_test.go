package differential

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// ask sends a row's request and returns the answer in one line.
func ask(t *testing.T, address string, r row, node bool, backendPort string) string {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(30 * time.Second))
	line, rest, _ := strings.Cut(r.request, "\r\n")
	head, body, _ := strings.Cut(rest, "\r\n\r\n")
	if head != "" {
		head += "\r\n"
	}
	fmt.Fprintf(conn, "%s HTTP/1.1\r\nHost: example.com\r\n%s\r\n%s", line, head, body)
	method, _, _ := strings.Cut(line, " ")
	reader := bufio.NewReader(conn)
	resp, err := http.ReadResponse(reader, &http.Request{Method: method})
	for err == nil && resp.StatusCode == http.StatusContinue {
		resp, err = http.ReadResponse(reader, &http.Request{Method: method})
	}
	if err != nil {
		t.Fatalf("%s: %v", address, err)
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatalf("%s: %v", address, err)
	}
	_, listen, err := net.SplitHostPort(address)
	if err != nil {
		t.Fatal(err)
	}
	out := strings.NewReplacer(":"+backendPort, ":PORT", ":"+listen, ":LISTEN").Replace(describe(t, resp, data, node))
	return anyBackend.ReplaceAllString(out, "BACKEND") // which one is the balancer's business
}

var anyBackend = regexp.MustCompile(`127\.94\.3\.1[0-9]:PORT`)

// describe leaves out what may differ: the node, where it does not matter, and
// the words of a proxy's own answers.
func describe(t *testing.T, resp *http.Response, data []byte, node bool) string {
	t.Helper()
	out := fmt.Sprint(resp.StatusCode)
	for _, name := range []string{"Location", "Content-Location", "Refresh", "Set-Cookie"} {
		for _, v := range resp.Header.Values(name) {
			if name == "Set-Cookie" && strings.HasPrefix(v, "JSESSIONID=") {
				continue // HAProxy's and goproxy's own; TestHAProxySessions
			}
			out += fmt.Sprintf(" %s=%s", name, v)
		}
	}
	if resp.Header.Get("X-Echo") == "" {
		return out
	}
	out += " from the backend"
	if len(data) == 0 || resp.StatusCode == http.StatusPartialContent {
		return out
	}
	var got seen
	if err := json.Unmarshal(data, &got); err != nil {
		t.Fatalf("%v in %q", err, data)
	}
	if node {
		out += " " + got.Node
	}
	out += fmt.Sprintf(" %s %s host=%s", got.Method, got.Target, got.Host)
	for _, name := range compared {
		if v, ok := got.Header[name]; ok {
			out += fmt.Sprintf(" %s=%q", name, v)
		}
	}
	if got.Body != "" {
		out += fmt.Sprintf(" body=%q", got.Body)
	}
	return out
}

func TestSameAnswers(t *testing.T) {
	if len(table) < 60 {
		t.Fatalf("%d rows, want at least 60", len(table))
	}
	backendPort := startBackends(t)
	for _, p := range peers {
		t.Run(p.name, func(t *testing.T) {
			theirAddress, ourAddress := startPeer(t, p, backendPort)
			same := 0
			for _, r := range table {
				node := r.sticky && p.sticky
				theirs, ours := ask(t, theirAddress, r, node, backendPort), ask(t, ourAddress, r, node, backendPort)
				known, differs := differences[p.name][r.name]
				switch {
				case !differs && theirs == ours:
					same++
				case !differs:
					t.Errorf("%s\n  %-8s %s\n  goproxy  %s", r.name, p.name, theirs, ours)
				case theirs != known.theirs || ours != known.ours || theirs == ours:
					t.Errorf("%s: the table says another difference\n  %-8s %s\n  goproxy  %s", r.name, p.name, theirs, ours)
				}
			}
			t.Logf("%d of %d answers are the same, %d differ as the table says", same, len(table), len(table)-same)
		})
	}
}

// Each difference is of a peer and a row that exist, and has a reason.
func TestDifferencesHaveReasons(t *testing.T) {
	rows := map[string]bool{}
	for _, r := range table {
		if rows[r.name] {
			t.Errorf("two rows are called %q", r.name)
		}
		rows[r.name] = true
	}
	for name, all := range differences {
		if !slices.ContainsFunc(peers, func(p peer) bool { return p.name == name }) {
			t.Errorf("no peer %q", name)
		}
		for row, d := range all {
			if d.why == "" || !rows[row] {
				t.Errorf("%s: %s: no reason, or no such row", name, row)
			}
		}
	}
}

// A session that HAProxy began, and one that goproxy did, keeps its backend. The
// cookie's value is each one's own: "node1" and "RANDOM.node1".
func TestSessionsOfTheirOwn(t *testing.T) {
	backendPort := startBackends(t)
	p := peers[slices.IndexFunc(peers, func(p peer) bool { return p.name == "haproxy" })]
	theirs, ours := startPeer(t, p, backendPort)
	for address, value := range map[string]*regexp.Regexp{theirs: regexp.MustCompile(`^(node\d)$`), ours: regexp.MustCompile(`^[A-Z2-7]+\.(node\d)$`)} {
		resp, err := http.Get("http://" + address + "/app/x")
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		cookies := resp.Cookies()
		if len(cookies) != 1 || cookies[0].Name != "JSESSIONID" || !value.MatchString(cookies[0].Value) {
			t.Fatalf("%s: cookies %v", address, cookies)
		}
		node := value.FindStringSubmatch(cookies[0].Value)[1]
		for range 10 {
			r := row{request: "GET /app/x\r\nCookie: JSESSIONID=" + cookies[0].Value}
			if got := ask(t, address, r, true, backendPort); !strings.Contains(got, " "+node+" ") {
				t.Errorf("the session of %s: %s", node, got)
			}
		}
		if node == "node3" {
			t.Error("the session began at the backup")
		}
	}
}
