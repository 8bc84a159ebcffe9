package main

import (
	"testing"

	. "github.com/onsi/gomega"
)

// Quotes and a $ in a word are those of its user: make puts nothing of its own there, and no
// shell reads them. Who knows make and writes $$ means one $.
func TestMakePassesWordsOnAsTheyAre(t *testing.T) {
	for said, want := range map[string]string{
		`sh -c 'exec proxy "$PORT"' *`: `sh -c 'exec proxy "$PORT"' *`,
		`proxy $$1 ${A} $(B) \d`:       `proxy $1 ${A} $(B) \d`,
		`$P`:                           `$P`,
		`it's "a" #b`:                  `it's "a" #b`,
	} {
		g := NewWithT(t)
		got := makeIt(t, nil, "-s", "--eval=show: ; @printenv PROXYCHAOS_COMMAND", "show", "COMMAND="+said)
		g.Expect(got).To(Equal(ran{0, want + "\n", ""}), said)
	}
	for said, want := range map[string]string{
		`PASSWORD=pa$w0rd`: `PASSWORD=pa$w0rd`,
		`NAME=it's A=$$b`:  `NAME=it's A=$b`,
		`/no'such`:         `/no'such`,
		``:                 ``,
	} {
		g := NewWithT(t)
		got := makeIt(t, nil, "-s", `--eval=show: ; @$(ENVIRONMENT) printenv PROXYCHAOS_ENV`, "show", "ENV="+said)
		g.Expect(got).To(Equal(ran{0, want + "\n", ""}), said)
	}
}
