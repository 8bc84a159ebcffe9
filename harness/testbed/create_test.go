package testbed

import (
	"context"
	"io"
	"slices"
	"testing"

	"github.com/moby/moby/api/types/network"
	"github.com/moby/moby/client"
	. "github.com/onsi/gomega"

	"github.com/proxychaos/proxychaos/harness/engine"
	"github.com/proxychaos/proxychaos/harness/reaper"
)

// Testbeds that begin their search at the same place take different subnets,
// and each is gone after Close.
func TestNetworksOfTestbedsDoNotMeet(t *testing.T) {
	g := NewWithT(t)
	e, err := engine.Ensure(t.Context(), io.Discard)
	g.Expect(err).NotTo(HaveOccurred(), "this test needs a Docker engine")
	g.Expect(e.SetTestcontainersEnv()).To(Succeed())
	docker, err := e.Client()
	g.Expect(err).NotTo(HaveOccurred())
	t.Cleanup(func() { _ = docker.Close() })
	labels := reaper.NewSession()
	t.Cleanup(func() {
		if err := reaper.Sweep(context.Background(), docker, labels); err != nil {
			t.Error(err)
		}
	})
	list := func() []client.NetworkInspectResult {
		found, err := docker.NetworkList(t.Context(), client.NetworkListOptions{Filters: make(client.Filters).Add("label", reaper.SessionLabel+"="+labels[reaper.SessionLabel])})
		g.Expect(err).NotTo(HaveOccurred())
		var all []client.NetworkInspectResult
		for _, n := range found.Items {
			got, err := docker.NetworkInspect(t.Context(), n.ID, client.NetworkInspectOptions{})
			g.Expect(err).NotTo(HaveOccurred())
			all = append(all, got)
		}
		return all
	}
	const start = subnets - 1 // the search goes round
	beds := make([]*Testbed, 3)
	for i := range beds {
		beds[i] = unstarted(docker, Spec{Labels: labels})
		g.Expect(beds[i].createNetwork(t.Context(), start, i == 0)).To(Succeed())
		for _, other := range beds[:i] {
			g.Expect(other.Subnet.Overlaps(beds[i].Subnet)).To(BeFalse())
		}
	}
	there := list()
	g.Expect(there).To(HaveLen(3))
	for _, n := range there {
		g.Expect(n.Network.Internal).To(BeTrue(), "no route out")
		// The engine may have either family first.
		pools := slices.SortedFunc(slices.Values(n.Network.IPAM.Config), func(a, b network.IPAMConfig) int { return a.Subnet.Addr().Compare(b.Subnet.Addr()) })
		g.Expect(n.Network.EnableIPv6).To(Equal(n.Network.ID == beds[0].network.ID), "IPv6 where it was asked for")
		if n.Network.EnableIPv6 {
			g.Expect(pools).To(HaveLen(2))
			g.Expect(pools[1].Subnet).To(Equal(beds[0].Subnet6))
		} else {
			g.Expect(pools).To(HaveLen(1))
		}
		n.Network.IPAM.Config = pools
		g.Expect(n.Network.IPAM.Config[0].Subnet.Bits()).To(Equal(24))
		g.Expect(n.Network.IPAM.Config[0].IPRange).To(Equal(upperHalf(n.Network.IPAM.Config[0].Subnet)))
	}
	for _, tb := range beds {
		g.Expect(tb.Close()).To(Succeed())
	}
	g.Expect(list()).To(BeEmpty())
}
