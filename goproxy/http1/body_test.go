package http1

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

// readBody reads the body and what comes after it.
func readBody(src io.Reader, length int64) (data, rest string, trailer Header, err error) {
	r := NewReader(src)
	var b Body
	b.Reset(r, length)
	read, err := io.ReadAll(&b)
	if err != nil {
		return string(read), "", nil, err
	}
	after, err := io.ReadAll(r)
	return string(read), string(after), b.Trailer(), err
}

func TestBody(t *testing.T) {
	long := strings.Repeat("0123456789", 3000)
	for _, test := range []struct {
		in         string
		length     int64
		data, rest string
		trailer    string
	}{
		{"hello, next", 5, "hello", ", next", ""},
		{"next", 0, "", "next", ""},
		{"all of it", UntilClose, "all of it", "", ""},
		{"5\r\nhello\r\n0\r\n\r\nnext", Chunked, "hello", "next", ""},
		{"0\r\n\r\n", Chunked, "", "", ""},
		{"5;a=b;c=\"d\\\"e\";f\r\nhello\r\n1\r\n!\r\n00\r\n\r\n", Chunked, "hello!", "", ""},
		{"5 ;\ta = b ; c\t=\t\"d\" ;e\r\nhello\r\n0 ; f\r\n\r\nnext", Chunked, "hello", "next", ""},
		{"00000000000000A\r\n0123456789\r\n0\r\nX-Sum: 7 \r\nX-Two:\r\n\r\nnext", Chunked, "0123456789", "next", "X-Sum: 7\r\nX-Two: \r\n"},
		{"7530\r\n" + long + "\r\n0\r\n\r\nnext", Chunked, long, "next", ""},
		{long, 30000, long, "", ""},
	} {
		for name, src := range map[string]io.Reader{
			"whole": strings.NewReader(test.in), "byte by byte": iotest.OneByteReader(strings.NewReader(test.in)), "with the end": iotest.DataErrReader(strings.NewReader(test.in)),
		} {
			data, rest, trailer, err := readBody(src, test.length)
			if err != nil || data != test.data || rest != test.rest || string(AppendHeader(nil, trailer)) != test.trailer {
				t.Errorf("%.40q %s: got %.40q, then %q, trailer %q, %v", test.in, name, data, rest, trailer, err)
			}
		}
	}
}

func TestBodyRefused(t *testing.T) {
	for name, in := range map[string]string{
		"no size":                 "\r\n\r\n",
		"sign":                    "+5\r\nhello\r\n0\r\n\r\n",
		"prefix":                  "0x5\r\nhello\r\n0\r\n\r\n",
		"underscore":              "0_5\r\nhello\r\n0\r\n\r\n",
		"space after":             "5 \r\nhello\r\n0\r\n\r\n",
		"space before":            " 5\r\nhello\r\n0\r\n\r\n",
		"16 digits":               "0000000000000005\r\nhello\r\n0\r\n\r\n",
		"overflow":                "ffffffffffffffffff\r\n",
		"bare LF after the size":  "5\nhello\r\n0\r\n\r\n",
		"bare LF after the data":  "5\r\nhello\n0\r\n\r\n",
		"LF in the size line":     "5;\nhello\r\n0\r\n\r\n",
		"CR in the size line":     "5;a\rb\r\nhello\r\n0\r\n\r\n",
		"longer than its size":    "5\r\nhello!\r\n0\r\n\r\n",
		"shorter than its size":   "5\r\nhell\r\n0\r\n\r\n",
		"extension without name":  "5;\r\nhello\r\n0\r\n\r\n",
		"tab after":               "5\t\r\nhello\r\n0\r\n\r\n",
		"space in the size":       "5 0\r\nhello\r\n0\r\n\r\n",
		"space after the last":    "5\r\nhello\r\n0 \r\n\r\n",
		"space after a name":      "5;a \r\nhello\r\n0\r\n\r\n",
		"space after a value":     "5;a=b \r\nhello\r\n0\r\n\r\n",
		"space for a name":        "5; \r\nhello\r\n0\r\n\r\n",
		"space for a value":       "5;a= \r\nhello\r\n0\r\n\r\n",
		"space in an extension":   "5;a b\r\nhello\r\n0\r\n\r\n",
		"vertical tab":            "5\v;a\r\nhello\r\n0\r\n\r\n",
		"extension, open quote":   "5;a=\"b\r\nhello\r\n0\r\n\r\n",
		"extension, endless":      "5;a=" + strings.Repeat("b", 2*maxLine) + "\r\nhello\r\n0\r\n\r\n",
		"bare LF at the end":      "0\r\n\n",
		"trailer with a length":   "0\r\nContent-Length: 5\r\n\r\n",
		"trailer with chunks":     "0\r\nTransfer-Encoding: chunked\r\n\r\n",
		"trailer with Host":       "0\r\nHost: h\r\n\r\n",
		"trailer folded":          "0\r\nA: b\r\n c\r\n\r\n",
		"trailer without a colon": "0\r\nA\r\n\r\n",
		"trailer too large":       "0\r\n" + strings.Repeat("A: "+strings.Repeat("b", 100)+"\r\n", 200) + "\r\n",
	} {
		_, _, _, err := readBody(strings.NewReader(in), Chunked)
		if _, ok := errors.AsType[*Error](err); !ok {
			t.Errorf("%s: got %v, want an error of the framing", name, err)
		}
	}
	for _, in := range []string{"", "5", "5\r\nhel", "5\r\nhello", "5\r\nhello\r\n", "5\r\nhello\r\n0\r\n", "0\r\nA: b\r\n"} {
		if _, _, _, err := readBody(strings.NewReader(in), Chunked); !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("%q: %v, want io.ErrUnexpectedEOF", in, err)
		}
	}
	if _, _, _, err := readBody(strings.NewReader("hell"), 5); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("%v, want io.ErrUnexpectedEOF", err)
	}
}

func TestBodyReady(t *testing.T) {
	for in, want := range map[string]bool{
		"": false, "5": false, "5\r\n": false, "5\r\nh": true, "0\r\n\r\n": true,
	} {
		r := NewReader(strings.NewReader(in))
		r.Fill() // one byte, see Fill
		r.Fill()
		var b Body
		b.Reset(r, Chunked)
		if b.Ready() != want {
			t.Errorf("%q: %v, want %v", in, !want, want)
		}
	}
	r := NewReader(strings.NewReader("1\r\na\r\n"))
	var b Body
	b.Reset(r, Chunked)
	b.Read(make([]byte, 10))
	if b.Ready() {
		t.Error("the line end after a chunk is taken for data")
	}
}

// A timeout in the middle loses nothing: the next call goes on.
func TestReadAfterTimeout(t *testing.T) {
	const message = "GET / HTTP/1.1\r\nHost: h\r\n\r\n5\r\nhello\r\n0\r\nA: b\r\n\r\n"
	src := &interrupted{data: []byte(message)}
	r := NewReader(src)
	var head string
	for {
		var err error
		if head, err = r.Head(1 << 10); err == nil {
			break
		} else if !errors.Is(err, errPause) {
			t.Fatal(err)
		}
	}
	if head != message[:27] {
		t.Errorf("got %q", head)
	}
	var b Body
	b.Reset(r, Chunked)
	var got []byte
	for buf := make([]byte, 100); ; {
		n, err := b.Read(buf)
		got = append(got, buf[:n]...)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil && !errors.Is(err, errPause) {
			t.Fatal(err)
		}
	}
	if string(got) != "hello" || b.Trailer().Get("a") != "b" || !b.Ended() {
		t.Errorf("got %q, trailer %v", got, b.Trailer())
	}
}

var errPause = errors.New("timeout")

// interrupted gives one byte, then a timeout, and so on.
type interrupted struct {
	data  []byte
	pause bool
}

func (i *interrupted) Read(p []byte) (int, error) {
	if i.pause = !i.pause; i.pause {
		return 0, errPause
	}
	if len(i.data) == 0 {
		return 0, io.EOF
	}
	n := copy(p[:1], i.data)
	i.data = i.data[n:]
	return n, nil
}

func TestHeadLimits(t *testing.T) {
	for name, test := range map[string]struct {
		in     string
		status int
	}{
		"endless target":    {"GET /" + strings.Repeat("a", 70<<10), 414},
		"endless header":    {"GET / HTTP/1.1\r\nA: " + strings.Repeat("a", 70<<10), 431},
		"a little too long": {"GET / HTTP/1.1\r\nA: " + strings.Repeat("a", 64<<10) + "\r\n\r\n", 431},
		"TLS":               {"\x16\x03\x01\x02\x00", 400},
		"bare LF":           {"GET / HTTP/1.1\nHost: h\n\n", 400},
		"LF first":          {"\nGET", 400},
	} {
		if _, err := NewReader(strings.NewReader(test.in)).Head(64 << 10); err == nil || StatusOf(err) != test.status {
			t.Errorf("%s: %v, want status %d", name, err, test.status)
		} else if _, ok := errors.AsType[*Error](err); !ok {
			t.Errorf("%s: %v, want an error of the framing", name, err)
		}
	}
	head := "GET / HTTP/1.1\r\nA: " + strings.Repeat("a", 40<<10) + "\r\n\r\n"
	if got, err := NewReader(strings.NewReader(head + "rest")).Head(64 << 10); err != nil || got != head {
		t.Errorf("a head of %d bytes: got %d, %v", len(head), len(got), err)
	}
	if _, err := NewReader(strings.NewReader("")).Head(100); !errors.Is(err, io.EOF) {
		t.Errorf("nothing: %v, want io.EOF", err)
	}
	if _, err := NewReader(strings.NewReader("GET")).Head(100); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("half a head: %v, want io.ErrUnexpectedEOF", err)
	}
}

func TestPutChunkSize(t *testing.T) {
	for n, want := range map[int]string{0: "0\r\n", 15: "f\r\n", 0x1a2b: "1a2b\r\n", 1<<62 + 1: "4000000000000001\r\n"} {
		buf := bytes.Repeat([]byte{'x'}, ChunkRoom+1)
		if got := string(buf[PutChunkSize(buf, n):ChunkRoom]); got != want || buf[ChunkRoom] != 'x' {
			t.Errorf("%d: %q, want %q", n, got, want)
		}
	}
}
