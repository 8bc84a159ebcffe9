package goproxy

import (
	"errors"
	"io"
	"testing"

	"github.com/proxychaos/proxychaos/goproxy/http1"
)

// nextBody is a client's body, and after its end that of the client's next request.
type nextBody struct {
	ended  bool
	looked int
}

func (b *nextBody) Read(p []byte) (int, error) {
	if b.ended {
		return 0, io.EOF
	}
	return len(p), nil
}

func (b *nextBody) Ready() bool { b.looked++; return true }

func (b *nextBody) Trailer() http1.Header {
	b.looked++
	return http1.Header{{Name: "X-Of", Value: "this request"}}
}

// Who sends a body on does not look at the client's connection any more when the
// connection is its owner's again.
func TestUploadThatIsOverIsNotLookedAt(t *testing.T) {
	t.Run("Ready", func(t *testing.T) {
		b := &nextBody{}
		u := newUpload(b)
		if _, err := u.Read(make([]byte, 1)); err != nil || !u.Ready() {
			t.Fatalf("ready: %v, %v", u.Ready(), err)
		}
		u.stop(func() {})
		b.looked = 0
		if ready := u.Ready(); ready || b.looked > 0 {
			t.Errorf("ready: %v, and the client's body was looked at %d times", ready, b.looked)
		}
	})
	t.Run("Trailer", func(t *testing.T) {
		b := &nextBody{ended: true}
		u := newUpload(b)
		if _, err := u.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
			t.Fatal(err)
		}
		u.stop(func() {})
		b.looked = 0
		if got := u.Trailer(); got.Get("X-Of") != "this request" || b.looked > 0 {
			t.Errorf("got %v, and the client's body was looked at %d times", got, b.looked)
		}
	})
}
