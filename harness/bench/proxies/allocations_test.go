package proxies

import (
	"testing"

	. "github.com/onsi/gomega"
)

func TestAllocsPerOp(t *testing.T) {
	g := NewWithT(t)
	got, err := allocsPerOp(`goos: linux
BenchmarkProxy-2   	   20000	     52311 ns/op	     812 B/op	       7 allocs/op
BenchmarkProxy-2   	   20000	     52311 ns/op	     812 B/op	       8 allocs/op
PASS
`)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(got).To(Equal([]float64{7, 8}))
	_, err = allocsPerOp("testing: warning: no tests to run\nPASS\n")
	g.Expect(err).To(MatchError(ContainSubstring("ran no benchmark")))
}
