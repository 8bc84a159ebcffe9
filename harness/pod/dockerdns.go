//go:build linux

package pod

import (
	"fmt"
	"net/netip"

	"github.com/google/nftables"
	"github.com/google/nftables/expr"
)

// dockerDNS is where Docker's own resolver answers in every container of a
// user-defined network. Nothing is bound to its port 53: Docker's NAT rules, in
// the container's namespace, send that port to another one, where the engine
// listens from outside.
var dockerDNS = netip.AddrFrom4([4]byte{127, 0, 0, 11})

const tableName = "proxychaos_pod"

// bypassDockerDNS lets 127.0.0.11:53 be answered by whoever is bound there.
//
// The kernel asks the nat chains of a hook one after the other, nftables' and
// iptables' alike, until one of them has decided the address of a connection.
// This one comes just before Docker's (priority -100) and decides that the
// address is left as it is. Docker's rules need not be found or parsed, and it
// does not matter when Docker writes them again.
func bypassDockerDNS() (undo func() error, err error) {
	conn, err := nftables.New()
	if err != nil {
		return nil, fmt.Errorf("pod: open nftables: %w", err)
	}
	table := conn.AddTable(&nftables.Table{Name: tableName, Family: nftables.TableFamilyIPv4})
	chain := conn.AddChain(&nftables.Chain{
		Name: "output", Table: table, Type: nftables.ChainTypeNAT,
		Hooknum:  nftables.ChainHookOutput,
		Priority: nftables.ChainPriorityRef(*nftables.ChainPriorityNATDest - 1),
	})
	const ipv4Destination, register = 16, 1
	conn.AddRule(&nftables.Rule{Table: table, Chain: chain, Exprs: []expr.Any{
		&expr.Payload{DestRegister: register, Base: expr.PayloadBaseNetworkHeader, Offset: ipv4Destination, Len: 4},
		&expr.Cmp{Op: expr.CmpOpEq, Register: register, Data: dockerDNS.AsSlice()},
		&expr.Immediate{Register: register, Data: dockerDNS.AsSlice()},
		&expr.NAT{Type: expr.NATTypeDestNAT, Family: uint32(nftables.TableFamilyIPv4), RegAddrMin: register},
	}})
	if err := conn.Flush(); err != nil {
		return nil, fmt.Errorf("pod: answer at %s in place of Docker (needs CAP_NET_ADMIN and nf_tables in the kernel): %w", dockerDNS, err)
	}
	return func() error {
		conn.DelTable(table)
		return conn.Flush()
	}, nil
}
