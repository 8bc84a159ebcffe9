package kind

import (
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

func TestLayout(t *testing.T) {
	g := NewWithT(t)
	paths := func(name Name, c Config) []string {
		l, err := kindOf(t, name).Layout(c)
		g.Expect(err).NotTo(HaveOccurred())
		var p []string
		for _, f := range l.Files {
			p = append(p, f.Path)
		}
		return p
	}
	g.Expect(paths(Nginx, of("server { }"))).To(Equal([]string{nginxFragment}))
	g.Expect(paths(Nginx, of("events {}\nhttp {\n}"))).To(Equal([]string{nginxMain}))
	g.Expect(paths(Apache, of("<VirtualHost *:80>\n</VirtualHost>"))).To(Equal([]string{apacheMain, apacheFragment}))
	g.Expect(paths(Apache, of("Listen 80\nLoadModule x y"))).To(Equal([]string{apacheMain}))
	listens, err := kindOf(t, Apache).Layout(of("Listen 4000\n<VirtualHost *:4000>\n</VirtualHost>"))
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(listens.Files).To(HaveLen(2))
	g.Expect(string(listens.Files[0].Content)).To(And(ContainSubstring("LoadModule"), Not(ContainSubstring("Listen 80"))))
	folder := Config{Files: []File{{Name: "conf.d/a.conf"}, {Name: "nginx.conf"}}}
	g.Expect(paths(Nginx, folder)).To(Equal([]string{"/etc/nginx/conf.d/a.conf", "/etc/nginx/nginx.conf"}))
	two := Config{Files: []File{{Name: "a.conf"}, {Name: "b.conf"}}}
	g.Expect(paths(Nginx, two)).To(Equal([]string{"/etc/nginx/conf.d/a.conf", "/etc/nginx/conf.d/b.conf"}))
	_, err = kindOf(t, GoProxy).Layout(Config{Path: "dir", Files: two.Files})
	g.Expect(err).To(MatchError(ContainSubstring("one YAML file")))
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
			g.Expect(string(name)).To(MatchRegexp(`^[a-z]+$`))
			g.Expect(k.Layout).NotTo(BeNil())
			g.Expect(k.Complaints).NotTo(BeEmpty())
			for _, c := range k.Complaints {
				g.Expect(c).To(Equal(strings.ToLower(c)))
			}
			if k.Bundled() {
				return
			}
			stable, err := k.Release("stable")
			g.Expect(err).NotTo(HaveOccurred(), "what a config of one's own runs on")
			g.Expect(stable).To(And(HaveField("Kind", name), HaveField("Suite", "trixie")))
			for _, r := range k.Releases {
				g.Expect(r.Official+r.Suite).NotTo(BeEmpty(), r.Name)
			}
			g.Expect(k.Marks).NotTo(BeEmpty())
			g.Expect(k.Image.Variable).To(Equal(strings.ToUpper(k.Image.Recipe.Name) + "_IMAGE"))
			g.Expect(k.Image.Version).NotTo(BeEmpty())
			g.Expect(k.Image.VersionLine.NumSubexp()).To(Equal(1))
			g.Expect(k.Image.Recipe.Packages).NotTo(BeEmpty())
			_, err = k.Release("1.2.3")
			g.Expect(err).To(MatchError(And(ContainSubstring("1.2.3"), ContainSubstring("stable"))))
		})
	}
	_, err := Of("squid")
	NewWithT(t).Expect(err).To(MatchError(And(ContainSubstring("squid"), ContainSubstring("nginx"))))
}

func TestMarksOfAKindThatIsNotKnown(t *testing.T) {
	g := NewWithT(t)
	g.Expect(Marks(Nginx)).To(Equal(nginx.Marks))
	g.Expect(len(Marks("squid"))).To(BeNumerically(">", len(nginx.Marks)), "a line may be of any")
}
