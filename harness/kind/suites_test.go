package kind

import (
	"testing"

	. "github.com/onsi/gomega"
)

// Whoever writes Debian's name of a release, also a mistyped one, is told how it is called
// here, and whether the kind has it.
func TestReleasesByDebiansNames(t *testing.T) {
	for _, tc := range []struct {
		kind       Name
		word, want string
	}{
		{Nginx, "bookworm", `there is no release "bookworm" of nginx: did you mean "oldstable", which is Debian's bookworm?`},
		{Nginx, "Bokworm", `there is no release "Bokworm" of nginx: did you mean "oldstable", which is Debian's bookworm?`},
		{Nginx, "trixie", `there is no release "trixie" of nginx: did you mean "stable", which is Debian's trixie?`},
		{Caddy, "bookworm", `there is no release "bookworm" of caddy; bookworm is Debian's oldstable, and there are only stable, testing`},
		{Caddy, "oldstable", `there is no release "oldstable" of caddy; there are stable, testing`},
		{Caddy, "oldtsable", `there is no release "oldtsable" of caddy: did you mean "oldstable"? There are only stable, testing`},
		{Caddy, "ldstable", `there is no release "ldstable" of caddy: did you mean "oldstable"? There are only stable, testing`},
		{Nginx, "stabel", `there is no release "stabel" of nginx: did you mean "stable"?`},
		{Nginx, "1.9", `there is no release "1.9" of nginx; there are oldoldstable, oldstable, stable, testing`},
	} {
		_, err := kindOf(t, tc.kind).Release(tc.word)
		NewWithT(t).Expect(err).To(MatchError(tc.want))
	}
}

// A suite has one name here, whichever kind has it.
func TestASuiteHasOneName(t *testing.T) {
	g := NewWithT(t)
	for _, k := range all {
		for _, r := range k.Releases {
			if r.Suite != "" {
				g.Expect(ofSuite(r.Suite)).To(Equal(r.Name), "%s of %s", r.Suite, k.Name)
			}
		}
	}
	g.Expect(suites()).To(ContainElements("bookworm", "trixie"))
}
