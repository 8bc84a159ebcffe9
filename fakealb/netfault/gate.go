package netfault

import (
	"sync"
	"sync/atomic"
)

// gate holds up the reads and writes of one node's connections while it is shut.
// A nil gate is always open.
type gate struct {
	mu   sync.Mutex                    // of those who move it
	shut atomic.Pointer[chan struct{}] // nil when open; closed when the gate opens
}

func (g *gate) close() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.shut.Load() == nil {
		barrier := make(chan struct{})
		g.shut.Store(&barrier)
	}
}

func (g *gate) open() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if barrier := g.shut.Swap(nil); barrier != nil {
		close(*barrier)
	}
}

// barrier returns a channel that is closed when the gate opens, or nil when it
// is open now.
func (g *gate) barrier() chan struct{} {
	if g == nil {
		return nil
	}
	if barrier := g.shut.Load(); barrier != nil {
		return *barrier
	}
	return nil
}
