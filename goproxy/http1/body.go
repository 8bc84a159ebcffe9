package http1

import (
	"bytes"
	"io"
	"net/http"
	"strings"
)

// Body reads one message body from a Reader and stops exactly at its end. Like
// the Reader's, its methods can be called again after a timeout. An error of
// the framing is an [*Error]; a connection that ends too early gives
// io.ErrUnexpectedEOF.
type Body struct {
	r       *Reader
	length  int64 // bytes left in the body or the chunk; UntilClose
	chunked bool
	inChunk bool // the CRLF after the chunk's data is still to come
	ended   bool
	err     error // malformed once, malformed for good
	trailer Header
	size    int // of the trailer
}

// Reset makes b the body that follows a head with the given length: a number
// of bytes, Chunked or UntilClose.
func (b *Body) Reset(r *Reader, length int64) {
	*b = Body{r: r, length: length, chunked: length == Chunked, ended: length == 0}
	if b.chunked {
		b.length = 0
	}
}

// Ended reports whether the body was read to its end.
func (b *Body) Ended() bool { return b.ended }

// Ready reports whether Read would return data, or the end, from what is
// buffered. It may say no where that takes a closer look.
func (b *Body) Ready() bool {
	if b.ended {
		return true
	}
	data := b.r.buf[b.r.r:b.r.w]
	if !b.chunked || b.length > 0 {
		return len(data) > 0
	}
	if b.inChunk {
		data = data[min(len(data), len("\r\n")):]
	}
	line := bytes.IndexByte(data, '\n')
	return line >= 0 && line+1 < len(data)
}

// Trailer is the fields after a chunked body, once it ended.
func (b *Body) Trailer() Header { return b.trailer }

// Read implements io.Reader. With the last bytes of a body of known length it
// returns io.EOF at once.
func (b *Body) Read(p []byte) (int, error) {
	switch {
	case b.err != nil:
		return 0, b.err
	case b.ended:
		return 0, io.EOF
	case len(p) == 0:
		return 0, nil
	case b.chunked && b.length == 0:
		if err := b.nextChunk(); err != nil {
			return 0, err
		}
	case b.length == UntilClose:
		n, err := b.r.Read(p)
		b.ended = err == io.EOF //nolint:errorlint // never wrapped
		return n, err
	}
	if int64(len(p)) > b.length {
		p = p[:b.length]
	}
	n, err := b.r.Read(p)
	b.length -= int64(n)
	switch {
	case err == io.EOF && b.length > 0: //nolint:errorlint // never wrapped
		return n, io.ErrUnexpectedEOF
	case b.length == 0 && !b.chunked:
		b.ended = true
		return n, io.EOF
	case n > 0:
		return n, nil
	}
	return n, err
}

// Unread is how many bytes of a body of known length are still to come from
// the connection, and nothing else before them. It is 0 where some are buffered,
// and for other bodies.
func (b *Body) Unread() int64 {
	if b.chunked || b.r.Buffered() > 0 {
		return 0
	}
	return max(0, b.length)
}

// Skip notes that n bytes, at most [Body.Unread], were taken from the
// connection by other means than Read.
func (b *Body) Skip(n int) {
	b.length -= int64(n)
	b.ended = b.length == 0
}

// nextChunk goes on to the data of the next chunk, or to the end, which it
// reports as io.EOF.
func (b *Body) nextChunk() error {
	err := b.step()
	if _, ok := err.(*Error); ok { //nolint:errorlint // never wrapped
		b.err = err
	}
	return err
}

func (b *Body) step() error {
	if b.inChunk {
		line, err := b.r.line()
		if err != nil {
			return err
		}
		if len(line) != 0 {
			return malformed("a chunk is longer than its size says")
		}
		b.inChunk = false
	}
	if b.size == 0 {
		line, err := b.r.line()
		if err != nil {
			return err
		}
		if b.length, err = parseChunkSize(line); err != nil {
			return err
		}
		if b.length > 0 {
			b.inChunk = true
			return nil
		}
		b.size = 1
	}
	return b.readTrailer()
}

// maxTrailer bounds the fields after a chunked body.
const maxTrailer = 16 << 10

// readTrailer reads the fields after the last chunk.
func (b *Body) readTrailer() error {
	for {
		raw, err := b.r.line()
		if err != nil {
			return err
		}
		if len(raw) == 0 {
			b.ended = true
			b.r.release()
			return io.EOF
		}
		if b.size += len(raw); b.size > maxTrailer || len(b.trailer) == maxFields {
			return &Error{http.StatusRequestHeaderFieldsTooLarge, "the trailer is too large"}
		}
		f, err := parseField(string(raw))
		if err != nil {
			return err
		}
		if isOneOf(f.Name, heading[:], EqualFold) {
			return malformed("a trailer field that belongs into the head")
		}
		b.trailer = append(b.trailer, f)
	}
}

// heading are the fields that change how a message is read or where it goes,
// and so cannot come after it (RFC 9110, 6.5.1).
var heading = [...]string{
	"Authorization", "Connection", "Content-Encoding", "Content-Length", "Content-Range", "Content-Type", "Cookie",
	"Expect", "Host", "Keep-Alive", "Proxy-Authenticate", "Proxy-Authorization", "Proxy-Connection", "Set-Cookie",
	"TE", "Trailer", "Transfer-Encoding", "Upgrade",
}

// steering are more fields that have their meaning in a head only: who merges a
// trailer into it would obey them too late, or take them for a proxy's. Nothing is
// wrong with a message that has one in its trailer, but it is not passed on.
var steering = [...]string{
	"Age", "Cache-Control", "Date", "Expires", "Forwarded", "If-Match", "If-Modified-Since", "If-None-Match", "If-Range",
	"If-Unmodified-Since", "Location", "Max-Forwards", "Pragma", "Range", "Retry-After", "Vary", "Via", "Warning",
	"WWW-Authenticate",
}

// MayTrail reports whether a field of that name may be passed on in a trailer.
func MayTrail(name string) bool {
	return !isOneOf(name, heading[:], Alike) && !isOneOf(name, steering[:], Alike) && !Forwarded(name)
}

func isOneOf(name string, names []string, same func(a, b string) bool) bool {
	for _, n := range names {
		if same(n, name) {
			return true
		}
	}
	return false
}

// parseChunkSize reads the line before a chunk. Well-formed extensions are
// dropped. Spaces are taken where a recipient has to, around the ";" and "=" of
// extensions (BWS in RFC 9112, 7.1.1), and nowhere else: some read "5 " as 5 and some
// refuse it, and a line that not everyone reads alike is none to pass.
func parseChunkSize(line []byte) (int64, error) {
	var n int64
	i := 0
	for ; i < len(line) && classes[line[i]]&hexChar != 0; i++ {
		digit := line[i] | 0x20 // lower case; digits have that bit
		if digit >= 'a' {
			digit -= 'a' - 10
		} else {
			digit -= '0'
		}
		n = n<<4 | int64(digit)
		if i == 15 {
			return 0, malformed("a chunk size of more than 15 digits")
		}
	}
	if i == 0 {
		return 0, malformed("a chunk size is not hexadecimal")
	}
	if !validExtensions(string(line[i:])) {
		return 0, malformed("a chunk size is followed by something that is no extension")
	}
	return n, nil
}

// validExtensions reports whether s is any number of ";name", ";name=token"
// and `;name="quoted"`, with spaces around each ";" and "=" or without.
func validExtensions(s string) bool {
	for s != "" {
		rest, ok := afterSign(s, ';')
		name := tokenLen(rest)
		if !ok || name == 0 {
			return false
		}
		s = rest[name:]
		if rest, ok = afterSign(s, '='); !ok {
			continue
		}
		s = rest
		value := tokenLen(s)
		if value == 0 {
			value = quotedLen(s)
		}
		if value == 0 {
			return false
		}
		s = s[value:]
	}
	return true
}

// afterSign is what follows a sign and the spaces around it, if s begins so.
func afterSign(s string, sign byte) (rest string, ok bool) {
	s = strings.TrimLeft(s, " \t")
	if s == "" || s[0] != sign {
		return "", false
	}
	return strings.TrimLeft(s[1:], " \t"), true
}

func tokenLen(s string) int {
	n := 0
	for n < len(s) && classes[s[n]]&tokenChar != 0 {
		n++
	}
	return n
}

// quotedLen is the length of the quoted string at the start of s, or 0.
func quotedLen(s string) int {
	if s == "" || s[0] != '"' {
		return 0
	}
	for i := 1; i < len(s); i++ {
		switch c := s[i]; {
		case c == '"':
			return i + 1
		case c == '\\':
			i++
			if i == len(s) || classes[s[i]]&valueChar == 0 {
				return 0
			}
		case classes[c]&valueChar == 0:
			return 0
		}
	}
	return 0
}
