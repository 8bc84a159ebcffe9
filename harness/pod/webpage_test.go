package pod

import (
	"net/netip"
	"testing"

	"github.com/proxychaos/proxychaos/fakedns"
	"github.com/proxychaos/proxychaos/harness/control/controltest"
)

func TestWebPagesAreRefused(t *testing.T) {
	dns, err := fakedns.New(fakedns.Config{Listen: []netip.AddrPort{netip.MustParseAddrPort("127.0.0.1:0")}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := dns.Close(); err != nil {
			t.Error(err)
		}
	})
	controltest.RefusesWebPages(t, (&Agent{dns: dns}).handler(),
		"POST /v1/probes/http", "POST /v1/watches", "PUT /dns/v1/names/app.example", "GET /v1/health")
}
