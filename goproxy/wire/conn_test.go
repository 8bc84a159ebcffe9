package wire

import (
	"bytes"
	"crypto/rand"
	"errors"
	"io"
	"net"
	"os"
	"testing"
	"time"

	. "github.com/onsi/gomega"
)

// pair is both ends of a connection, the first of them a Conn.
func pair(g *WithT, t *testing.T) (*Conn, *net.TCPConn) {
	l, err := net.ListenTCP("tcp", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
	g.Expect(err).NotTo(HaveOccurred())
	defer l.Close()
	far, err := net.DialTCP("tcp", nil, l.Addr().(*net.TCPAddr))
	g.Expect(err).NotTo(HaveOccurred())
	t.Cleanup(func() { far.Close() })
	near, err := l.AcceptTCP()
	g.Expect(err).NotTo(HaveOccurred())
	t.Cleanup(func() { near.Close() })
	c, err := New(near)
	g.Expect(err).NotTo(HaveOccurred())
	return c, far
}

// random is more than all socket buffers on the way hold.
func random(g *WithT) []byte {
	data := make([]byte, 16<<20+7)
	_, err := rand.Read(data)
	g.Expect(err).NotTo(HaveOccurred())
	return data
}

func TestConnPassesEveryByteBothWays(t *testing.T) {
	g := NewWithT(t)
	c, far := pair(g, t)
	want := random(g)
	go func() {
		io.Copy(far, far) // an echo
		far.CloseWrite()
	}()
	sent := make(chan error, 1)
	go func() {
		n, err := c.Write(want)
		if err == nil && n != len(want) {
			err = io.ErrShortWrite
		}
		sent <- errors.Join(err, c.CloseWrite())
	}()
	var got bytes.Buffer
	_, err := got.ReadFrom(struct{ io.Reader }{c})
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(<-sent).To(Succeed())
	g.Expect(bytes.Equal(got.Bytes(), want)).To(BeTrue())
}

func TestConnKeepsDeadlines(t *testing.T) {
	g := NewWithT(t)
	c, far := pair(g, t)
	g.Expect(c.SetReadDeadline(time.Now().Add(10 * time.Millisecond))).To(Succeed())
	_, err := c.Read(make([]byte, 1))
	g.Expect(err).To(MatchError(os.ErrDeadlineExceeded))
	data := random(g)
	g.Expect(c.SetWriteDeadline(time.Now().Add(50 * time.Millisecond))).To(Succeed())
	n, err := c.Write(data) // nobody reads
	g.Expect(err).To(MatchError(os.ErrDeadlineExceeded))
	g.Expect(n).To(BeNumerically(">", 0))
	got, err := io.CopyN(io.Discard, far, int64(n))
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(got).To(BeEquivalentTo(n), "as many bytes as Write says")
	// Both can be used again.
	g.Expect(c.SetDeadline(time.Time{})).To(Succeed())
	go c.Write([]byte("x"))
	_, err = io.ReadFull(far, make([]byte, 1))
	g.Expect(err).NotTo(HaveOccurred())
}

func TestConnTellsTheEndFromAnError(t *testing.T) {
	g := NewWithT(t)
	c, far := pair(g, t)
	g.Expect(c.Quiet()).To(BeTrue())
	g.Expect(far.SetLinger(0)).To(Succeed())
	g.Expect(far.Close()).To(Succeed()) // a reset
	_, err := c.Read(make([]byte, 1))
	g.Expect(err).To(MatchError(ContainSubstring("connection reset by peer")))

	c, far = pair(g, t)
	g.Expect(far.CloseWrite()).To(Succeed())
	_, err = c.Read(make([]byte, 1))
	g.Expect(err).To(Equal(io.EOF))
	g.Expect(c.Quiet()).To(BeFalse())

	g.Expect(c.Close()).To(Succeed())
	_, err = c.Read(make([]byte, 1))
	g.Expect(err).To(MatchError(net.ErrClosed))
	_, err = c.Write([]byte("x"))
	g.Expect(err).To(MatchError(net.ErrClosed))
	g.Expect(c.Quiet()).To(BeFalse())
}

func TestBytesThatWaitAreNotQuietAndStay(t *testing.T) {
	g := NewWithT(t)
	c, far := pair(g, t)
	_, err := far.Write([]byte("ab"))
	g.Expect(err).NotTo(HaveOccurred())
	g.Eventually(c.Quiet).Should(BeFalse())
	two := make([]byte, 2)
	_, err = io.ReadFull(c, two)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(string(two)).To(Equal("ab"))
	g.Expect(c.Quiet()).To(BeTrue())
}
