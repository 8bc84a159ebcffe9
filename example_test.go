package proxychaos_test

import (
	"testing"
	"time"

	"github.com/proxychaos/proxychaos"
	"github.com/proxychaos/proxychaos/harness"
	"github.com/proxychaos/proxychaos/scenarios"
)

// t is that of the test function that an example is the body of.
var t *testing.T

// The configuration in ./nginx must survive the move of its load balancer.
func ExampleRun() {
	proxychaos.Run(t, proxychaos.Config("nginx", "./nginx"), scenarios.ALBIPRotate).MustPass()
}

// Of a configuration that is known to break, a test can say so until it is mended.
func ExampleResult_MustFail() {
	result := proxychaos.Run(t, proxychaos.Catalogued("nginx/static"), scenarios.ALBIPRotate).MustFail()
	t.Logf("%d of %d requests failed; proxychaos report %s shows how", result.Failed, result.Sent, result.Dir)
}

// Requests go where they would in production, by a schedule of one's own.
func ExampleSettings() {
	set := harness.DefaultSettings()
	set.Grace, set.Rate = 20*time.Second, 200
	proxychaos.Run(t, proxychaos.Config("haproxy", "./haproxy.cfg").Release("testing"), scenarios.ALBIPRotate,
		proxychaos.Settings(set),
		proxychaos.Request("shop.example.com", "/", "/api/"),
		proxychaos.Port(8080),
		proxychaos.Header("X-Scheme", "https"),
	).MustPass()
}
