package fakedns_test

import (
	"bufio"
	"context"
	"io"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"
	. "github.com/onsi/gomega"

	"github.com/proxychaos/proxychaos/fakedns"
)

func TestCommandRunsUntilItIsTold(t *testing.T) {
	g := expect(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	out, in := io.Pipe()
	var banner strings.Builder
	cmd := fakedns.Command()
	cmd.SetArgs([]string{
		"--listen", "127.0.0.1:0", "--control", "127.0.0.1:0", "--ttl", "5s",
		"--name", "app.example=10.0.0.1,2001:db8::1", "--name", "*=10.0.0.9", "--negative-ttl", "3s",
	})
	cmd.SetOut(in)
	cmd.SetErr(&banner)
	ended := make(chan error, 1)
	go func() { ended <- cmd.ExecuteContext(ctx) }()
	lines := bufio.NewScanner(out)
	g.Expect(lines.Scan()).To(BeTrue())
	control := lines.Text()
	g.Expect(lines.Scan()).To(BeTrue())
	at := netip.MustParseAddrPort(lines.Text())

	c := &dns.Client{Timeout: patience}
	reply, _, err := c.Exchange(question("app.example", dns.TypeAAAA), at.String())
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(addressesOf(reply)).To(Equal(addrs("2001:db8::1")))
	g.Expect(reply.Answer[0].Header().Ttl).To(BeEquivalentTo(5))
	reply, _, err = c.Exchange(question("any.example", dns.TypeAAAA), at.String())
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(reply.Ns[0].Header().Ttl).To(BeEquivalentTo(3))
	_, err = fakedns.NewClient(control, nil).WaitQuery(t.Context(), fakedns.Filter{Name: "app.example"})
	g.Expect(err).NotTo(HaveOccurred())

	cancel()
	g.Eventually(ended, patience).Should(Receive(BeNil()))
	g.Expect(banner.String()).To(ContainSubstring("TEST ONLY"))
}

func TestCommandSaysWhatIsWrong(t *testing.T) {
	for want, args := range map[string][]string{
		`got --listen "53", want an address with a port`:          {"--listen", "53"},
		`got --control "x", want an address with a port`:          {"--control", "x"},
		`got --name "app.example", want NAME=ADDRESS`:             {"--name", "app.example"},
		`got --name "a=ten", want addresses after "a="`:           {"--name", "a=ten"},
		`names[0].name: got "a..b"`:                               {"--name", "a..b=10.0.0.1"},
		`names[0].ttl_seconds: got 0.5, want whole seconds`:       {"--name", "a=10.0.0.1", "--ttl", "500ms"},
		`control: got 0.0.0.0:80, want a loopback`:                {"--control", "0.0.0.0:80"},
		`unknown command "x" for "fakedns"`:                       {"x"},
		`listen on 192.0.2.1:53: listen tcp4 192.0.2.1:53: bind:`: {"--listen", "192.0.2.1:53"},
	} {
		t.Run(want, func(t *testing.T) {
			g := expect(t)
			cmd := fakedns.Command()
			cmd.SetArgs(args)
			cmd.SetOut(io.Discard)
			cmd.SetErr(io.Discard)
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			err := cmd.ExecuteContext(ctx)
			g.Expect(err).To(MatchError(ContainSubstring(want)))
			g.Expect(err.Error()).NotTo(ContainSubstring("\n"), "one line")
		})
	}
}
