package machine_test

import (
	"testing"

	. "github.com/onsi/gomega"

	"github.com/proxychaos/proxychaos/harness/machine"
)

func TestHost(t *testing.T) {
	g := NewWithT(t)
	h, err := machine.Host()
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(h.Cores).To(BeNumerically(">", 0))
	g.Expect(h.MemoryMiB).To(BeNumerically(">", 64))
	g.Expect(h.Kernel).To(MatchRegexp(`^\d+\.\d+`))
}
