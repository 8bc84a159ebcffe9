package testbed

import (
	"strings"

	"github.com/moby/moby/api/types/mount"
)

// memory is where every container has a file system of its own as it starts: what was put below
// it before is not seen.
const memory = "/dev/shm/"

// inMemory are the folders among some that lie there, such as of a cache, each as one more file
// system in memory.
func inMemory(folders []string) []mount.Mount {
	var found []mount.Mount
	for _, name := range folders {
		if strings.HasPrefix(name, memory) {
			found = append(found, mount.Mount{
				Type: mount.TypeTmpfs, Target: name,
				TmpfsOptions: &mount.TmpfsOptions{Mode: 0o777}, // the proxy may run as any user
			})
		}
	}
	return found
}
