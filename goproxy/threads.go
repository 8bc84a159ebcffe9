package goproxy

import (
	"os"
	"runtime"
)

// cores is what Go found: the machine's, or the container's share of them.
var cores = runtime.GOMAXPROCS(0)

// spareThreads lets Go run on twice as many threads as there are cores, unless
// GOMAXPROCS says on how many. Measured to be faster (docs/performance.md). The
// likely reason: Go does not know when the kernel gives a thread's core to
// another process. What is ready on it waits until it runs again, unless another
// thread happens to be awake, and meanwhile a core can be idle for milliseconds.
func spareThreads() {
	if os.Getenv("GOMAXPROCS") == "" {
		runtime.GOMAXPROCS(2 * cores)
	}
}
