package soak

import (
	"context"
	"fmt"
	"net/netip"
	"time"

	"github.com/proxychaos/proxychaos/bench/peer"
	"github.com/proxychaos/proxychaos/fakealb"
	"github.com/proxychaos/proxychaos/fakedns"
)

const (
	name = "backend.example.test"
	ttl  = time.Second // of the name, which a proxy may use old nodes for

	// Three groups: one that the name has, one that it has left, and the next
	// one, whose faults are over.
	groups        = 3
	nodesPerGroup = 2
)

// stage is the programs of a run, each a process of its own.
type stage struct {
	Options
	proxy *peer.Server
	fakes []*peer.Server
	dns   *fakedns.Client
	group [groups]group
	began time.Time
	load  tally
}

// group is nodes that come and go together, in a fakealb of their own: it is
// reset when nobody uses them, which keeps its records small.
type group struct {
	nodes []netip.Addr
	port  uint16
	alb   *fakealb.Client
}

func build(ctx context.Context, shop *peer.Shop, o Options) (*stage, error) {
	s := &stage{Options: o, load: tally{posts: map[int]int{}}}
	front, err := peer.FreeAddr(ctx)
	if err != nil {
		return nil, err
	}
	for i := range s.group {
		g := &s.group[i]
		g.port = front.Port()
		for n := range nodesPerGroup {
			g.nodes = append(g.nodes, netip.AddrFrom4([4]byte{127, 78, byte(i + 1), byte(21 + n)}))
		}
		fake, err := shop.FakeNodes(ctx, g.port, g.nodes...)
		if err != nil {
			return nil, err
		}
		s.fakes = append(s.fakes, fake)
		g.alb = fakealb.NewClient(fake.Control, nil)
	}
	dns, err := shop.FakeName(ctx, name, ttl, s.group[0].nodes...)
	if err != nil {
		return nil, err
	}
	s.fakes = append(s.fakes, dns)
	s.dns = fakedns.NewClient(dns.Control, nil)
	upstream := fmt.Sprintf("{url: 'http://%s:%d'}", name, front.Port())
	if o.Pinned {
		upstream = fmt.Sprintf("{members: [{url: 'http://%s:%d'}, {url: 'http://%s:%d'}]}",
			s.group[0].nodes[0], front.Port(), s.group[0].nodes[1], front.Port())
	}
	s.proxy, err = shop.GoProxyTo(ctx, upstream, dns.Addr)
	return s, err
}

func (s *stage) since(t time.Time) time.Duration { return t.Sub(s.began) }
