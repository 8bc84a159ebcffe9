// Package images puts the container images of a run in place: the kit, which
// holds the project's own agents, and the proxies under test.
//
// A proxy's image is, in this order: the one that the user names in HTTPD_IMAGE
// or NGINX_IMAGE, one that is already here, the official one if a registry
// answers, or one built here from Debian's packages, which needs no registry. A program
// that Debian does not have is built from its Go module, if it was asked for.
// The images built here have the layout of the official ones, so that one
// configuration runs on both. What still differs in them is listed at
// [Image.Notes].
//
// Images made here are named localhost:1/proxychaos/..., an address where
// nothing listens: if one is missing, no public registry is asked for it.
package images

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/client"
)

// prefix begins the name of every image made here.
const prefix = "localhost:1/proxychaos/"

// ErrNotAvailable says that an image is known but is not available here, for
// example an old version that only a registry holds. The error that wraps it
// gives the reason. What needs the image is reported as not run.
var ErrNotAvailable = errors.New("image not available")

// Image is an image that is present on the engine.
type Image struct {
	// Ref is the name to start it by.
	Ref string
	// Version is the proxy's own version, as its binary or its package states
	// it, for example 2.4.71 or 1.26.3.
	Version string
	// Source says where the image came from, in words for a report.
	Source string
	// Digest is sha256:..., the registry's if the image has one, else the
	// image's own ID.
	Digest string
	// Notes lists how the image differs from the official one; empty for
	// images that were not built here.
	Notes []string
}

// Finder puts images in place on one engine, each at most once. Make one for a
// run: it asks only once whether a registry answers. It is safe for concurrent
// use.
type Finder struct {
	// MayInstall says that mmdebstrap, with which images are built from Debian's packages,
	// may be installed if it is missing, which root can do on Debian.
	MayInstall bool
	// MayCompile says that a program may be built from its Go module, which takes minutes.
	MayCompile bool

	cli    *client.Client
	labels map[string]string

	logMu sync.Mutex
	log   io.Writer

	young        time.Duration // an outdated image younger than this is not removed
	probe        string        // the image that a registry is asked for
	registryOnce sync.Once
	registryErr  error
	registryTold sync.Once
}

// New returns a Finder. Lines of progress go to log. The labels are put on the
// short-lived containers that ask an image for its version, so that a reaper
// finds them.
func New(cli *client.Client, log io.Writer, labels map[string]string) *Finder {
	return &Finder{cli: cli, labels: labels, log: log, young: time.Minute, probe: "httpd:2.4"}
}

func (f *Finder) logf(format string, args ...any) {
	f.logMu.Lock()
	defer f.logMu.Unlock()
	_, _ = fmt.Fprintf(f.log, format+"\n", args...)
}

// present returns the inspection of a local image, and false if it is not here.
func (f *Finder) present(ctx context.Context, ref string) (client.ImageInspectResult, bool, error) {
	got, err := f.cli.ImageInspect(ctx, ref)
	if errdefs.IsNotFound(err) {
		return got, false, nil
	}
	if err != nil {
		return got, false, fmt.Errorf("inspect image %s: %w", ref, err)
	}
	return got, true, nil
}

// digest is the registry's digest of the image, or its ID if it has none.
func digest(in client.ImageInspectResult) string {
	for _, d := range in.RepoDigests {
		if _, sum, ok := cutLast(d, "@"); ok {
			return sum
		}
	}
	return in.ID
}

// removeOld removes the images of one of our repositories that keep does not
// hold on to. An image in use is kept, and so is a young one, because another
// run may be about to start it.
func (f *Finder) removeOld(ctx context.Context, repository string, keep func(ref string) bool) error {
	list, err := f.cli.ImageList(ctx, client.ImageListOptions{Filters: make(client.Filters).Add("reference", repository)})
	if err != nil {
		return fmt.Errorf("list images of %s: %w", repository, err)
	}
	for _, img := range list.Items {
		if time.Since(time.Unix(img.Created, 0)) < f.young {
			continue
		}
		for _, ref := range img.RepoTags {
			if keep(ref) {
				continue
			}
			_, err := f.cli.ImageRemove(ctx, ref, client.ImageRemoveOptions{PruneChildren: true})
			if err != nil && !errdefs.IsConflict(err) && !errdefs.IsNotFound(err) {
				return fmt.Errorf("remove the outdated image %s: %w", ref, err)
			}
		}
	}
	return nil
}
