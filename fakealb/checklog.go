package fakealb

import (
	"io"
	"iter"
	"slices"
	"sync"
	"time"

	"github.com/proxychaos/proxychaos/fakealb/record"
	"github.com/proxychaos/proxychaos/fakealb/targets"
)

// checkLog writes the lines of an ALB's health check log (3.2 D), and keeps a row of
// each check.
type checkLog struct {
	mu   sync.Mutex
	to   io.Writer // nil for none
	rows []record.Check
}

func (l *checkLog) write(e targets.CheckEntry) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !e.BuiltIn { // nothing was sent to one that is
		l.rows = append(l.rows, checkRow(e))
	}
	if l.to != nil {
		_, _ = io.WriteString(l.to, e.Line()) // the log is best effort, as AWS's is
	}
}

// checkRow is a check as it is recorded.
func checkRow(e targets.CheckEntry) record.Check {
	return record.Check{
		Start: e.Time, End: time.Now(), Node: e.Node, LoadBalancer: e.LoadBalancer, Group: e.Group, Target: e.Target,
		Passed: e.Passed, Code: max(e.Code, 0), Reason: e.Reason, TLSFailed: e.TLSFailed, State: string(e.State),
	}
}

// all yields the checks so far, in the order they ended.
func (l *checkLog) all() iter.Seq[record.Check] {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Values(slices.Clone(l.rows))
}

// reset forgets every check.
func (l *checkLog) reset() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.rows = nil
}
