package http1

import (
	"bytes"
	"io"
	"net/http"
	"sync"
	"syscall"

	"github.com/proxychaos/proxychaos/goproxy/wire"
)

// bufferSize holds nearly every head, and the start of its body.
const bufferSize = 8 << 10

var buffers = sync.Pool{New: func() any { return new([bufferSize]byte) }}

// Reader is the receiving side of one connection. It has a buffer only while
// there are bytes to keep. Its methods can be called again after a timeout of
// the connection: nothing is lost.
type Reader struct {
	src  io.Reader
	raw  syscall.RawConn // nil where src cannot be waited for without a buffer
	try  func(fd uintptr) bool
	got  int // what try left
	err  error
	one  [1]byte
	buf  []byte
	lent *[bufferSize]byte // the pool's buffer, when buf is one
	r, w int               // buf[r:w] is not read yet
	seen int               // buf[r:r+seen] has no end of a head
}

// NewReader returns a Reader of src, which is best a *wire.Conn: it is then
// waited for without a buffer.
func NewReader(src io.Reader) *Reader {
	b := &Reader{src: src}
	if c, ok := src.(syscall.Conn); ok {
		if raw, err := c.SyscallConn(); err == nil {
			b.raw, b.try = raw, b.tryRead
		}
	}
	return b
}

// Buffered is the number of bytes that were received and not read yet.
func (b *Reader) Buffered() int { return b.w - b.r }

// take gets a buffer.
func (b *Reader) take() {
	b.lent = buffers.Get().(*[bufferSize]byte)
	b.buf, b.r, b.w = b.lent[:], 0, 0
}

// release gives the buffer back when it is empty.
func (b *Reader) release() {
	if b.r != b.w || b.buf == nil {
		return
	}
	if b.lent != nil {
		buffers.Put(b.lent)
	}
	b.buf, b.lent, b.r, b.w, b.seen = nil, nil, 0, 0, 0
}

// advance marks n bytes as read.
func (b *Reader) advance(n int) {
	b.r += n
	b.seen = 0
	b.release()
}

// Fill waits for more bytes, at least one.
func (b *Reader) Fill() error {
	if b.buf == nil && b.raw != nil {
		return b.fillRaw()
	}
	if b.buf == nil {
		// One byte is enough to wait for: src keeps the rest, as TLS does.
		n, err := b.src.Read(b.one[:])
		if n == 0 {
			return err
		}
		b.take()
		b.buf[0], b.w = b.one[0], 1
		return nil
	}
	if b.w == len(b.buf) && b.r > 0 {
		copy(b.buf, b.buf[b.r:b.w])
		b.w -= b.r
		b.r = 0
	}
	n, err := b.src.Read(b.buf[b.w:])
	b.w += n
	if n > 0 {
		return nil
	}
	b.release()
	return err
}

// fillRaw waits until there is something to read before it takes a buffer.
func (b *Reader) fillRaw() error {
	b.got, b.err = 0, nil
	if err := b.raw.Read(b.try); err != nil {
		return err
	}
	b.w = b.got
	if b.got > 0 {
		return nil
	}
	b.release()
	if b.err == nil {
		return io.EOF
	}
	return b.err
}

// tryRead reads without waiting and reports whether that settled anything.
func (b *Reader) tryRead(fd uintptr) bool {
	b.take()
	n, err := wire.Read(fd, b.buf)
	if err == syscall.EAGAIN { //nolint:errorlint // a bare errno
		b.release()
		return false
	}
	b.got, b.err = n, err
	return true
}

var (
	lineEnd = []byte("\r\n")
	headEnd = []byte("\r\n\r\n")
)

// SkipEmptyLine takes an empty line off the front, which may stand before a request
// line (RFC 9112, 2.2). It reports whether it could tell: if not, Fill has to be called.
func (b *Reader) SkipEmptyLine() bool {
	data := b.buf[b.r:b.w]
	if len(data) < len(lineEnd) && bytes.HasPrefix(lineEnd, data) {
		return false
	}
	if bytes.HasPrefix(data, lineEnd) {
		b.advance(len(lineEnd))
	}
	return true
}

// Head waits for a whole head of at most limit bytes and returns it with the
// empty line that ends it. It is io.EOF when the connection ends before its
// first byte, and io.ErrUnexpectedEOF within it.
func (b *Reader) Head(limit int) (string, error) {
	for {
		text, err := b.BufferedHead(limit)
		if text != "" || err != nil {
			return text, err
		}
		if err := b.Fill(); err != nil {
			if err == io.EOF && b.Buffered() > 0 { //nolint:errorlint // never wrapped
				err = io.ErrUnexpectedEOF
			}
			return "", err
		}
	}
}

// BufferedHead is Head without waiting: "" when Fill has to be called first.
func (b *Reader) BufferedHead(limit int) (string, error) {
	from := max(0, b.seen-len(headEnd)+1)
	if i := bytes.Index(b.buf[b.r+from:b.w], headEnd); i >= 0 {
		end := from + i + len(headEnd)
		if end > limit {
			return "", tooLarge(b.buf[b.r:b.w])
		}
		text := string(b.buf[b.r : b.r+end])
		b.advance(end)
		return text, nil
	}
	if err := b.hopeless(); err != nil {
		return "", err
	}
	b.seen = b.Buffered()
	if b.seen >= limit {
		return "", tooLarge(b.buf[b.r:b.w])
	}
	if b.buf != nil && b.seen == len(b.buf) {
		b.grow(min(2*len(b.buf), limit))
	}
	return "", nil
}

// grow puts a larger buffer in place, for a head that does not fit.
func (b *Reader) grow(size int) {
	larger := make([]byte, size)
	n := copy(larger, b.buf[b.r:b.w])
	if b.lent != nil {
		buffers.Put(b.lent)
	}
	b.buf, b.lent, b.r, b.w = larger, nil, 0, n
}

// hopeless finds early what can become no head, so that a client that speaks
// another protocol, or ends its lines otherwise, need not be waited for.
func (b *Reader) hopeless() error {
	data := b.buf[b.r:b.w]
	if len(data) == 0 {
		return nil
	}
	if classes[data[0]]&tokenChar == 0 {
		return ErrNotHTTP
	}
	from := max(1, b.seen)
	for i := from; i < len(data); i++ {
		next := bytes.IndexByte(data[i:], '\n')
		if next < 0 {
			return nil
		}
		i += next
		if data[i-1] != '\r' {
			return malformed("a line does not end in CR LF")
		}
	}
	return nil
}

func tooLarge(data []byte) error {
	if bytes.IndexByte(data, '\n') < 0 {
		return &Error{http.StatusRequestURITooLong, "the request line is too long"}
	}
	return &Error{http.StatusRequestHeaderFieldsTooLarge, "the head is too large"}
}

// maxLine bounds a chunk's size line and a line of a trailer.
const maxLine = 4 << 10

// line returns the next line without its CRLF. It is valid until the next
// call of any method.
func (b *Reader) line() ([]byte, error) {
	for {
		data := b.buf[b.r:b.w]
		if i := bytes.IndexByte(data, '\n'); i >= 0 {
			if i == 0 || data[i-1] != '\r' {
				return nil, malformed("a line does not end in CR LF")
			}
			b.r += i + 1
			b.seen = 0
			return data[:i-1], nil
		}
		if len(data) > maxLine {
			return nil, malformed("a line of the body's framing is too long")
		}
		if err := b.more(); err != nil {
			return nil, err
		}
	}
}

// more is Fill in the middle of a message.
func (b *Reader) more() error {
	err := b.Fill()
	if err == io.EOF { //nolint:errorlint // never wrapped
		return io.ErrUnexpectedEOF
	}
	return err
}

// Detach returns what is buffered and forgets it, for a connection that goes
// on as another protocol.
func (b *Reader) Detach() []byte {
	rest := bytes.Clone(b.buf[b.r:b.w])
	b.advance(b.Buffered())
	return rest
}

// Read takes what is buffered, or waits for the connection. Large reads do
// not pass through the buffer.
func (b *Reader) Read(p []byte) (int, error) {
	if b.Buffered() == 0 {
		if len(p) >= bufferSize {
			return b.src.Read(p)
		}
		if err := b.Fill(); err != nil {
			return 0, err
		}
	}
	n := copy(p, b.buf[b.r:b.w])
	b.advance(n)
	return n, nil
}
