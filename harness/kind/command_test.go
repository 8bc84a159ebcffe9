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

		// Between double quotes a backslash is one, unless what follows would mean something.
		`proxy --match "^/api/\d+$" "say \"no\" for \$5 or \\"`: {"proxy", "--match", `^/api/\d+$`, `say "no" for $5 or \`},
		`proxy '' "" -x`:                    {"proxy", "", "", "-x"},
		`proxy --colour #fff a#b`:           {"proxy", "--colour", "#fff", "a#b"},
		"proxy -f \\\n  80":                 {"proxy", "-f", "80"},
		`sh -c 'exec proxy "it'\''s $1"' x`: {"sh", "-c", `exec proxy "it's $1"`, "x"},
		"proxy\t-a\n-b":                     {"proxy", "-a", "-b"},
	} {
		c, err := ReadCommand(said)
		g.Expect(err).NotTo(HaveOccurred(), said)
		g.Expect(c.Words).To(HaveExactElements(want), said)
		g.Expect(c.Said).To(Equal(said))
	}
	for _, open := range []string{`sh -c 'exec proxy`, `sh -c "exec proxy`, `sh -c exec\`} {
		_, err := ReadCommand(open)
		g.Expect(err).To(MatchError(And(HavePrefix("COMMAND="+open+": "), ContainSubstring("each quote closed"))))
	}
}
