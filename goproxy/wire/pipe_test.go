//go:build linux && (amd64 || arm64)

package wire

import (
	"bytes"
	"io"
	"os"
	"testing"
	"time"

	. "github.com/onsi/gomega"
)

func TestPipePassesEveryByteAndNoMore(t *testing.T) {
	g := NewWithT(t)
	from, source := pair(g, t)
	to, sink := pair(g, t)
	data := random(g)
	want, rest := data[:len(data)-3], data[len(data)-3:]
	go source.Write(data)
	passed := make(chan error, 1)
	go func() {
		p := GetPipe()
		defer p.Put()
		for left := int64(len(want)); left > 0; {
			n, err := p.Fill(from, left)
			left -= int64(n)
			if err == nil {
				_, err = p.Drain(to)
			}
			if err != nil {
				passed <- err
				return
			}
		}
		passed <- to.CloseWrite()
	}()
	got, err := io.ReadAll(sink)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(<-passed).To(Succeed())
	g.Expect(bytes.Equal(got, want)).To(BeTrue())
	after := make([]byte, len(rest))
	_, err = io.ReadFull(from, after)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(after).To(Equal(rest))
}

func TestPipeGoesOnAfterTimeouts(t *testing.T) {
	g := NewWithT(t)
	from, source := pair(g, t)
	to, sink := pair(g, t)
	p := GetPipe()
	defer p.Put()

	soon := func() time.Time { return time.Now().Add(10 * time.Millisecond) }
	g.Expect(from.SetReadDeadline(soon())).To(Succeed())
	_, err := p.Fill(from, 10)
	g.Expect(err).To(MatchError(os.ErrDeadlineExceeded))
	g.Expect(from.SetReadDeadline(time.Time{})).To(Succeed())

	data := random(g)
	go source.Write(data)
	g.Expect(to.SetWriteDeadline(soon())).To(Succeed())
	in, out := 0, 0
	for err = nil; err == nil; { // until the sockets hold no more
		var n int
		n, err = p.Fill(from, int64(len(data)))
		g.Expect(err).NotTo(HaveOccurred())
		in += n
		n, err = p.Drain(to)
		out += n
	}
	g.Expect(err).To(MatchError(os.ErrDeadlineExceeded))
	g.Expect(out).To(BeNumerically("<", in))
	got := make([]byte, in)
	read := make(chan error, 1)
	go func() {
		_, err := io.ReadFull(sink, got)
		read <- err
	}()
	g.Expect(to.SetWriteDeadline(time.Time{})).To(Succeed())
	n, err := p.Drain(to)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(out + n).To(Equal(in))
	g.Expect(<-read).To(Succeed())
	g.Expect(bytes.Equal(got, data[:in])).To(BeTrue())
}

func TestPipeThatIsNotEmptyIsNotUsedAgain(t *testing.T) {
	g := NewWithT(t)
	from, source := pair(g, t)
	to, sink := pair(g, t)
	_, err := source.Write([]byte("secret"))
	g.Expect(err).NotTo(HaveOccurred())
	p := GetPipe()
	n, err := p.Fill(from, 100)
	g.Expect(n, err).To(Equal(6))
	p.Put()
	g.Expect(GetPipe()).NotTo(BeIdenticalTo(p))

	g.Expect(source.CloseWrite()).To(Succeed())
	p = GetPipe()
	defer p.Put()
	_, err = p.Fill(from, 100)
	g.Expect(err).To(Equal(io.EOF))
	g.Expect(sink.SetLinger(0)).To(Succeed())
	g.Expect(sink.Close()).To(Succeed())
	g.Eventually(to.Quiet).Should(BeFalse())
	_, err = to.Write([]byte("x"))
	g.Expect(err).To(HaveOccurred())
}
