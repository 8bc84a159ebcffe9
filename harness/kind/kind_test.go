package kind

import (
	"slices"
	"strings"
	"testing"

	. "github.com/onsi/gomega"
)

func of(content string) Config {
	return Config{Path: "x.conf", Files: []File{{Name: "x.conf", Content: []byte(content)}}}
}

func kindOf(t *testing.T, name Name) *Kind {
	t.Helper()
	k, err := Of(name)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// Every kind is whole: what other rooms ask of it is there.
func TestKindsAreWhole(t *testing.T) {
	seen := map[Name]bool{}
	for _, name := range Names() {
		t.Run(string(name), func(t *testing.T) {
			g := NewWithT(t)
			g.Expect(seen[name]).To(BeFalse(), "it stands twice")
			seen[name] = true
			k := kindOf(t, name)
			g.Expect(string(name)).To(MatchRegexp(`^[a-z][a-z0-9]*$`))
			g.Expect(k.Layout).NotTo(BeNil())
			g.Expect(k.Complaints).NotTo(BeEmpty())
			for _, c := range k.Complaints {
				g.Expect(c).To(Equal(strings.ToLower(c)))
			}
			if k.Reload != nil {
				g.Expect(k.Reload.Signal).To(MatchRegexp("^(HUP|USR1|USR2)$"), "others end programs")
			}
			g.Expect(StopOf(name)).To(MatchRegexp("^(QUIT|TERM|USR1|WINCH)$"), "KILL ends nothing first")
			if k.Bundled() || k.UserImage {
				return
			}
			usual, err := k.Release(k.Usual)
			g.Expect(err).NotTo(HaveOccurred(), "what a config of one's own runs on")
			g.Expect(usual.Kind).To(Equal(name))
			for _, r := range k.Releases {
				g.Expect(r.Official+r.Suite).NotTo(BeEmpty(), r.Name)
			}
			if k.Errors == nil {
				g.Expect(k.Marks).To(BeEmpty(), "of a log without errors nothing tells of an upstream")
			} else {
				g.Expect(k.Marks).NotTo(BeEmpty(), "a log that has errors has some that tell of an upstream")
			}
			g.Expect(k.Image.Version).NotTo(BeEmpty())
			g.Expect(k.Image.VersionLine.NumSubexp()).To(Equal(1))
			called := name
			if slices.ContainsFunc(k.Releases, func(r Release) bool { return r.Suite != "" }) {
				called = Name(k.Image.Recipe.Name)
				g.Expect(k.Image.Recipe.Packages).NotTo(BeEmpty())
			}
			g.Expect(k.Image.Variable).To(Equal(strings.ToUpper(string(called)) + "_IMAGE"))
			_, err = k.Release("1.2.3")
			g.Expect(err).To(MatchError(And(ContainSubstring("1.2.3"), ContainSubstring("stable"))))
		})
	}
	_, err := Of("gopher")
	NewWithT(t).Expect(err).To(MatchError(And(ContainSubstring("gopher"), ContainSubstring("nginx"))))
}

func TestMarksOfAKindThatIsNotKnown(t *testing.T) {
	g := NewWithT(t)
	g.Expect(Marks(Nginx)).To(Equal(nginx.Marks))
	g.Expect(len(Marks("gopher"))).To(BeNumerically(">", len(nginx.Marks)), "a line may be of any")
}
