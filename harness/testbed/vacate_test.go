package testbed

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/moby/moby/client"
	. "github.com/onsi/gomega"
	"github.com/testcontainers/testcontainers-go"
)

// named is a container of which only the ID matters.
type named struct{ testcontainers.Container }

// GetContainerID implements testcontainers.Container.
func (named) GetContainerID() string { return "0123456789abcdef" }

// A proxy that the engine does not remove at once is not forgotten: it would run on beside
// those of other cells.
func TestAProxyThatCannotBeTakenAway(t *testing.T) {
	g := NewWithT(t)
	asked := 0
	engine := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if asked++; asked == 1 {
			http.Error(w, `{"message":"the engine is busy"}`, http.StatusInternalServerError)
			return
		}
		w.WriteHeader(http.StatusNoContent)
	}))
	t.Cleanup(engine.Close)
	docker, err := client.New(client.WithHost("tcp://"+engine.Listener.Addr().String()), client.WithAPIVersion("1.41"))
	g.Expect(err).NotTo(HaveOccurred())
	t.Cleanup(func() { _ = docker.Close() })
	tb := &Testbed{docker: docker, Seat: &Seat{proxy: named{}}}
	g.Expect(tb.Vacate(t.Context())).To(MatchError(ContainSubstring("the engine is busy")))
	g.Expect(tb.Close()).To(Succeed())
	g.Expect(asked).To(Equal(2))
}
