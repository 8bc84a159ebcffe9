package testbed

import "sync"

// inImages remembers what was found in images, for all testbeds of this process. An image
// with an ID never changes, and each look costs the engine a mount of the container.
var inImages = contents{known: map[inImage]bool{}}

type contents struct {
	mu    sync.Mutex
	known map[inImage]bool // whether it is there
}

type inImage struct{ id, path string }

func (c *contents) has(id, path string) (there, looked bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	there, looked = c.known[inImage{id, path}]
	return there, looked
}

func (c *contents) note(id, path string, there bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.known[inImage{id, path}] = there
}
