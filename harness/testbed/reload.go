package testbed

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/moby/moby/client"

	"github.com/proxychaos/proxychaos/harness/kind"
	"github.com/proxychaos/proxychaos/harness/pod"
)

// ReloadProxy tells the proxy to reload its configuration, in the way of its kind.
func (s *Seat) ReloadProxy(ctx context.Context, by kind.Reload) (time.Time, error) {
	ctx, cancel := context.WithTimeout(ctx, Limits.Proxy)
	defer cancel()
	var err error
	if s.former, err = s.Pod.Processes(ctx, s.tb.nodes()); err != nil {
		return time.Time{}, err
	}
	if s.said, err = s.says(ctx, by); err != nil {
		return time.Time{}, err
	}
	at := time.Now()
	if _, err := s.tb.docker.ContainerKill(ctx, s.proxy.GetContainerID(), client.ContainerKillOptions{Signal: by.Signal}); err != nil {
		return time.Time{}, fmt.Errorf("telling the proxy to reload its configuration: %w", err)
	}
	return at, nil
}

// says counts how often the proxy has said that it reloaded its configuration.
func (s *Seat) says(ctx context.Context, by kind.Reload) (int, error) {
	if by.Says == "" {
		return 0, nil
	}
	text, err := s.ProxyLog(ctx)
	return bytes.Count(text, []byte(by.Says)), err
}

// Reloaded says whether the proxy has reloaded its configuration since ReloadProxy, and what
// shows it: a line of its log, or a process that listens and was not there before.
func (s *Seat) Reloaded(ctx context.Context, by kind.Reload) (bool, string, error) {
	if by.Says != "" {
		said, err := s.says(ctx, by)
		return said > s.said, fmt.Sprintf("its log says %q %d times, before %d", by.Says, said, s.said), err
	}
	now, err := s.Pod.Processes(ctx, s.tb.nodes())
	for _, p := range now {
		if p.Listens && !slices.ContainsFunc(s.former, func(f pod.Process) bool { return f.PID == p.PID }) {
			return true, fmt.Sprintf("process %d (%s) is new and listens", p.PID, p.Command), err
		}
	}
	return false, fmt.Sprintf("none of its %d processes is new and listens", len(now)), err
}
