package fault

import (
	"errors"
	"testing"

	. "github.com/onsi/gomega"
)

// A start is proved by a proxy that listens.
func TestProofThatAProxyStarted(t *testing.T) {
	for name, tc := range map[string]struct {
		proxy *program
		want  bool
		words string
	}{
		"a little later":  {&program{lives: []Life{{Runs: true}, {Runs: true, Listens: true}}}, true, "what shows it"},
		"nobody can look": {&program{lives: []Life{{}}, err: errors.New("pod is gone")}, false, "pod is gone"},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			proofs := StartProxy{Proxy: 2}.Prove(t.Context(), &Live{Proxy: tc.proxy})
			g.Expect(proofs).To(ConsistOf(HaveField("OK", tc.want)))
			g.Expect(proofs[0].Detail).To(ContainSubstring(tc.words))
		})
	}
}
