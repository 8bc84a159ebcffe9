package differential

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// recorder is a backend that writes down what a proxy sent it, byte by byte, and
// answers with the bytes of the present case. It knows no HTTP but what it needs
// for that, so that nothing is made good on the way.
type recorder struct {
	net.Listener
	mu      sync.Mutex
	seen    []message
	answers []string // by the number at the start of the path
}

// message is a request as a backend read it, or a response as a client did.
type message struct {
	line   string // the first one
	fields []string
	body   string
	flaw   string // why it is no good message, or ""
}

func startRecorder(t testing.TB) *recorder {
	l, err := net.Listen("tcp", "127.94.3.20:0")
	if err != nil {
		t.Fatal(err)
	}
	r := &recorder{Listener: l}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go r.serve(conn)
		}
	}()
	return r
}

func (r *recorder) port() string {
	_, port, _ := net.SplitHostPort(r.Addr().String())
	return port
}

// begin forgets what was seen, and answers the requests of the shot.
func (r *recorder) begin(s shot) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.seen, r.answers = nil, s.answers
}

// whole is the requests that were complete.
func (r *recorder) whole() []message {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.seen)
}

func (r *recorder) serve(conn net.Conn) {
	defer conn.Close()
	from := bufio.NewReader(conn)
	for {
		m, err := readMessage(from, func(m message) string {
			if strings.EqualFold(strings.Join(m.values("Expect"), ""), "100-continue") {
				_, _ = io.WriteString(conn, "HTTP/1.1 100 Continue\r\n\r\n") // a proxy that is gone is seen below
			}
			return requestFraming(m)
		})
		if err != nil {
			return
		}
		r.mu.Lock()
		r.seen = append(r.seen, m)
		answer := r.answerTo(m)
		r.mu.Unlock()
		if _, err := io.WriteString(conn, answer); err != nil || m.flaw != "" || strings.Contains(answer, "\r\nConnection: close\r\n") {
			return
		}
	}
}

// answerTo is the answer to the request whose path begins with "/c" and a number.
func (r *recorder) answerTo(m message) string {
	if _, after, ok := strings.Cut(m.line, " /c"); ok && len(after) > 0 {
		if n := int(after[0] - '0'); n >= 0 && n < len(r.answers) {
			return r.answers[n]
		}
	}
	return otherAnswer
}

// otherAnswer is the answer to what is no request of the shot.
const otherAnswer = "HTTP/1.1 200 OK\r\nX-Backend: other\r\nContent-Length: 0\r\n\r\n"

var errCut = errors.New("the connection ended within a message")

// readMessage reads strictly. framing says of a head how its body ends: "", "chunked",
// "close" or a number of bytes.
func readMessage(from *bufio.Reader, framing func(message) string) (message, error) {
	var m message
	for {
		line, err := from.ReadString('\n')
		if err != nil {
			return m, err
		}
		text, ok := strings.CutSuffix(line, "\r\n")
		switch {
		case !ok || strings.ContainsAny(text, "\r\x00"):
			m.flaw = fmt.Sprintf("the line %q", line)
		case m.line == "":
			m.line = text
			continue
		case text != "":
			m.fields = append(m.fields, text)
			continue
		}
		break
	}
	if m.flaw != "" {
		return m, nil
	}
	how := framing(m)
	switch how {
	case "":
	case "chunked":
		body, err := readChunks(from, &m)
		m.body = body
		return m, err
	case "close":
		body, err := io.ReadAll(from)
		m.body = string(body)
		return m, err
	default:
		n, err := strconv.Atoi(how)
		if err != nil {
			m.flaw = how
			return m, nil
		}
		body := make([]byte, n)
		got, err := io.ReadFull(from, body)
		if m.body = string(body[:got]); err != nil {
			return m, errCut
		}
	}
	return m, nil
}

// readChunks reads a chunked body with its trailer, whose fields count as others do.
func readChunks(from *bufio.Reader, m *message) (string, error) {
	var body strings.Builder
	for {
		line, err := from.ReadString('\n')
		if err != nil {
			return body.String(), errCut
		}
		digits, _, _ := strings.Cut(strings.TrimSuffix(line, "\r\n"), ";")
		n, err := strconv.ParseUint(digits, 16, 31)
		if err != nil || !strings.HasSuffix(line, "\r\n") {
			m.flaw = fmt.Sprintf("the chunk size %q", line)
			return body.String(), nil
		}
		if n == 0 {
			break
		}
		if _, err := io.CopyN(&body, from, int64(n)); err != nil {
			return body.String(), errCut
		}
		if end, err := from.ReadString('\n'); err != nil {
			return body.String(), errCut
		} else if end != "\r\n" {
			m.flaw = fmt.Sprintf("%q after a chunk", end)
			return body.String(), nil
		}
	}
	for {
		line, err := from.ReadString('\n')
		if err != nil {
			return body.String(), errCut
		}
		if line == "\r\n" {
			return body.String(), nil
		}
		m.fields = append(m.fields, "trailer "+strings.TrimSuffix(line, "\r\n"))
	}
}

// values are those of a field, in order.
func (m message) values(name string) (out []string) {
	for _, f := range m.fields {
		if n, v, ok := strings.Cut(f, ":"); ok && strings.EqualFold(n, name) {
			out = append(out, strings.Trim(v, " \t"))
		}
	}
	return out
}

// requestFraming is how a request's body ends, or what is wrong with what it says.
func requestFraming(m message) string {
	lengths, codings := m.values("Content-Length"), m.values("Transfer-Encoding")
	switch {
	case len(lengths) > 1 || len(codings) > 1 || (len(lengths) > 0 && len(codings) > 0):
		return fmt.Sprintf("lengths %q and codings %q", lengths, codings)
	case len(codings) == 1 && !strings.EqualFold(codings[0], "chunked"):
		return fmt.Sprintf("coding %q", codings)
	case len(codings) == 1:
		return "chunked"
	case len(lengths) == 1:
		return lengths[0]
	}
	return ""
}

// endToEnd is a message in one text: its first line, its fields but for those that
// each connection and each proxy has of its own, sorted by name, and its body.
func (m message) endToEnd() string {
	if m.flaw != "" {
		return "FLAW " + m.flaw
	}
	fields := map[string][]string{}
	for _, f := range m.fields {
		name, value, _ := strings.Cut(f, ":")
		name = strings.ToLower(name)
		if !slices.Contains(ownFields, strings.TrimPrefix(name, "trailer ")) {
			fields[name] = append(fields[name], strings.Trim(value, " \t"))
		}
	}
	var out strings.Builder
	out.WriteString(m.line)
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		fmt.Fprintf(&out, "\n%s: %s", name, strings.Join(fields[name], ", "))
	}
	fmt.Fprintf(&out, "\n%d bytes %q", len(m.body), m.body)
	return out.String()
}

// ownFields are those in which proxies may differ.
var ownFields = []string{
	"connection", "keep-alive", "proxy-connection", "te", "transfer-encoding", "content-length", "upgrade", "expect", "date", "server",
	"via", "forwarded", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-forwarded-server", "x-real-ip", "max-forwards",
}
