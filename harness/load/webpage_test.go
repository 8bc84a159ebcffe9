package load_test

import (
	"testing"

	"github.com/proxychaos/proxychaos/harness/control/controltest"
	"github.com/proxychaos/proxychaos/harness/load"
)

func TestWebPagesAreRefused(t *testing.T) {
	controltest.RefusesWebPages(t, load.Handler(), "POST /v1/attacks", "POST /v1/sockets", "POST /v1/bursts", "POST /v1/trials", "GET /v1/health")
}
