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
		{Nginx, "1.26", `there is no release "1.26" of nginx; "stable" has a version of 1.26, and there are oldoldstable, oldstable, stable, testing`},
		{Nginx, "nginx:1.30.6", `there is no release "nginx:1.30.6" of nginx; "testing" has a version of 1.30, and there are oldoldstable, oldstable, stable, testing`},
		{HAProxy, "3.2.26", `there is no release "3.2.26" of haproxy; "testing" has a version of 3.2, and there are oldoldstable, oldstable, stable, testing`},
		{Traefik, "v3.7.1", `there is no release "v3.7.1" of traefik; "stable" has a version of 3.7, and there are stable`},
		{Envoy, "1.40", `there is no release "1.40" of envoy; "stable" has a version of 1.40, and there are stable`},
		{Nginx, "1.2", `there is no release "1.2" of nginx; there are oldoldstable, oldstable, stable, testing`},
		{Nginx, "1.9", `there is no release "1.9" of nginx; there are oldoldstable, oldstable, stable, testing`},
	} {
		_, err := kindOf(t, tc.kind).Release(tc.word)
		NewWithT(t).Expect(err).To(MatchError(tc.want))
	}
}

// Whatever is written for a release, and whichever the kind: one line, which says what there is, or
// what was meant. What may be a version is told how an image of it is named.
func TestWordsThatAreNoRelease(t *testing.T) {
	for _, k := range all {
		for _, word := range append(suites(), "", "sid", "unstable", "experimental", "latest", "Stable", "stable ", "stable,testing", "12", "debian:12", "1.2.3", "v0", "a/b:c@sha256:00", "x\ny") {
			if k.Bundled() || k.UserImage {
				continue // the words of both are refused before
			}
			g := NewWithT(t)
			err := k.UnknownRelease(word)
			g.Expect(err).To(MatchError(And(ContainSubstring(string(k.Name)), ContainSubstring("%q", word))), "%s, %q", k.Name, word)
			g.Expect(err.Error()).NotTo(ContainSubstring("\n"))
			g.Expect(err.Error()).To(Or(ContainSubstring("did you mean"), ContainSubstring("there are")), "%s, %q", k.Name, word)
		}
		for _, r := range k.Releases {
			NewWithT(t).Expect(k.UnknownRelease(r.Name)).To(Succeed())
		}
	}
	g := NewWithT(t)
	for _, word := range []string{"1.2.3", "1.26.3", "nginx:1.27"} {
		g.Expect(kindOf(t, Nginx).UnknownRelease(word)).To(MatchError(HaveSuffix("; an image for PROXY=nginx is named in the environment, as NGINX_IMAGE=")), word)
	}
	g.Expect(kindOf(t, Nginx).UnknownRelease("bookworm")).NotTo(MatchError(ContainSubstring("NGINX_IMAGE")), "it is known what was meant")
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
