package scenarios

import (
	"github.com/proxychaos/proxychaos/fakedns"
	"github.com/proxychaos/proxychaos/harness/judge"
	"github.com/proxychaos/proxychaos/harness/recording"
)

// What the thin subjects came to in runs here; docs/proxies.md names the versions.

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
