package fakealb

import (
	"io"
	"sync"

	"github.com/proxychaos/proxychaos/fakealb/targets"
)

// checkLog writes the lines of an ALB's health check log (3.2 D).
type checkLog struct {
	mu sync.Mutex
	to io.Writer // nil for none
}

func (l *checkLog) write(e targets.CheckEntry) {
	if l.to == nil {
		return
	}
	line := e.Line()
	l.mu.Lock()
	defer l.mu.Unlock()
	_, _ = io.WriteString(l.to, line) // the log is best effort, as AWS's is
}
