package run

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	. "github.com/onsi/gomega"

	"github.com/proxychaos/proxychaos/fakealb/cert"
)

// The file of an authority has the name by which OpenSSL looks for it.
func TestNameOfTheAuthoritysFile(t *testing.T) {
	g := NewWithT(t)
	openssl, err := exec.LookPath("openssl")
	g.Expect(err).NotTo(HaveOccurred(), "this test needs openssl")
	authority, err := cert.NewAuthority("Proxychaos  Test CA")
	g.Expect(err).NotTo(HaveOccurred())
	links, err := caLinks(authority.PEM())
	g.Expect(err).NotTo(HaveOccurred())
	file := filepath.Join(t.TempDir(), "ca.pem")
	g.Expect(os.WriteFile(file, authority.PEM(), 0o600)).To(Succeed())
	said, err := exec.CommandContext(t.Context(), openssl, "x509", "-noout", "-subject_hash", "-in", file).Output()
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(links[0].Path).To(Equal("/etc/ssl/certs/" + strings.TrimSpace(string(said)) + ".0"))
	_, err = caLinks([]byte("no"))
	g.Expect(err).To(MatchError(ContainSubstring("want a certificate as PEM")))
}
