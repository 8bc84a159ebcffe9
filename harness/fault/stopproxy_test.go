package fault

import (
	"errors"
	"testing"
	"time"

	. "github.com/onsi/gomega"
)

// An end is proved by what is left: a signal that was sent proves nothing.
func TestProofThatAProxyEnded(t *testing.T) {
	usual := stopLimit
	stopLimit = 50 * time.Millisecond
	t.Cleanup(func() { stopLimit = usual })
	runs, ended := Life{Runs: true}, Life{}
	for name, tc := range map[string]struct {
		proxy *program
		want  bool
		words string
	}{
		"at once":         {&program{lives: []Life{ended}}, true, "what shows it"},
		"a little later":  {&program{lives: []Life{runs, ended}}, true, "what shows it"},
		"never":           {&program{lives: []Life{runs}}, false, "after 50ms"},
		"nobody can look": {&program{lives: []Life{runs}, err: errors.New("pod is gone")}, false, "pod is gone"},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			proofs := StopProxy{Proxy: 2}.Prove(t.Context(), &Live{Proxy: tc.proxy})
			g.Expect(proofs).To(ConsistOf(HaveField("OK", tc.want)))
			g.Expect(proofs[0].Detail).To(ContainSubstring(tc.words))
		})
	}
}
