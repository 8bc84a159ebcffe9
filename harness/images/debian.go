package images

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"syscall"
	"time"

	"github.com/moby/moby/client"

	"github.com/proxychaos/proxychaos/harness/kind"
	"github.com/proxychaos/proxychaos/harness/lock"
)

const (
	versionLabel = "org.proxychaos.version"
	packageLabel = "org.proxychaos.package"
)

// debianRef is the name of the image of a release built from packages. It
// carries a hash of the recipe: an image made by another recipe is not taken
// for this one. Debian's own versions are not part of it, since learning them
// takes seconds of network; remove the image to have it built afresh.
func debianRef(r kind.Release) (string, recipe, error) {
	rec, err := recipeOf(r.Kind)
	if err != nil {
		return "", rec, err
	}
	sum := sha256.Sum256(rec.fingerprint())
	return prefix + rec.Name + ":" + r.Suite + "-" + hex.EncodeToString(sum[:6]), rec, nil
}

// builtBefore describes the image of a release that an earlier run built.
func (f *Finder) builtBefore(ctx context.Context, r kind.Release) (Image, bool, error) {
	ref, rec, err := debianRef(r)
	if err != nil {
		return Image{}, false, err
	}
	in, ok, err := f.present(ctx, ref)
	if !ok || err != nil {
		return Image{}, false, err
	}
	img := Image{Ref: ref, Digest: digest(in), Notes: rec.Notes}
	if in.Config != nil {
		img.Version = in.Config.Labels[versionLabel]
		img.Source = "built here from Debian " + r.Suite + ", " + in.Config.Labels[packageLabel]
	}
	return img, true, nil
}

// fromDebian builds the image of a release from the packages of its suite.
func (f *Finder) fromDebian(ctx context.Context, r kind.Release, why string) (Image, error) {
	if err := f.haveBuilder(ctx, fmt.Sprintf("%s: %s", r, why)); err != nil {
		return Image{}, err
	}
	ref, rec, err := debianRef(r)
	if err != nil {
		return Image{}, err
	}
	unlock, err := lock.Take(ctx, ref)
	if err != nil {
		return Image{}, err
	}
	defer unlock()
	if img, ok, err := f.builtBefore(ctx, r); ok || err != nil {
		return img, err
	}
	begin := time.Now()
	f.registryTold.Do(func() {
		if f.registryErr != nil {
			f.logf("no registry answers (%v): proxy images come from Debian's packages", f.registryErr)
		}
	})
	f.logf("building %s from Debian %s packages", r.Kind, r.Suite)
	if err := f.build(ctx, r, ref, rec); err != nil {
		return Image{}, fmt.Errorf("build %s from Debian %s: %w", r.Kind, r.Suite, err)
	}
	img, ok, err := f.builtBefore(ctx, r)
	if err != nil {
		return Image{}, err
	}
	if !ok {
		return Image{}, fmt.Errorf("image %s was imported, but the engine does not have it", ref)
	}
	f.logf("built %s %s from Debian %s in %.1f s", r.Kind, img.Version, r.Suite, time.Since(begin).Seconds())
	repository, _, _ := cutLast(ref, ":")
	return img, f.removeOld(ctx, repository, func(other string) bool {
		return other == ref || !strings.HasPrefix(other, repository+":"+r.Suite+"-")
	})
}

// build makes the image and proves that its proxy runs.
func (f *Finder) build(ctx context.Context, r kind.Release, ref string, rec recipe) error {
	root, err := os.CreateTemp("", "proxychaos-root-*.tar")
	if err != nil {
		return err
	}
	defer func() { _ = root.Close() }()
	// Nameless from here on, so that nothing is left behind after kill -9.
	if err := os.Remove(root.Name()); err != nil {
		return err
	}
	packages, err := debootstrap(ctx, r.Suite, rec, root)
	if err != nil && rec.Extras != "" && ctx.Err() == nil {
		f.logf("building %s from Debian %s without %s: %v", r.Kind, r.Suite, rec.Extras, firstError(err))
		rec.Extras = ""
		if err = errors.Join(root.Truncate(0), rewind(root)); err == nil {
			packages, err = debootstrap(ctx, r.Suite, rec, root)
		}
	}
	if err != nil {
		return err
	}
	pkg, version, err := mainPackage(packages, rec.Packages[0])
	if err != nil {
		return err
	}
	says, err := f.labelled(ctx, r, ref, root, rec, version, pkg)
	if err != nil || says == version {
		return err
	}
	// An update for security may bring a later version than its package is named after:
	// what the binary says is true. The image is made anew, since labels cannot be changed.
	f.logf("%s holds version %s", pkg, says)
	if _, err := f.cli.ImageRemove(ctx, ref, client.ImageRemoveOptions{PruneChildren: true}); err != nil {
		return fmt.Errorf("remove %s, whose version was wrong: %w", ref, err)
	}
	again, err := f.labelled(ctx, r, ref, root, rec, says, pkg)
	if err == nil && again != says {
		err = fmt.Errorf("the binary of %s said version %s, and then %s", pkg, says, again)
	}
	return err
}

// labelled makes the image from a root file system, labelled with a version, and returns
// the version that its binary prints.
func (f *Finder) labelled(ctx context.Context, r kind.Release, ref string, root io.ReadSeeker, rec recipe, version, pkg string) (string, error) {
	if _, err := root.Seek(0, io.SeekStart); err != nil {
		return "", err
	}
	changes := append([]string{
		fmt.Sprintf("LABEL %s=%q %s=%q", versionLabel, version, packageLabel, pkg),
	}, rec.Changes...)
	if err := f.importTar(ctx, ref, io.NopCloser(root), changes); err != nil {
		return "", err
	}
	return f.version(ctx, ref, r.Kind)
}

func rewind(file *os.File) error {
	_, err := file.Seek(0, io.SeekStart)
	return err
}

// firstError is the first line of a program's complaint that names an error of apt's, or
// else all of it.
func firstError(err error) string {
	for line := range strings.Lines(err.Error()) {
		if strings.HasPrefix(line, "E: ") {
			return strings.TrimSpace(line)
		}
	}
	return err.Error()
}

// debootstrap writes the trimmed root file system of the recipe to out, and
// returns the file names of the packages in it.
func debootstrap(ctx context.Context, suite string, rec recipe, out io.Writer) ([]string, error) {
	args := []string{
		// extract unpacks the packages and runs none of their scripts, which
		// is several times faster; the recipe does what they would have done.
		"--variant=extract",
		"--include=" + strings.Join(rec.packages(), ","),
		`--extract-hook=cd "$1"/var/cache/apt/archives && ls *.deb > "$1"/` + packageList,
	}
	if rec.Extras != "" {
		args = append(args, "--include="+rec.Extras)
	}
	if suite == "forky" {
		// Testing's list is valid for a week only, and mirrors that are frozen
		// copies are older. Its signature is still checked.
		args = append(args, `--aptopt=Acquire::Check-Valid-Until "false"`)
	}
	var msg bytes.Buffer
	cmd := exec.CommandContext(ctx, "mmdebstrap", append(args, suite, "-")...) //nolint:gosec // arguments are the program's own
	cmd.Stderr = &msg
	// Interrupted as a group: mmdebstrap then removes its temporary folder.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGINT) }
	cmd.WaitDelay = 10 * time.Second
	pipe, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	packages, layErr := layOut(pipe, out, rec)
	if layErr != nil {
		_, _ = io.Copy(io.Discard, pipe) // let it end by itself
	}
	if err := cmd.Wait(); err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, fmt.Errorf("mmdebstrap %s: %w:\n%s", suite, err, bytes.TrimSpace(msg.Bytes()))
	}
	return packages, layErr
}

// repacked is what Debian adds to the version of a source that it packed anew.
var repacked = regexp.MustCompile(`\+(?:dfsg|ds)\d*$`)

// mainPackage finds a package among file names such as
// nginx_1.26.3-3+deb13u10_amd64.deb and returns it as "nginx 1.26.3-3+deb13u10"
// with the version that its authors gave it: 1.26.3.
func mainPackage(files []string, name string) (pkg, version string, err error) {
	for _, file := range files {
		parts := strings.Split(file, "_")
		if len(parts) != 3 || parts[0] != name {
			continue
		}
		full := strings.ReplaceAll(parts[1], "%3a", ":")
		_, upstream, hasEpoch := strings.Cut(full, ":")
		if !hasEpoch {
			upstream = full
		}
		version, _, _ = cutLast(upstream, "-")
		return name + " " + full, repacked.ReplaceAllString(version, ""), nil
	}
	return "", "", fmt.Errorf("package %s is not among the %d that mmdebstrap installed", name, len(files))
}

// lineWriter lets engine.AptInstall write to the Finder's log.
type lineWriter struct{ f *Finder }

func (w lineWriter) Write(b []byte) (int, error) {
	w.f.logMu.Lock()
	defer w.f.logMu.Unlock()
	return w.f.log.Write(b)
}
