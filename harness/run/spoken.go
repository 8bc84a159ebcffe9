package run

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// unanswerable adds to an error what the proxy spoke to nodes that no node answers.
func (c *cell) unanswerable(ctx context.Context, err error) error {
	connections, readErr := c.to.alb.Connections(ctx)
	if readErr != nil {
		return errors.Join(err, readErr)
	}
	var spoken []string
	for _, k := range connections {
		text := fmt.Sprintf("%s to port %d", k.Spoke, k.Port)
		if k.Spoke != "" && !slices.Contains(spoken, text) {
			spoken = append(spoken, text)
		}
	}
	if len(spoken) == 0 {
		return err
	}
	return fmt.Errorf("%w; the proxy spoke %s: nodes answer HTTP/1, HTTP/2 and TLS", err, strings.Join(spoken, ", "))
}
