package testbed

import (
	"context"
	"slices"
	"time"

	"github.com/proxychaos/proxychaos/harness/fault"
	"github.com/proxychaos/proxychaos/harness/pod"
)

// RestartProxy kills all processes of the proxy and starts its container again, with what
// is in it. It returns when the container had ended.
func (s *Seat) RestartProxy(ctx context.Context) (time.Time, error) {
	ctx, cancel := context.WithTimeout(ctx, Limits.Proxy)
	defer cancel()
	before, err := s.Pod.Processes(ctx, s.tb.nodes())
	if err != nil {
		return time.Time{}, err
	}
	s.former = before
	at, err := s.KillProxy(ctx)
	if err != nil {
		return at, err
	}
	_, err = s.StartAgain(ctx)
	return at, err
}

// ProxyLife is what has become of the proxy since RestartProxy.
func (s *Seat) ProxyLife(ctx context.Context) (life fault.Life, err error) {
	now, err := s.Pod.Processes(ctx, s.tb.nodes())
	if err != nil {
		return life, err
	}
	for _, p := range now {
		life.Listens = life.Listens || p.Listens
		if slices.ContainsFunc(s.former, func(f pod.Process) bool { return f.PID == p.PID }) {
			life.Left++
		}
	}
	ended, code, err := s.tb.exited(ctx, s.proxy)
	life.Runs, life.Code = !ended, code
	return life, err
}
