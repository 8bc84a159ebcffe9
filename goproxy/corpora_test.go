package goproxy

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/goccy/go-yaml"
)

// recorder is an upstream that keeps every byte and reads it as net/http does.
type recorder struct {
	*rawUpstream
	mu       sync.Mutex
	received []*bytes.Buffer // by connection
	requests int             // that net/http read to their end
	broken   []error         // what net/http could not read
}

func startRecorder(t *testing.T) *recorder {
	rec := &recorder{}
	rec.rawUpstream = startRaw(t, func(conn net.Conn, _ *bufio.Reader) {
		data := &bytes.Buffer{}
		rec.mu.Lock()
		rec.received = append(rec.received, data)
		rec.mu.Unlock()
		r := bufio.NewReader(io.TeeReader(conn, lockedWriter{&rec.mu, data}))
		for {
			req, err := http.ReadRequest(r)
			if err == nil {
				_, err = io.Copy(io.Discard, req.Body)
			}
			rec.mu.Lock()
			if err == nil {
				rec.requests++
			} else if !errors.Is(err, io.EOF) {
				rec.broken = append(rec.broken, err)
			}
			rec.mu.Unlock()
			if err != nil {
				conn.Close()
				return
			}
			io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
		}
	})
	return rec
}

type lockedWriter struct {
	mu *sync.Mutex
	w  io.Writer
}

func (w lockedWriter) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.w.Write(p)
}

// corpora is the folder of what others published, see shared/corpora.
func corpora(t *testing.T) string {
	dir := os.Getenv("PROXYCHAOS_CORPORA")
	if dir == "" {
		t.Skip("PROXYCHAOS_CORPORA is not set: the published request-smuggling cases are not run")
	}
	return dir
}

// gardenPayloads are byte strings that one HTTP implementation or another was
// found to misread.
func gardenPayloads(t *testing.T) map[string]string {
	data, err := os.ReadFile(filepath.Join(corpora(t), "http-garden", "payloads.tsv"))
	if err != nil {
		t.Fatal(err)
	}
	payloads := map[string]string{}
	for line := range strings.Lines(string(data)) {
		kind, rest, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "\t")
		number, text, ok := strings.Cut(rest, "\t")
		if !ok {
			t.Fatalf("%q: want kind, number and bytes", line)
		}
		payload, err := strconv.Unquote(`"` + strings.NewReplacer(`"`, `\"`, `\'`, `'`, `\"`, `\"`).Replace(text) + `"`)
		if err != nil {
			t.Fatalf("%s %s: %v: %s", kind, number, err, text)
		}
		payloads[fmt.Sprintf("garden %s %s %d", kind, number, len(payloads))] = payload
	}
	return payloads
}

// desyncPayloads are the cases of AWS's own classifier, as requests with a
// body that a second reader could take for another request.
func desyncPayloads(t *testing.T) map[string]string {
	files, err := filepath.Glob(filepath.Join(corpora(t), "http-desync-guardian", "*.yaml"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no cases in http-desync-guardian: %v", err)
	}
	payloads := map[string]string{}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var cases []struct {
			Name, URI, Method, Version string
			Headers                    []struct{ Name, Value string }
		}
		if err := yaml.Unmarshal(data, &cases); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		for _, c := range cases {
			text := fmt.Sprintf("%s %s %s\r\n", c.Method, c.URI, c.Version)
			for _, h := range c.Headers {
				text += h.Name + ": " + h.Value + "\r\n"
			}
			for _, host := range []string{"", "Host: h\r\n"} {
				payloads[fmt.Sprintf("guardian %s %q", c.Name, host)] = text + host + "\r\n0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: h\r\n\r\n"
			}
		}
	}
	return payloads
}

// published is every published case, by name.
func published(t *testing.T) map[string]string {
	payloads := gardenPayloads(t)
	for name, payload := range desyncPayloads(t) {
		payloads[name] = payload
	}
	return payloads
}

// impatient gives up soon on what has no end.
func impatient(c *Config) {
	c.Clients = Clients{HeaderTimeout: soon, BodyTimeout: soon, IdleTimeout: soon}
}

// sent is the number of requests that a proxy has sent.
func sent(p *testProxy) int {
	var n uint64
	for r := range reasons {
		n += p.table.Load().upstreams["raw"].attempts[r].Load()
	}
	return int(n)
}

// Whatever a client sends, what arrives upstream is read by net/http as exactly
// the requests that goproxy sent.
func TestPublishedSmugglingCases(t *testing.T) {
	for name, payload := range published(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rec := startRecorder(t)
			p := startRawProxy(t, rec.rawUpstream, impatient)
			c := dialProxy(t, p)
			c.send("%s", payload)
			io.Copy(io.Discard, c.Reader) // until goproxy is done with it
			eventually(t, 3*time.Second, "the upstream has read what goproxy sent", func() bool {
				rec.mu.Lock()
				defer rec.mu.Unlock()
				return rec.requests+len(rec.broken) >= sent(p)
			})
			rec.mu.Lock()
			defer rec.mu.Unlock()
			if rec.requests+len(rec.broken) != sent(p) {
				t.Errorf("goproxy sent %d requests, net/http read %d and %v from\n%q", sent(p), rec.requests, rec.broken, rec.received)
			}
			for _, err := range rec.broken {
				// A body that the client broke off, or malformed: the
				// connection ends inside it, and nothing comes after.
				if !errors.Is(err, io.ErrUnexpectedEOF) {
					t.Errorf("net/http could not read what goproxy sent: %v\n%q", err, rec.received)
				}
			}
		})
	}
}
