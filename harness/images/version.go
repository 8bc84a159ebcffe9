package images

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"

	"github.com/proxychaos/proxychaos/harness/kind"
)

// versionTimeout bounds the run of a binary that prints its version, which
// takes 0.3 s.
const versionTimeout = 20 * time.Second

// version runs the proxy's binary in the image, without a network, and returns
// the version that it prints.
func (f *Finder) version(ctx context.Context, ref string, name kind.Name) (_ string, err error) {
	k, err := kind.Of(name)
	if err != nil {
		return "", err
	}
	ctx, cancel := context.WithTimeout(ctx, versionTimeout)
	defer cancel()
	defer func() {
		if err != nil {
			err = fmt.Errorf("version of %s in image %s: %w", name, ref, err)
		}
	}()
	cmd := k.Image.Version
	created, err := f.cli.ContainerCreate(ctx, client.ContainerCreateOptions{
		// A terminal makes one plain stream of stdout and stderr.
		Config:     &container.Config{Image: ref, Entrypoint: cmd[:1], Cmd: cmd[1:], Tty: true, Labels: f.labels},
		HostConfig: &container.HostConfig{NetworkMode: "none"},
	})
	if err != nil {
		return "", err
	}
	defer func() {
		rm, cancel := context.WithTimeout(context.WithoutCancel(ctx), versionTimeout)
		defer cancel()
		_, rmErr := f.cli.ContainerRemove(rm, created.ID, client.ContainerRemoveOptions{Force: true, RemoveVolumes: true})
		err = errors.Join(err, rmErr)
	}()
	wait := f.cli.ContainerWait(ctx, created.ID, client.ContainerWaitOptions{Condition: container.WaitConditionNextExit})
	if _, err := f.cli.ContainerStart(ctx, created.ID, client.ContainerStartOptions{}); err != nil {
		return "", err
	}
	select {
	case <-wait.Result:
	case err := <-wait.Error:
		return "", err
	}
	logs, err := f.cli.ContainerLogs(ctx, created.ID, client.ContainerLogsOptions{ShowStdout: true, ShowStderr: true})
	if err != nil {
		return "", err
	}
	defer func() { _ = logs.Close() }()
	out, err := io.ReadAll(io.LimitReader(logs, 64<<10))
	if err != nil {
		return "", err
	}
	m := k.Image.VersionLine.FindSubmatch(bytes.ReplaceAll(out, []byte("\r"), nil))
	if m == nil {
		return "", fmt.Errorf("%q printed no version, but: %.300q", cmd, out)
	}
	return string(m[1]), nil
}
