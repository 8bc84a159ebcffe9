package run

import (
	"errors"
	"io"
	"net"
	"testing"
	"time"

	. "github.com/onsi/gomega"
)

// What no node answers is said by its name.
func TestUnanswerableIsNamed(t *testing.T) {
	g := NewWithT(t)
	c, _, node := fakes(t, "127.66.0.2")
	failed := errors.New("came to 502")
	g.Expect(c.unanswerable(t.Context(), failed)).To(BeIdenticalTo(failed))
	conn, err := net.Dial("tcp4", node)
	g.Expect(err).NotTo(HaveOccurred())
	defer conn.Close()
	_, err = conn.Write([]byte("\x01\x01\x00\x01\x00\x08\x00\x00"))
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(conn.SetReadDeadline(time.Now().Add(20 * time.Second))).To(Succeed())
	_, err = io.ReadFull(conn, make([]byte, 1)) // answered, so recorded
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(c.unanswerable(t.Context(), failed)).To(MatchError(And(
		ContainSubstring("came to 502; the proxy spoke FastCGI to port "), ContainSubstring("nodes answer HTTP/1, HTTP/2 and TLS"))))
}
