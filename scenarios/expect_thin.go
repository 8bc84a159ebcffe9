package scenarios

import (
	"github.com/proxychaos/proxychaos/fakedns"
	"github.com/proxychaos/proxychaos/harness/judge"
	"github.com/proxychaos/proxychaos/harness/recording"
)

// What the thin subjects came to in runs here; docs/proxies.md names the versions.

// squidAccelerator: it follows the name, and has no address once a look-up fails. After ten
// failed connects the peer is dead to it, whatever other addresses its name has.
var squidAccelerator = with(followed,
	all(fails(status(recording.BadGateway), judge.StruckNodes), ALBNodeSilent),
	all(fails(status(recording.BadGateway), judge.DNSOutage), dnsFailing(fakedns.KindNoData)...),
	all(fails(timeout, judge.DNSOutage), dnsFailing(fakedns.KindSilence)...),
)

// squidWithoutReuse: it has no address once a look-up fails, and remembers for a short time
// only which address failed.
var squidWithoutReuse = with(asked,
	// A request may draw dead addresses until it is given up: that is chance.
	all(passesOrFails(status(recording.BadGateway), judge.StruckNodes), ALBNodeSilent),
	all(fails(status(recording.BadGateway), judge.DNSOutage), dnsFailing(fakedns.KindNoData)...),
	all(fails(timeout, judge.DNSOutage), dnsFailing(fakedns.KindSilence)...),
)

// nghttpxStatic: the first address of the answer at its start, for ever.
var nghttpxStatic = with(dnsUnfelt,
	all(fails(status(recording.BadGateway), judge.ResolvedOnce), ALBIPRotate, ALBIPRefuse),
	all(fails(status(recording.BadGateway), judge.StruckNodes), ALBNodeSilent),
)

// nghttpxDNS: with "dns" it has the first address of the last answer. It keeps the failure
// of a look-up as long as an address, and has none until then.
var nghttpxDNS = with(followed,
	// Whether the next answer begins with a dead node again is chance.
	all(passesOrFails(status(recording.BadGateway, recording.GatewayTimeout), judge.StruckNodes), ALBNodeSilent),
	all(fails(status(recording.BadGateway), judge.DNSOutage), dnsFailing(fakedns.KindNoData)...),
	all(fails(status(recording.Timeout, recording.BadGateway), judge.DNSOutage), dnsFailing(fakedns.KindSilence)...),
)

// lighttpdStatic: the first address of the answer at its start, for ever.
var lighttpdStatic = with(dnsUnfelt,
	all(fails(status(recording.Unavailable), judge.ResolvedOnce), ALBIPRotate, ALBIPRefuse),
	all(fails(status(recording.Unavailable), judge.StruckNodes), ALBNodeSilent),
)

// lighttpdAddresses: the addresses of the configuration, whatever becomes of the name. A dead
// one costs the requests that are under way there, as long as another is alive.
var lighttpdAddresses = with(
	all(fails(status(recording.Unavailable), judge.ResolvedOnce), ALBIPRotate),
	all(passesOrFails(status(recording.Unavailable), judge.ResolvedOnce), ALBPartialRotate),
)

// h2oReverse: a new connection looks the name up, and the pool keeps those that it has: as
// many requests are lost as it has connections when its nodes go silent.
var h2oReverse = with(dnsUnfelt,
	all(fails(timeout, judge.PooledOld), ALBIPRotate),
	// It does not repeat a request that races with the end of its connection.
	expectations{ALBIPRefuse.Name: {Verdict: judge.Either, Outcomes: status(recording.BadGateway), Most: raced, Findings: []string{judge.PooledOld}}},
	all(passes(judge.StruckNodes), ALBNodeSilent),
)

// h2oWithoutKeepalive: it has nothing without DNS, and meets a dead node again and again.
var h2oWithoutKeepalive = with(asked,
	all(fails(status(recording.BadGateway), judge.StruckNodes), ALBNodeSilent),
	all(fails(status(recording.BadGateway), judge.DNSOutage), dnsFailing(fakedns.KindNoData, fakedns.KindSilence)...),
)
