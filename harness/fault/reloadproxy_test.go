package fault

import (
	"errors"
	"testing"
	"time"

	. "github.com/onsi/gomega"
)

// A reload is proved by what the proxy shows, in time; a signal that was sent proves nothing.
func TestProofThatTheProxyReadItsConfigurationAnew(t *testing.T) {
	usual := reloadLimit
	reloadLimit = 50 * time.Millisecond
	t.Cleanup(func() { reloadLimit = usual })
	shows, not := Life{Listens: true}, Life{}
	for name, tc := range map[string]struct {
		proxy *program
		want  bool
		words string
	}{
		"at once":         {&program{lives: []Life{shows}}, true, "what shows it"},
		"a little later":  {&program{lives: []Life{not, shows}}, true, "what shows it"},
		"never":           {&program{lives: []Life{not}}, false, "after 50ms: what shows it"},
		"nobody can look": {&program{lives: []Life{not}, err: errors.New("pod is gone")}, false, "pod is gone"},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			proofs := ReloadProxy{}.Prove(t.Context(), &Live{Proxy: tc.proxy})
			g.Expect(proofs).To(ConsistOf(HaveField("OK", tc.want)))
			g.Expect(proofs[0].Detail).To(ContainSubstring(tc.words))
		})
	}
}
