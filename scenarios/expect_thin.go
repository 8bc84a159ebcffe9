package scenarios

import (
	"github.com/proxychaos/proxychaos/fakedns"
	"github.com/proxychaos/proxychaos/harness/judge"
	"github.com/proxychaos/proxychaos/harness/recording"
)

// The results of the thin subjects in runs here; docs/proxy-behaviour.md names the versions.

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

// varnishAddresses: the addresses of the configuration, whatever becomes of the name. A dead
// one is tried again and again.
var varnishAddresses = with(
	all(fails(status(recording.Unavailable), judge.ResolvedOnce), ALBIPRotate, ALBPartialRotate),
)

// varnishProbe: a request that fails is tried at the other address, and a dead one is left
// once its probe has failed. Until then a request may meet it more than once.
var varnishProbe = with(
	all(fails(status(recording.Unavailable), judge.ResolvedOnce), ALBIPRotate),
	all(passesOrFails(timeout, judge.ResolvedOnce), ALBPartialRotate),
)

// trafficserverOwnTTL: the addresses of the first answer for a day.
var trafficserverOwnTTL = with(dnsUnfelt,
	all(fails(timeout, judge.ResolvedOnce), ALBIPRotate),
	all(fails(status(recording.BadGateway), judge.ResolvedOnce), ALBIPRefuse),
	all(fails(timeout, judge.StruckNodes), ALBNodeSilent),
)

// trafficserverDefault: it follows the name, and has no address once a look-up fails.
var trafficserverDefault = with(followed,
	all(fails(timeout, judge.StruckNodes), ALBNodeSilent),
	all(fails(status(internalError), judge.DNSOutage), dnsFailing(fakedns.KindNoData)...),
	all(fails(timeout, judge.DNSOutage), dnsFailing(fakedns.KindSilence)...),
)

// trafficserverStale: it keeps the last address while a look-up fails, and tries another one
// after a second.
var trafficserverStale = with(followed, dnsUnfelt,
	all(passes(judge.StruckNodes), ALBNodeSilent),
)

// poundName: the first address of the answer at its start, for ever.
var poundName = with(dnsUnfelt,
	all(fails(status(recording.Unavailable), judge.ResolvedOnce), ALBIPRotate, ALBIPRefuse),
	all(fails(status(recording.Unavailable), judge.StruckNodes), ALBNodeSilent),
)

// poundResolveFirst: the first address of the last answer. If the node of one that was just
// left does not answer, Pound 4.16 aborts (kill_be: Assertion `be->balancer != NULL' failed).
// After an answer without an address it asks again in ten minutes.
var poundResolveFirst = with(followed,
	all(fails(status(recording.Unavailable, recording.Connection), judge.StruckNodes), ALBNodeSilent),
	all(fails(status(recording.Unavailable), judge.DNSOutage), dnsFailing(fakedns.KindNoData)...),
	all(passes(judge.DNSOutage), dnsFailing(fakedns.KindSilence)...),
)

// poundResolveAll: a backend for each address, of which a dead one is left, and none once an
// answer says so. While no answer comes it keeps those that it has.
var poundResolveAll = with(followed,
	// That Pound aborts is chance.
	all(passesOrFails(status(recording.Connection), judge.StruckNodes), ALBNodeSilent),
	all(fails(status(recording.Unavailable), judge.DNSOutage), dnsFailing(fakedns.KindNoData)...),
	all(passes(judge.DNSOutage), dnsFailing(fakedns.KindSilence)...),
)

// caddyH2C: requests wait on the one connection that there is, whatever DNS says, until as
// many wait as a node takes on one: the next one opens another.
var caddyH2C = all(fails(timeout, judge.PooledOld), ALBIPRotate)

// caddyH2CDynamic: another address is another connection.
var caddyH2CDynamic = all(passes(judge.FollowedDNS), ALBIPRotate)

// traefikHostName: a new connection looks the name up, and the pool, of up to 200, keeps
// those that it has.
var traefikHostName = with(dnsUnfelt,
	all(fails(timeout, keptOld...), ALBIPRotate),
	all(passesOrFails(status(recording.BadGateway), keptOld...), ALBIPRefuse),
	all(fails(status(recording.Unavailable), keptOld...), AliasSwitch),
	all(passesOrFails(timeout, judge.StruckNodes), ALBNodeSilent),
)

// traefikWithoutReuse: it has nothing without DNS, and meets a dead node again and again.
var traefikWithoutReuse = with(asked,
	all(fails(timeout, judge.StruckNodes), ALBNodeSilent),
	all(fails(status(recording.BadGateway), judge.DNSOutage), dnsFailing(fakedns.KindNoData)...),
	all(fails([]string{recording.Timeout, recording.GatewayTimeout}, judge.DNSOutage), dnsFailing(fakedns.KindSilence)...),
)

// traefikRetry: each try begins with any of the addresses, so that one request in sixteen
// meets a dead one four times.
var traefikRetry = with(traefikWithoutReuse,
	all(fails(status(recording.GatewayTimeout), judge.StruckNodes), ALBNodeSilent),
)

// What Envoy does follows from its documentation (aws-facts 7.0). It was not run here, where
// no registry has its image.

// envoyLogical: open connections are kept, wherever the name leads by now.
var envoyLogical = with(dnsUnfelt,
	all(passesOrFails([]string{recording.Timeout, recording.Unavailable}, keptOld...), ALBIPRotate),
	all(passesOrFails(status(recording.Unavailable), keptOld...), ALBIPRefuse),
	all(fails([]string{recording.Timeout, recording.Unavailable}, judge.StruckNodes), ALBNodeSilent),
)

// envoyStrict: it follows the name, and an answer without an address leaves it none. While no
// answer comes it keeps those that it has. A dead one is tried again and again.
var envoyStrict = with(followed, dnsUnfelt,
	all(fails([]string{recording.Timeout, recording.Unavailable}, judge.StruckNodes), ALBNodeSilent),
	all(fails(status(recording.Unavailable), judge.DNSOutage), dnsFailing(fakedns.KindNoData)...),
)

// envoyOutliers: a dead address is left once a connect to it has failed, and the request goes
// to another.
var envoyOutliers = with(envoyStrict,
	all(passesOrFails(timeout, judge.StruckNodes), ALBNodeSilent),
)
