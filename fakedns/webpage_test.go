package fakedns_test

import (
	"testing"

	"github.com/proxychaos/proxychaos/fakedns"
	"github.com/proxychaos/proxychaos/harness/control/controltest"
)

func TestWebPagesAreRefused(t *testing.T) {
	controltest.RefusesWebPages(t, start(t, fakedns.Config{}).Handler(),
		"PUT /v1/names/app.example", "POST /v1/reset", "DELETE /v1/faults/x", "GET /v1/queries")
}
