package goproxy

import (
	"bytes"
	"io"
	"testing"

	"github.com/proxychaos/proxychaos/goproxy/http1"
)

// comes is a body of which so much comes, and then the connection's end.
type comes struct{ io.Reader }

func (comes) Ready() bool           { return false }
func (comes) Trailer() http1.Header { return nil }

// What a client says that it will send takes no memory before it is sent: by HTTP/2 one
// connection can say it 250 times.
func TestABodyThatDoesNotComeTakesLittleMemory(t *testing.T) {
	for _, sent := range []int{0, 1, firstRoom, firstRoom + 1, bufferedRequest / 2} {
		var b requestBody
		err := b.read(&http1.Request{Length: bufferedRequest}, comes{bytes.NewReader(make([]byte, sent))})
		if most := max(2*firstRoom, 3*sent); err == nil || cap(b.data) > most {
			t.Errorf("%d bytes came of %d: %v, and %d bytes of memory, want an error and at most %d", sent, bufferedRequest, err, cap(b.data), most)
		}
	}
	for _, size := range []int{1, firstRoom - 1, firstRoom, firstRoom + 1, bufferedRequest} {
		sent := bytes.Repeat([]byte("0123456789abcde"), size/15+1)[:size]
		var b requestBody
		if err := b.read(&http1.Request{Length: int64(size)}, comes{bytes.NewReader(append(sent, "more"...))}); err != nil || !bytes.Equal(b.data, sent) {
			t.Errorf("%d bytes: %v, and %d bytes that may be others", size, err, len(b.data))
		}
	}
}
