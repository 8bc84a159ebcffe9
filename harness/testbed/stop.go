package testbed

import (
	"context"
	"fmt"
	"time"

	"github.com/moby/moby/client"
)

// StopProxy sends the proxy the signal at which it finishes its requests and ends.
func (s *Seat) StopProxy(ctx context.Context, signal string) (time.Time, error) {
	ctx, cancel := context.WithTimeout(ctx, Limits.Proxy)
	defer cancel()
	at := time.Now()
	if _, err := s.tb.docker.ContainerKill(ctx, s.proxy.GetContainerID(), client.ContainerKillOptions{Signal: signal}); err != nil {
		return time.Time{}, fmt.Errorf("telling the proxy to end: %w", err)
	}
	return at, nil
}

// KillProxy ends all processes of the proxy without a warning. It returns when they had ended.
func (s *Seat) KillProxy(ctx context.Context) (time.Time, error) {
	ctx, cancel := context.WithTimeout(ctx, Limits.Proxy)
	defer cancel()
	if _, err := s.tb.docker.ContainerKill(ctx, s.proxy.GetContainerID(), client.ContainerKillOptions{Signal: "KILL"}); err != nil {
		return time.Time{}, fmt.Errorf("ending the proxy: %w", err)
	}
	for {
		ended, _, err := s.tb.exited(ctx, s.proxy)
		if err != nil {
			return time.Time{}, fmt.Errorf("waiting for the end of the proxy: %w", err)
		}
		if ended {
			return time.Now(), nil
		}
	}
}

// ProxyEnded says whether the proxy has ended and nothing of it is left, and what shows it.
func (s *Seat) ProxyEnded(ctx context.Context) (bool, string, error) {
	ended, code, err := s.tb.exited(ctx, s.proxy)
	if err != nil || !ended {
		return false, "the proxy still runs", err
	}
	left, err := s.Pod.Processes(ctx, s.tb.nodes())
	return len(left) == 0, fmt.Sprintf("the proxy has ended with code %d, and %d of its processes are left", code, len(left)), err
}

// StartAgain starts the container of a proxy that has ended, with what is in it.
func (s *Seat) StartAgain(ctx context.Context) (time.Time, error) {
	ctx, cancel := context.WithTimeout(ctx, Limits.Proxy)
	defer cancel()
	at := time.Now()
	if _, err := s.tb.docker.ContainerStart(ctx, s.proxy.GetContainerID(), client.ContainerStartOptions{}); err != nil {
		return time.Time{}, fmt.Errorf("starting the proxy again: %w", err)
	}
	return at, nil
}

// ProxyListens says whether the proxy listens, and what shows it.
func (s *Seat) ProxyListens(ctx context.Context) (bool, string, error) {
	listeners, err := s.Pod.Listeners(ctx, 0)
	return len(listeners) > 0, fmt.Sprintf("the proxy listens on %d addresses", len(listeners)), err
}
