package fakes

import (
	"testing"
	"time"

	. "github.com/onsi/gomega"
)

func TestLooksOf(t *testing.T) {
	g := NewWithT(t)
	g.Expect(looksOf(`goos: linux
BenchmarkSockets-2   	    2304	    512345 ns/op
BenchmarkSockets-2   	    2401	    498765.5 ns/op
PASS
`)).To(Equal([]time.Duration{512345, 498765}))
	_, err := looksOf("testing: warning: no tests to run\nPASS\n")
	g.Expect(err).To(MatchError(ContainSubstring("ran no benchmark ^BenchmarkSockets$")))
}
