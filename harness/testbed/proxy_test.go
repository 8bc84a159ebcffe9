package testbed

import (
	"testing"

	"github.com/moby/moby/api/types/container"
	. "github.com/onsi/gomega"
)

// Nothing but the proxy runs in its container, whatever its image says: a health check would be
// a client that nobody counted.
func TestHealthChecksOfImagesAreNotMade(t *testing.T) {
	g := NewWithT(t)
	c := &container.Config{Image: "team/proxy:7", Cmd: []string{"proxy"}}
	ofProxies(c)
	g.Expect(c.Healthcheck).To(HaveField("Test", []string{"NONE"}), "none at all would be the image's")
	g.Expect(c.Volumes).To(HaveKey("/tmp"))
	g.Expect(c).To(And(HaveField("Image", "team/proxy:7"), HaveField("Cmd", []string{"proxy"}), HaveField("Entrypoint", BeNil()), HaveField("User", BeEmpty())),
		"what its user or the image says stays")
}
