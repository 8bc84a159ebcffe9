package run

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/proxychaos/proxychaos/fakealb"
	"github.com/proxychaos/proxychaos/harness"
	"github.com/proxychaos/proxychaos/harness/pod"
	"github.com/proxychaos/proxychaos/harness/world"
)

// putBeside has applications answer beside a proxy whose configuration is the user's: what
// it asks at 127.0.0.1 and the like. No configuration of the catalogue asks there.
func (c *cell) putBeside(ctx context.Context) error {
	if c.Subject.Role != harness.Own || !c.to.beside.IsValid() {
		return nil
	}
	if _, err := c.to.alb.PutLoadBalancer(ctx, fakealb.LoadBalancer{Name: world.Beside, Targets: 1}); err != nil {
		return err
	}
	if _, err := c.to.alb.PutNode(ctx, fakealb.Node{Addr: c.to.beside, LoadBalancer: world.Beside}); err != nil {
		return err
	}
	if err := c.bed.besideIs(ctx, c.to.beside); err != nil {
		c.progress("no application answers beside the proxy: %v", err)
	}
	return nil
}

// onlyBeside adds to an error that applications beside the proxy were asked, and where.
func (c *cell) onlyBeside(ctx context.Context, err error) error {
	connections, readErr := c.to.alb.Connections(ctx)
	if readErr != nil {
		return errors.Join(err, readErr)
	}
	var asked []string
	for _, k := range connections {
		where := fmt.Sprintf("port %d", k.Port)
		if k.Port == pod.AppSocketPort {
			where += ", or a unix socket"
		}
		if k.Node == c.to.beside && k.Spoke == "" && !slices.Contains(asked, where) {
			asked = append(asked, where)
		}
	}
	if len(asked) == 0 {
		return err
	}
	return fmt.Errorf("%w\n    the proxy asked an application beside it (%s): that answers, but neither a name nor a load balancer is behind it, so no fault can be tried", err, strings.Join(asked, "; "))
}
