package run

import (
	"net/netip"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"github.com/proxychaos/proxychaos/fakedns"
	"github.com/proxychaos/proxychaos/harness/recording"
)

// What a proxy asks shows whether its config's period is that of its look-ups.
func TestRefreshIsWhatTheQueriesShow(t *testing.T) {
	libc, own := netip.MustParseAddrPort("127.0.0.1:53"), netip.MustParseAddrPort("169.254.169.253:53")
	node, spare := netip.MustParseAddr("198.18.0.21"), netip.MustParseAddr("198.18.0.23")
	start := time.Unix(1_000_000, 0)
	query := func(after time.Duration, resolver netip.AddrPort, addr netip.Addr) fakedns.Query {
		return fakedns.Query{ReceivedAt: start.Add(after), Resolver: resolver, Name: "api.example.com", Type: "A", Answers: []netip.Addr{addr}}
	}
	const hint, window = 300 * time.Second, 6 * time.Second
	for name, tc := range map[string]struct {
		queries []fakedns.Query
		workers int
		refresh time.Duration
		source  recording.RefreshSource
	}{
		"no query":                          {nil, 2, 0, recording.NeverAsked},
		"at its start only":                 {[]fakedns.Query{query(-time.Second, libc, node)}, 2, 0, recording.NeverAsked},
		"of its own resolver, at its start": {[]fakedns.Query{query(-time.Second, own, node)}, 1, hint, recording.FromConfig},
		"once a worker":                     {[]fakedns.Query{query(0, own, node), query(1, own, node)}, 2, hint, recording.FromConfig},
		"a worker asked twice": {
			[]fakedns.Query{query(0, own, node), query(1, own, node), query(3*time.Second, own, node)}, 2, window, recording.FromQueries,
		},
		"twice, in no process that is seen": {[]fakedns.Query{query(0, libc, node), query(time.Second, libc, node)}, 0, window, recording.FromQueries},
		"for what serves nothing":           {[]fakedns.Query{query(time.Second, own, spare)}, 2, 0, recording.NeverAsked},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			refresh, source := observed(tc.queries, map[netip.Addr]bool{node: true}, libc, start).period(hint, window, tc.workers)
			g.Expect(refresh).To(Equal(tc.refresh))
			g.Expect(source).To(Equal(tc.source))
		})
	}
}
