package run

import (
	"net/netip"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"github.com/proxychaos/proxychaos/fakedns"
	"github.com/proxychaos/proxychaos/harness"
	"github.com/proxychaos/proxychaos/harness/config"
	"github.com/proxychaos/proxychaos/harness/kind"
	"github.com/proxychaos/proxychaos/harness/recording"
)

// What a proxy asks shows whether its config's period is that of its look-ups.
func TestRefreshIsWhatTheQueriesShow(t *testing.T) {
	libc, own := netip.MustParseAddrPort("127.0.0.1:53"), netip.MustParseAddrPort("169.254.169.253:53")
	node, spare := netip.MustParseAddr("198.18.0.21"), netip.MustParseAddr("198.18.0.23")
	start := time.Unix(1_000_000, 0)
	socket := uint16(40000)
	query := func(after time.Duration, resolver netip.AddrPort, addr netip.Addr) fakedns.Query {
		socket++
		client := netip.AddrPortFrom(netip.MustParseAddr("198.18.0.2"), socket)
		return fakedns.Query{ReceivedAt: start.Add(after), Client: client, Resolver: resolver, Name: "api.example.com", Type: "A", Answers: []netip.Addr{addr}}
	}
	// again is a query and the same one over its socket.
	again := func(after time.Duration, resolver netip.AddrPort) []fakedns.Query {
		first := query(0, resolver, node)
		second := first
		second.ReceivedAt, second.Name = start.Add(after), "API.example.com"
		return []fakedns.Query{first, second}
	}
	const hint, window = 300 * time.Second, 6 * time.Second
	for name, tc := range map[string]struct {
		queries []fakedns.Query
		keepers int
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
		"twice, in no process that is seen":         {[]fakedns.Query{query(0, libc, node), query(time.Second, libc, node)}, 1, window, recording.FromQueries},
		"one socket of one worker, twice":           {again(3*time.Second, own), 2, window, recording.FromQueries},
		"the C library, by chance on the same port": {again(3*time.Second, libc), 2, hint, recording.FromConfig},
		"for what serves nothing":                   {[]fakedns.Query{query(time.Second, own, spare)}, 2, 0, recording.NeverAsked},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			refresh, source := observed(tc.queries, map[netip.Addr]bool{node: true}, []netip.AddrPort{libc}, start).period(hint, window, tc.keepers)
			g.Expect(refresh).To(Equal(tc.refresh))
			g.Expect(source).To(Equal(tc.source))
		})
	}
}

// A config may name a period of something else, such as valid=86400 for OCSP stapling: the
// one of its look-ups has to have time to show.
func TestHowLongQueriesAreWatched(t *testing.T) {
	g := NewWithT(t)
	const s = time.Second
	g.Expect(look(nil)).To(Equal(refreshLook))
	g.Expect(look([]time.Duration{24 * time.Hour})).To(Equal(refreshLook))
	g.Expect(look([]time.Duration{10 * s, 24 * time.Hour, 3 * s})).To(Equal(12 * s))
	g.Expect(look([]time.Duration{300 * s, 24 * time.Hour})).To(Equal(refreshLook), "too long to wait for")
}

// resolver ... valid=86400 is in many a config: a run does not take a day, and says why.
func TestARunHasAnEnd(t *testing.T) {
	g := NewWithT(t)
	c := cell{opt: Options{Settings: harness.DefaultSettings()}, config: config.Config{Config: kind.Config{Path: "./nginx"}}}
	c.plan = recording.Plan{Duration: 3600, Refresh: 3500}
	g.Expect(c.affordable()).To(Succeed())
	c.plan = recording.Plan{Duration: 86417, Refresh: 86400}
	g.Expect(c.affordable()).To(MatchError(And(HavePrefix("./nginx: the run would take 24h0m17s, want at most 1h0m0s"), ContainSubstring("keep an address for 24h0m0s"))))
}
