package run

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/proxychaos/proxychaos/harness/kind"
)

// remark tells the user what of the config does not run as it lies there.
func (c *cell) remark() error {
	layout, err := c.config.Layout()
	if err != nil {
		return err
	}
	remarks := c.config.Remarks()
	if k, err := kind.Of(c.config.Kind); err == nil && k.Lacks != "" {
		remarks = append(remarks, k.Lacks)
	}
	if six := c.config.IPv6(); len(six) > 0 {
		remarks = append(remarks, fmt.Sprintf("the testbed has IPv6 for %s, so that the C library asks for AAAA records too", six[0]))
	}
	if layout.From != "" {
		remarks = append(remarks, "laid out as "+layout.From+" says")
	}
	if spares := layout.Spares(); len(spares) > 0 {
		remarks = append(remarks, "made, unless the image has them: "+strings.Join(spares, ", "))
	}
	if len(layout.Modules) > 0 {
		remarks = append(remarks, "loads, if the image has them, the modules that it needs and does not load itself: "+strings.Join(layout.Modules, ", "))
	}
	if len(layout.Unloads) > 0 {
		remarks = append(remarks, "not loaded, if the image lacks them, since nothing needs them: "+strings.Join(layout.Unloads, ", "))
	}
	if replaced := layout.Replaced(); len(replaced) > 0 {
		remarks = append(remarks, "made in place of yours: "+strings.Join(replaced, ", "))
	}
	if len(remarks) > 0 {
		c.progress("%s: %s", c.source(), strings.Join(remarks, "; "))
	}
	return nil
}

// source is what the user gave: a configuration, or an image that needs none.
func (c *cell) source() string { return cmp.Or(c.config.Path, c.Subject.Image) }
