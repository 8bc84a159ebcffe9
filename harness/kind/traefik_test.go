package kind

import (
	"testing"

	. "github.com/onsi/gomega"
)

const served = "http:\n  routers:\n    www:\n      rule: Host(`www.example.com`) && PathPrefix(`/api`)\n      service: b\n" +
	"  services:\n    b:\n      loadBalancer:\n        servers:\n          - url: https://b.example.com:8443\n"

// What is served needs something that listens, and a folder may say itself what does.
func TestTraefikFiles(t *testing.T) {
	for name, c := range map[string]struct {
		config Config
		cmd    []string
		at     map[string]string
	}{
		"one file": {
			of(served), traefikAlone("filename=/etc/traefik/dynamic/x.conf"),
			map[string]string{"/etc/traefik/dynamic/x.conf": "x.conf"},
		},
		"a folder of what is served": {
			tree("a.yml", served, "b.toml", "[http]\n"), traefikAlone("directory=/etc/traefik/dynamic"),
			map[string]string{"/etc/traefik/dynamic/a.yml": "a.yml", "/etc/traefik/dynamic/b.toml": "b.toml"},
		},
		"a folder with all": {
			tree("traefik.yml", "entryPoints:\n  web:\n    address: :80\n", "conf.d/a.yml", served),
			[]string{"traefik", "--configFile=/etc/traefik/traefik.yml"},
			map[string]string{"/etc/traefik/traefik.yml": "traefik.yml", "/etc/traefik/conf.d/a.yml": "conf.d/a.yml"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			l := laid(t, Traefik, c.config)
			g.Expect(l.Cmd).To(Equal(c.cmd))
			g.Expect(places(l)).To(Equal(c.at))
		})
	}
}

// The file that says where the others are serves nothing alone.
func TestTraefikNeedsWhatItServes(t *testing.T) {
	for _, text := range []string{"entryPoints:\n  web:\n    address: :80\n", "[entryPoints.web]\naddress = \":80\"\n", "providers:\n  docker: {}\n"} {
		_, err := traefik.Layout(of(text))
		NewWithT(t).Expect(err).To(MatchError(And(ContainSubstring("x.conf"), ContainSubstring("give the folder"))), text)
	}
}

func TestTraefikHints(t *testing.T) {
	g := NewWithT(t)
	c := of(served)
	g.Expect(traefikServes(c)).To(Equal(Serves{Hosts: []string{"www.example.com"}, Paths: []string{"/api"}}))
	g.Expect(traefik.Hints.TLS.MatchString(served)).To(BeTrue())
	g.Expect(traefik.Hints.Port.FindStringSubmatch(served)[1]).To(Equal("8443"))
	g.Expect(traefikServes(of("rule: PathRegexp(`^/user/\\d+$`)")).Patterns).To(Equal([]string{`^/user/\d+$`}))
}
