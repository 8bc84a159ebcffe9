package testbed

import (
	"testing"

	. "github.com/onsi/gomega"
)

func TestFoldersInMemory(t *testing.T) {
	g := NewWithT(t)
	found := inMemory([]string{"/var/log/a", "/dev/shm/nginx", "/dev/shmother", "/dev/shm/a/b"})
	g.Expect(found).To(HaveLen(2))
	g.Expect(found[0].Target).To(Equal("/dev/shm/nginx"))
	g.Expect(found[1].Target).To(Equal("/dev/shm/a/b"))
	g.Expect(found[1].TmpfsOptions.Mode.Perm()).To(BeEquivalentTo(0o777))
}
