package kind

import (
	"testing"

	. "github.com/onsi/gomega"
)

func TestReadCommand(t *testing.T) {
	g := NewWithT(t)
	for said, want := range map[string][]string{
		"":                              nil,
		"pen -f 80 backend:80":          {"pen", "-f", "80", "backend:80"},
		`sh -c 'exec proxy "$PORT"' *`:  {"sh", "-c", `exec proxy "$PORT"`, "*"},
		`proxy --name="two words" a\ b`: {"proxy", "--name=two words", "a b"},
	} {
		c, err := ReadCommand(said)
		g.Expect(err).NotTo(HaveOccurred(), said)
		g.Expect(c.Words).To(HaveExactElements(want), said)
		g.Expect(c.Said).To(Equal(said))
	}
	_, err := ReadCommand(`sh -c 'exec proxy`)
	g.Expect(err).To(MatchError(And(HavePrefix("COMMAND=sh -c 'exec proxy: "), ContainSubstring("each quote closed"))))
}
