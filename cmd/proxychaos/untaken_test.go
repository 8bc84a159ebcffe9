package main

import (
	"testing"

	. "github.com/onsi/gomega"
	"github.com/spf13/cobra"
)

// A word that a command does not take is refused, wherever it was said: the run would be about
// something else than its user thinks.
func TestWordsThatACommandDoesNotTake(t *testing.T) {
	for _, tc := range []struct {
		variable string
		args     []string
		want     string
	}{
		{"CLOUD=azure", []string{"incident", "govuk-2018"}, "PROXYCHAOS_CLOUD=azure: proxychaos incident does not take it; unset it"},
		{"CLOUD=azure", []string{"incident", "--make", "govuk-2018"}, "CLOUD=azure: make incident does not take it; leave it out"},
		{"CLOUD=gcp", []string{"claims", "002-valid-3s"}, "PROXYCHAOS_CLOUD=gcp: proxychaos claims does not take it; unset it"},
		{"CLOUD=gcp", []string{"nightly"}, "PROXYCHAOS_CLOUD=gcp: proxychaos nightly does not take it; unset it"},
		{"PROXY=nginx", []string{"incident", "govuk-2018"}, "PROXYCHAOS_PROXY=nginx: proxychaos incident does not take it; unset it"},
		{"SUBJECT=nginx/static", []string{"atlas", "--proxy", "nginx"}, "PROXYCHAOS_SUBJECT=nginx/static: proxychaos atlas does not take it; unset it"},
	} {
		t.Run(tc.variable+"/"+tc.args[0], func(t *testing.T) {
			got := start(t, t.TempDir(), clean("PROXYCHAOS_"+tc.variable, noEngine), program, tc.args...)
			NewWithT(t).Expect(got).To(Equal(ran{got.code, "", "proxychaos: " + tc.want + "\n"}))
			NewWithT(t).Expect(got.code).To(BeNumerically(">", 1))
		})
	}
}

// A release beside an image is refused by whatever takes both, also if it is said of one side of a
// comparison.
func TestAReleaseBesideAnImageIsRefused(t *testing.T) {
	for _, tc := range []struct {
		args []string
		want string
	}{
		{[]string{"run", "alb-ip-rotate", "--proxy", "nginx", "--release", "testing"}, "--release testing: NGINX_IMAGE=ours:1 stands in for every release of nginx; leave one of the two out"},
		{[]string{"compare", "--a", "scenarios/configs/nginx/static.conf", "--proxy", "nginx", "--release-a", "stable", "--release-b", "testing"}, "--release-a stable: NGINX_IMAGE=ours:1 stands in for "},
	} {
		got := start(t, root, clean("NGINX_IMAGE=ours:1", noEngine), program, tc.args...)
		g := NewWithT(t)
		g.Expect(got.code).To(BeNumerically(">", 1))
		g.Expect(got.stderr).To(ContainSubstring(tc.want))
	}
	got := makeIt(t, []string{"NGINX_IMAGE=ours:1"}, "scenario", "NAME=alb-ip-rotate", "PROXY=nginx", "RELEASE=testing")
	NewWithT(t).Expect(got.stderr).To(ContainSubstring("RELEASE=testing: NGINX_IMAGE=ours:1 stands in for every release of nginx; leave one of the two out"))
}

// What is about a nightly as a whole, a job may say for all that it runs, and an empty word says
// nothing. A word that a command has in a form of its own is taken.
func TestWordsThatMayBeSaidToAnyCommand(t *testing.T) {
	said := func(word, value string) func(string) (string, bool) {
		return func(asked string) (string, bool) { return value, asked == word }
	}
	s := addSettings(&cobra.Command{Use: "atlas"}, atlasWords, "RELEASE", "FLOOR", "BASELINE", "SHARD", "CLOUD")
	g := NewWithT(t)
	for _, word := range []string{"FLOOR", "BASELINE", "SHARD", "RELEASE", "GRACE", "KIT"} {
		g.Expect(s.untaken("atlas", said(word, "3"))).To(Succeed(), word)
	}
	for _, nothing := range []string{"", "aws"} {
		g.Expect(s.untaken("atlas", said("CLOUD", nothing))).To(Succeed(), "it changes nothing")
	}
	g.Expect(s.untaken("atlas", said("CLOUD", "azure"))).To(MatchError(ContainSubstring("CLOUD=azure: ")))
}
