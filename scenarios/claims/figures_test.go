package claims

import (
	"testing"

	. "github.com/onsi/gomega"

	"github.com/proxychaos/proxychaos/harness/judge"
	"github.com/proxychaos/proxychaos/harness/recording"
)

// The shares of several Hosts stand in the line of a run, unless those of the addresses do.
func TestTheLineOfARunHasSharesOnce(t *testing.T) {
	g := NewWithT(t)
	hosts := map[string]float64{"a.example.com": 0.6, "b.example.com": 0.4}
	f := Figures{Result: judge.Pass, Query: 1, Hosts: hosts, Shares: map[string]float64{"api.dev.jp": 1}}
	g.Expect(f.String()).To(HaveSuffix("; Hosts a.example.com 60 %, b.example.com 40 %"))
	f.Shares = hosts
	g.Expect(f.String()).To(HaveSuffix("; shares a.example.com 60 %, b.example.com 40 %"))
}

// What became of WebSockets, and what was answered late, are figures of a run, and stand in
// its line. A run without them has a line without them.
func TestFiguresOfSocketsAndOfSlowAnswers(t *testing.T) {
	g := NewWithT(t)
	plain := measure(judge.Verdict{Result: judge.Pass, Sent: 9}, &recording.Recording{})
	g.Expect(plain.String()).NotTo(Or(ContainSubstring("WebSocket"), ContainSubstring("later than")))

	v := judge.Verdict{Result: judge.Fail, Sent: 9, Slow: 3, Sockets: &judge.Sockets{Opened: 1200, Messages: 15, DeniedEarly: 4, Denied: 2, DeniedLate: 1}}
	f := measure(v, &recording.Recording{})
	g.Expect([]int{f.Sockets, f.Messages, f.Denied, f.Slow}).To(Equal([]int{1200, 15, 4, 3}))
	g.Expect(f.String()).To(ContainSubstring("; 1,200 WebSockets were opened and carried 15 messages, and 4 were denied before the fault; 3 answers came later than the scenario allows"))
}
