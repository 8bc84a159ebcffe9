package nlb

import (
	"encoding/binary"
	"hash/fnv"
	"net/netip"
)

// flowHash is the hash by which a flow finds its target: of the protocol, which is
// always TCP here, the addresses and ports of both ends, and the TCP sequence
// number (4.1 D). A process does not see that number; one of the connection's own
// stands for it, so that a port which is used again may land elsewhere too.
func flowHash(client, node netip.AddrPort, connection uint64) uint64 {
	h := fnv.New64a()
	var b [8]byte
	for _, end := range []netip.AddrPort{client, node} {
		_, _ = h.Write(end.Addr().AsSlice())
		binary.BigEndian.PutUint16(b[:], end.Port())
		_, _ = h.Write(b[:2])
	}
	binary.BigEndian.PutUint64(b[:], connection)
	_, _ = h.Write(b[:])
	return h.Sum64()
}
