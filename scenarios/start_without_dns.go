package scenarios

import (
	"github.com/proxychaos/proxychaos/fakedns"
	"github.com/proxychaos/proxychaos/harness"
	"github.com/proxychaos/proxychaos/harness/fault"
	"github.com/proxychaos/proxychaos/harness/judge"
	"github.com/proxychaos/proxychaos/harness/recording"
)

// StartWithoutDNS is a deploy or a reboot during an outage of DNS. No proxy can know an
// address then. What matters is whether it starts all the same, and how soon it serves once
// DNS answers.
var StartWithoutDNS = harness.Scenario{
	Name:    "start-without-dns",
	Summary: "The proxy is killed and restarted once, while every resolver answers SERVFAIL; DNS answers again after OUTAGE.",
	World:   four,
	Timeline: []harness.Step{
		harness.Do(fault.FailDNS{Kind: fakedns.KindServFail}, fault.RestartProxy{}),
		harness.After("outage", fault.HealDNS{}),
	},
}

// refusesToStart: it ends if a name of its configuration has no address.
func refusesToStart(words string) judge.Expectation {
	e := fails(status(recording.Connection), judge.NotStarted)
	e.Log = words
	return e
}

var startWithoutDNS = expectations{
	"nginx/static":   refusesToStart("host not found in upstream"),
	"nginx/variable": passes(judge.DNSOutage),
	// It starts without an address, and asks again when resolver_timeout is over, 30 s by
	// default.
	"nginx/upstream-resolve@testing":         fails(status(recording.BadGateway), judge.HeldDown),
	"nginx/upstream-resolve-timeout@testing": passes(judge.DNSOutage),
	"apache/pooled":                          passes(judge.DNSOutage),
	"haproxy/static@testing":                 refusesToStart("could not resolve address"),
	"haproxy/server-template@testing":        passes(judge.DNSOutage),
	"caddy/host-name@testing":                passes(judge.DNSOutage),
	"goproxy/default":                        passes(judge.DNSOutage),
}
