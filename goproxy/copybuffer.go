package goproxy

import "sync"

// copyBufferSize is what one read of a body takes at most, with room for the
// head or the chunk size that goes out before it.
const copyBufferSize = 64 << 10

// headRoom is that room.
const headRoom = 8 << 10

var copyBuffers = sync.Pool{New: func() any { return new([copyBufferSize]byte) }}

func getCopyBuffer() *[copyBufferSize]byte  { return copyBuffers.Get().(*[copyBufferSize]byte) }
func putCopyBuffer(b *[copyBufferSize]byte) { copyBuffers.Put(b) }
