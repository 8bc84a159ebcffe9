package netfault

import "sync"

// gate holds up the reads and writes of one node's connections while it is shut.
// A nil gate is always open.
type gate struct {
	mu   sync.Mutex
	shut chan struct{} // nil when open; closed when the gate opens
}

func (g *gate) close() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.shut == nil {
		g.shut = make(chan struct{})
	}
}

func (g *gate) open() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.shut != nil {
		close(g.shut)
		g.shut = nil
	}
}

// barrier returns a channel that is closed when the gate opens, or nil when it
// is open now.
func (g *gate) barrier() chan struct{} {
	if g == nil {
		return nil
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.shut
}
