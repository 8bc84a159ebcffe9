package fakealb

import (
	"net/netip"
	"sync"
	"time"
)

// removed is what packet rows call an address that was taken away.
const removed FaultKind = "removed"

// keepsPayload reports whether segments to a node under k do not reach it, so
// that they belong in the record of packets.
func keepsPayload(k FaultKind) bool {
	return k == FaultSilence || k == FaultRefuse || k == removed
}

// faultLog remembers when which fault was on which address, so that a packet
// which is decoded late is judged by the time it arrived. An address that was
// never a node is not in it.
type faultLog struct {
	mu   sync.RWMutex
	addr map[netip.Addr][]faultSince
}

type faultSince struct {
	kind FaultKind
	from time.Time
}

func (l *faultLog) put(kind FaultKind, from time.Time, addr netip.Addr) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.addr == nil {
		l.addr = map[netip.Addr][]faultSince{}
	}
	l.addr[addr] = append(l.addr[addr], faultSince{kind, from})
}

// at returns the fault on addr at t, and whether addr is, or was, a node.
func (l *faultLog) at(addr netip.Addr, t time.Time) (FaultKind, bool) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	spans, ok := l.addr[addr]
	for i := len(spans) - 1; i >= 0; i-- {
		if !t.Before(spans[i].from) {
			return spans[i].kind, true
		}
	}
	return FaultNone, ok
}

// recordedFault is a kind as rows show it: nothing for none.
func recordedFault(k FaultKind) string {
	if k == FaultNone {
		return ""
	}
	return string(k)
}
