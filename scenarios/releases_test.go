package scenarios_test

import (
	"testing"

	. "github.com/onsi/gomega"
)

// An image of the user's stands in for every release of its kind. Who names a release too gets
// a line: what was run would be another version than he says.
func TestAReleaseBesideAnImage(t *testing.T) {
	g := NewWithT(t)
	conf := write(t, "x.conf", "server {}\n")
	own, err := from(map[string]string{"PROXY": "nginx", "CONFIG": conf, "RELEASE": "oldstable"})
	g.Expect(err).NotTo(HaveOccurred())
	catalogued, err := from(map[string]string{"RELEASE": "testing"})
	g.Expect(err).NotTo(HaveOccurred())
	other, err := from(map[string]string{"PROXY": "haproxy", "RELEASE": "testing"})
	g.Expect(err).NotTo(HaveOccurred())
	goproxy, err := from(map[string]string{"SUBJECT": "goproxy/default"})
	g.Expect(err).NotTo(HaveOccurred())

	g.Expect(own.BesideImage("oldstable")).To(Succeed(), "there is no image")
	t.Setenv("NGINX_IMAGE", "ours:1")
	g.Expect(own.BesideImage("oldstable")).To(MatchError("RELEASE=oldstable: NGINX_IMAGE=ours:1 stands in for every release of nginx; leave one of the two out"))
	g.Expect(catalogued.BesideImage("testing")).To(MatchError(ContainSubstring("NGINX_IMAGE=ours:1 stands in for every release of nginx")))
	g.Expect(own.BesideImage("")).To(Succeed(), "the image alone")
	g.Expect(other.BesideImage("testing")).To(Succeed(), "the image is of another kind")
	g.Expect(goproxy.BesideImage("")).To(Succeed())
}
