package run

import (
	"fmt"
	"strings"
	"testing"

	. "github.com/onsi/gomega"

	"github.com/proxychaos/proxychaos/harness/config"
	"github.com/proxychaos/proxychaos/harness/kind"
	"github.com/proxychaos/proxychaos/harness/pod"
)

// A config that has connections begin at more addresses than a proxy can have is told so before
// anything starts.
func TestMoreAddressesThanAProxyCanHave(t *testing.T) {
	var text strings.Builder
	for n := range pod.MaxAddresses + 1 {
		fmt.Fprintf(&text, "proxy_bind 10.1.%d.%d;\n", n/250, 1+n%250)
	}
	conf := config.Config{Kind: kind.Nginx, Config: kind.Config{Path: "./many.conf", Files: []kind.File{{Name: "many.conf", Content: []byte(text.String())}}}}
	_, err := new(Lab).openContainers(t.Context(), "", conf, 1, false, 1)
	NewWithT(t).Expect(err).To(MatchError("./many.conf: connections to backends begin at 1025 addresses (proxy_bind, source and the like), and a proxy here can have 1024 of them: take the others out for this run"))
}
