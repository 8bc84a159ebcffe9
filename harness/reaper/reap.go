package reaper

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/client"
)

const (
	// reapTimeout bounds a removal. Removing a container takes 0.1 s.
	reapTimeout = time.Minute
	// quietPasses in a row must find nothing before a removal is done: the
	// engine may still be carrying out what a killed client asked for.
	quietPasses = 3
	passPause   = 200 * time.Millisecond
)

// Reap removes the containers, with their anonymous volumes, and then the
// networks that carry all the labels. It repeats until nothing
// is found any more, and returns the last errors if that takes over a minute.
func Reap(ctx context.Context, cli *client.Client, labels map[string]string) error {
	if err := checkLabels(labels); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, reapTimeout)
	defer cancel()
	var last error
	for quiet := 0; quiet < quietPasses; {
		found, err := pass(ctx, cli, labels)
		quiet++
		if found > 0 || err != nil {
			quiet = 0
		}
		if err != nil {
			last = err
		}
		if quiet == quietPasses {
			break
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("not everything is removed after %s: %w", reapTimeout, errors.Join(last, ctx.Err()))
		case <-time.After(passPause):
		}
	}
	return nil
}

// Sweep removes once, without waiting for what may still be coming: for a run
// that ends in good order and has no request under way.
func Sweep(ctx context.Context, cli *client.Client, labels map[string]string) error {
	if err := checkLabels(labels); err != nil {
		return err
	}
	_, err := pass(ctx, cli, labels)
	return err
}

func checkLabels(labels map[string]string) error {
	if len(labels) == 0 {
		return errors.New("reaper: got no label to remove by, want one: without any it would remove everything")
	}
	return nil
}

// pass removes what is there now and returns how much that was.
func pass(ctx context.Context, cli *client.Client, labels map[string]string) (found int, err error) {
	filters := make(client.Filters)
	for name, value := range labels {
		filters.Add("label", name+"="+value)
	}
	containers, err := cli.ContainerList(ctx, client.ContainerListOptions{All: true, Filters: filters})
	if err != nil {
		return 0, fmt.Errorf("list containers: %w", err)
	}
	var errs []error
	for _, c := range containers.Items {
		found++
		_, err := cli.ContainerRemove(ctx, c.ID, client.ContainerRemoveOptions{Force: true, RemoveVolumes: true})
		// Conflict: somebody else is removing it already.
		if err != nil && !errdefs.IsNotFound(err) && !errdefs.IsConflict(err) {
			errs = append(errs, fmt.Errorf("remove container %.12s: %w", c.ID, err))
		}
	}
	networks, err := cli.NetworkList(ctx, client.NetworkListOptions{Filters: filters})
	if err != nil {
		return found, errors.Join(append(errs, fmt.Errorf("list networks: %w", err))...)
	}
	for _, n := range networks.Items {
		found++
		_, err := cli.NetworkRemove(ctx, n.ID, client.NetworkRemoveOptions{})
		if err != nil && !errdefs.IsNotFound(err) {
			errs = append(errs, fmt.Errorf("remove network %s: %w", n.Name, err))
		}
	}
	return found, errors.Join(errs...)
}
