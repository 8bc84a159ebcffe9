package images

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/moby/moby/client"

	"github.com/proxychaos/proxychaos/harness/kind"
)

// registryTimeout bounds the question whether a registry answers. Where none
// can be reached, the engine usually knows within milliseconds.
const registryTimeout = 8 * time.Second

// Proxy puts the image of a release in place and returns it.
//
// An error for which errors.Is(err, ErrNotAvailable) holds means that the image
// is not available here; any other is a failure.
func (f *Finder) Proxy(ctx context.Context, r kind.Release) (Image, error) {
	k, err := kind.Of(r.Kind)
	if err != nil {
		return Image{}, err
	}
	if k.Bundled() {
		return Image{}, fmt.Errorf("there are no images of %s: it is part of this program", r.Kind)
	}
	if k.UserImage {
		return f.named(ctx, r, r.Official, "IMAGE")
	}
	if ref := os.Getenv(k.Image.Variable); ref != "" {
		return f.named(ctx, r, ref, k.Image.Variable)
	}
	var reasons []string
	if r.Official != "" {
		if img, ok, err := f.local(ctx, r, r.Official, "official image, already here"); ok || err != nil {
			return img, err
		}
	}
	if r.Suite != "" {
		if img, ok, err := f.builtBefore(ctx, r); ok || err != nil {
			return img, err
		}
	}
	if k.Image.Module != nil {
		if img, ok, err := f.compiledBefore(ctx, r.Kind, *k.Image.Module); ok || err != nil {
			return img, err
		}
	}
	if r.Official == "" {
		reasons = append(reasons, "no official image of that name")
	} else {
		err := f.askRegistry(ctx)
		if err == nil {
			err = f.pull(ctx, r.Official)
		}
		if err == nil {
			img, _, err := f.local(ctx, r, r.Official, "official image, pulled")
			return img, err
		}
		if ctx.Err() != nil {
			return Image{}, err
		}
		reasons = append(reasons, fmt.Sprintf("%s cannot be pulled (%v)", r.Official, err))
	}
	if k.Image.Module != nil {
		return f.fromModule(ctx, r, *k.Image.Module, strings.Join(reasons, "; "))
	}
	if r.Suite == "" {
		reasons = append(reasons, "no Debian suite carries it")
		return Image{}, fmt.Errorf("%w: %s: %s", ErrNotAvailable, r, strings.Join(reasons, "; "))
	}
	return f.fromDebian(ctx, r, strings.Join(reasons, "; "))
}

// named returns the image that the user chose, pulling it if it is not here.
func (f *Finder) named(ctx context.Context, r kind.Release, ref, variable string) (Image, error) {
	source := "named in " + variable
	img, ok, err := f.local(ctx, r, ref, source)
	if ok || err != nil {
		return img, err
	}
	if err := f.pull(ctx, ref); err != nil {
		return Image{}, fmt.Errorf("%s=%s: not on this engine and cannot be pulled: %w; if its registry wants a login, docker pull it by hand first", variable, ref, err)
	}
	img, _, err = f.local(ctx, r, ref, source+", pulled")
	return img, err
}

// local describes an image if it is here. Its version is asked of the binary; if nothing
// is known of that, it is the beginning of the digest.
func (f *Finder) local(ctx context.Context, r kind.Release, ref, source string) (Image, bool, error) {
	in, ok, err := f.present(ctx, ref)
	if !ok || err != nil {
		return Image{}, false, err
	}
	img := Image{Ref: ref, Source: source, Digest: digest(in)}
	if r.Kind == kind.Any {
		_, sum, _ := strings.Cut(img.Digest, ":")
		img.Version = sum[:min(len(sum), 12)]
		return img, true, nil
	}
	img.Version, err = f.version(ctx, ref, r.Kind)
	return img, err == nil, err
}

// askRegistry asks the engine, which knows its proxies and mirrors, for an
// image of the public registry. The answer holds for the life of the Finder.
func (f *Finder) askRegistry(ctx context.Context) error {
	f.registryOnce.Do(func() {
		limited, cancel := context.WithTimeout(ctx, registryTimeout)
		defer cancel()
		_, f.registryErr = f.cli.DistributionInspect(limited, f.probe, client.DistributionInspectOptions{})
	})
	if f.registryErr != nil {
		return errNoRegistry // why, the log says before the first image is built instead
	}
	return nil
}

var errNoRegistry = errors.New("no registry answers")

func (f *Finder) pull(ctx context.Context, ref string) error {
	begin := time.Now()
	res, err := f.cli.ImagePull(ctx, ref, client.ImagePullOptions{})
	if err != nil {
		return err
	}
	defer func() { _ = res.Close() }()
	if err := res.Wait(ctx); err != nil {
		return err
	}
	f.logf("pulled %s in %.1f s", ref, time.Since(begin).Seconds())
	return nil
}
