package gen_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"github.com/proxychaos/proxychaos/bench/gen"
)

// late passes connections on to an address and holds back all that comes from it for a
// time.
func late(t *testing.T, to netip.AddrPort, by time.Duration) netip.AddrPort {
	t.Helper()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			server, err := net.Dial("tcp", to.String())
			if err != nil {
				client.Close()
				return
			}
			go func() {
				_, _ = io.Copy(server, client)
				server.Close()
			}()
			go func() {
				buf := make([]byte, 4096)
				for {
					n, err := server.Read(buf)
					if err != nil {
						client.Close()
						return
					}
					time.Sleep(by) // the condition that is measured
					_, _ = client.Write(buf[:n])
				}
			}()
		}
	}()
	return netip.MustParseAddrPort(l.Addr().String())
}

// 32 WebSockets through what takes 10 ms for a message cannot bring more than 3,200 a
// second.
func TestMessages(t *testing.T) {
	g := NewWithT(t)
	echo, err := gen.Echo(t.Context())
	g.Expect(err).NotTo(HaveOccurred())
	got, err := gen.Messages(t.Context(), late(t, echo, delay), 300*time.Millisecond)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(got.PerSecond).To(And(BeNumerically(">", 0), BeNumerically("<=", gen.Connections*float64(time.Second/delay))))
	g.Expect(got.Cores).To(BeNumerically(">", 0))

	plain := httptest.NewServer(http.NotFoundHandler())
	defer plain.Close()
	_, err = gen.Messages(t.Context(), netip.MustParseAddrPort(plain.Listener.Addr().String()), time.Millisecond)
	g.Expect(err).To(MatchError(ContainSubstring("got 404 Not Found")))
	ended, end := context.WithCancel(t.Context())
	gone, err := gen.Echo(ended)
	g.Expect(err).NotTo(HaveOccurred())
	time.AfterFunc(20*time.Millisecond, end)
	_, err = gen.Messages(t.Context(), gone, 10*time.Second)
	g.Expect(err).To(HaveOccurred(), "a message did not come back")
}

func TestCalls(t *testing.T) {
	needs(t, "h2load")
	g := NewWithT(t)
	callee, err := gen.Callee(t.Context())
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(gen.Called(t.Context(), callee)).To(Succeed())
	file := filepath.Join(t.TempDir(), "call")
	g.Expect(os.WriteFile(file, gen.CallMessage(), 0o600)).To(Succeed())
	got, err := gen.Calls(t.Context(), callee, file, time.Second)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(got.PerSecond).To(BeNumerically(">", 0))

	other := httptest.NewUnstartedServer(http.NotFoundHandler())
	other.Config.Protocols = &http.Protocols{}
	other.Config.Protocols.SetUnencryptedHTTP2(true)
	other.Start()
	defer other.Close()
	addr := netip.MustParseAddrPort(other.Listener.Addr().String())
	g.Expect(gen.Called(t.Context(), addr)).To(MatchError(ContainSubstring("404")))
	_, err = gen.Calls(t.Context(), addr, file, time.Second)
	g.Expect(err).To(HaveOccurred(), "an answer without the message is none")
}
