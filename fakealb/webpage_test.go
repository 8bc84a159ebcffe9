package fakealb_test

import (
	"testing"

	"github.com/proxychaos/proxychaos/fakealb"
	"github.com/proxychaos/proxychaos/harness/control/controltest"
)

func TestWebPagesAreRefused(t *testing.T) {
	s, err := fakealb.New(fakealb.Config{Network: fakealb.NetworkUserspace, Ports: []uint16{8080}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	controltest.RefusesWebPages(t, s.Handler(),
		"PUT /v1/load-balancers/blue", "POST /v1/reset", "DELETE /v1/nodes/127.0.7.1", "GET /v1/records/attempts", "GET /metrics")
}
