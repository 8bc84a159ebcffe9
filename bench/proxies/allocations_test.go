package proxies

import (
	"testing"

	. "github.com/onsi/gomega"

	"github.com/proxychaos/proxychaos/bench"
)

func TestAllocsPerOp(t *testing.T) {
	g := NewWithT(t)
	got, err := allocsPerOp(`goos: linux
BenchmarkProxy/small-2   	   20000	     52311 ns/op	     812 B/op	       7 allocs/op
BenchmarkProxy/100KiB-2  	    5000	    252311 ns/op	     912 B/op	      11 allocs/op
BenchmarkProxy/small-2   	   20000	     52311 ns/op	     812 B/op	       8 allocs/op
PASS
`)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(got).To(Equal([]bench.Series{
		{Who: "goproxy, small", Values: []float64{7, 8}},
		{Who: "goproxy, 100KiB", Values: []float64{11}},
	}))
	got, err = allocsPerOp("BenchmarkProxy   	   20000	     52311 ns/op	     812 B/op	       9 allocs/op\n")
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(got).To(Equal([]bench.Series{{Who: "goproxy", Values: []float64{9}}}))
	_, err = allocsPerOp("testing: warning: no tests to run\nPASS\n")
	g.Expect(err).To(MatchError(ContainSubstring("ran no benchmark")))
}
