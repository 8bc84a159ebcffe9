package read

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net/http/httputil"
	"strings"

	"golang.org/x/net/http/httpguts"
)

// sizedBody is a request's body whose length was announced.
type sizedBody struct {
	in   io.Reader
	left int64
}

// Read returns io.ErrUnexpectedEOF if the client leaves before the end.
func (b *sizedBody) Read(p []byte) (int, error) {
	if b.left == 0 {
		return 0, io.EOF
	}
	if int64(len(p)) > b.left {
		p = p[:b.left]
	}
	n, err := b.in.Read(p)
	b.left -= int64(n)
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	if err == nil && b.left == 0 {
		err = io.EOF
	}
	return n, err
}

// chunkedBody is a request's body in chunks. Its trailer is read and dropped.
type chunkedBody struct {
	in     *bufio.Reader
	chunks io.Reader
	err    error // what ended it
}

func newChunkedBody(in *bufio.Reader) *chunkedBody {
	return &chunkedBody{in: in, chunks: httputil.NewChunkedReader(in)}
}

// Read returns io.EOF when the trailer has been read as well.
func (b *chunkedBody) Read(p []byte) (int, error) {
	if b.err != nil {
		return 0, b.err
	}
	n, err := b.chunks.Read(p)
	if errors.Is(err, io.EOF) {
		err = skipTrailer(b.in)
	}
	b.err = err
	return n, err
}

// maxTrailer bounds a trailer, of which nothing is used.
const maxTrailer = 4 << 10

// errTrailer is what ends a body whose trailer is no list of fields.
var errTrailer = errors.New("malformed trailer, or one of more than 4 KiB")

// skipTrailer reads up to the empty line after the last chunk, and returns io.EOF.
func skipTrailer(in *bufio.Reader) error {
	for total := 0; total < maxTrailer; {
		line, err := in.ReadSlice('\n')
		if errors.Is(err, io.EOF) {
			return io.ErrUnexpectedEOF
		}
		if err != nil {
			return err
		}
		total += len(line)
		text, ok := bytes.CutSuffix(line, []byte("\r\n"))
		if ok && len(text) == 0 {
			return io.EOF
		}
		name, value, found := strings.Cut(string(text), ":")
		if !ok || !found || !httpguts.ValidHeaderFieldName(name) || !httpguts.ValidHeaderFieldValue(value) {
			return errTrailer
		}
	}
	return errTrailer
}
