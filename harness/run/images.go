package run

import (
	"context"
	"sync"

	tclog "github.com/testcontainers/testcontainers-go/log"

	"github.com/proxychaos/proxychaos/harness"
	"github.com/proxychaos/proxychaos/harness/kind"
	"github.com/proxychaos/proxychaos/harness/machine"
	"github.com/proxychaos/proxychaos/harness/reaper"
	"github.com/proxychaos/proxychaos/harness/recording"
)

// silent is a testcontainers logger that says nothing.
type silent struct{}

// Printf implements log.Logger.
func (silent) Printf(string, ...any) {}

// quiet silences testcontainers, which tells of every container: the lab's own
// lines say what matters. Once, because testcontainers reads its logger unguarded.
var quiet = sync.OnceFunc(func() { tclog.SetDefault(silent{}) })

// startReaper makes the image of the agents and starts the reaper from it.
func (l *Lab) startReaper(ctx context.Context) error {
	var err error
	if l.shared.Kit, err = l.finder.Kit(ctx, l.opt.Binary); err != nil {
		return err
	}
	guard, err := reaper.Start(ctx, l.docker, l.shared.Kit, l.shared.Labels)
	if err != nil {
		return err
	}
	l.closes = append(l.closes, func() error { return guard.Close(context.WithoutCancel(ctx)) })
	return nil
}

// image puts the image of a subject in place, once for all cells that need it.
func (l *Lab) image(ctx context.Context, s harness.Subject) (recording.Image, error) {
	k, err := kind.Of(s.Kind)
	if err != nil {
		return recording.Image{}, err
	}
	if k.Bundled() {
		commit := machine.Tool(ctx).Commit
		if commit == "" {
			commit = "this build"
		}
		return recording.Image{Ref: l.shared.Kit, Version: commit, Source: "built here"}, nil
	}
	if l.Embedded() {
		return recording.Image{}, errNeedsEngine
	}
	release := kind.Release{Kind: s.Kind, Official: s.Image}
	if !k.UserImage {
		if release, err = k.Release(s.Release); err != nil {
			return recording.Image{}, err
		}
	}
	l.proxyMu.Lock()
	p := l.proxies[release]
	if p == nil {
		p = &pending{}
		l.proxies[release] = p
	}
	l.proxyMu.Unlock()
	p.once.Do(func() { p.image, p.err = l.finder.Proxy(ctx, release) })
	return recording.Image{Ref: p.image.Ref, Digest: p.image.Digest, Version: p.image.Version, Source: p.image.Source}, p.err
}
