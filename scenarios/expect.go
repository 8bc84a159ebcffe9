package scenarios

import (
	"maps"
	"slices"

	"github.com/proxychaos/proxychaos/fakealb"
	"github.com/proxychaos/proxychaos/fakedns"
	"github.com/proxychaos/proxychaos/harness"
	"github.com/proxychaos/proxychaos/harness/fault"
	"github.com/proxychaos/proxychaos/harness/judge"
	"github.com/proxychaos/proxychaos/harness/recording"
)

// The results of the subjects in runs here; docs/proxy-behaviour.md names the versions
// and says where this differs from the articles.

// expectations are by the name of the scenario, or in the file of a scenario by the subject.
type expectations = map[string]judge.Expectation

// all expects the same in every one of the scenarios.
func all(e judge.Expectation, of ...harness.Scenario) expectations {
	same := expectations{}
	for _, s := range of {
		same[s.Name] = e
	}
	return same
}

// with joins expectations; where two are of the same scenario the later holds.
func with(parts ...expectations) expectations {
	whole := expectations{}
	for _, part := range parts {
		maps.Copy(whole, part)
	}
	return whole
}

// passes expects a pass, with one of the findings if any is given.
func passes(findings ...string) judge.Expectation {
	return judge.Expectation{Verdict: judge.Pass, Findings: findings}
}

// fails expects one of the outcomes and one of the findings at least.
func fails(outcomes []string, findings ...string) judge.Expectation {
	return judge.Expectation{Verdict: judge.Fail, Outcomes: outcomes, Findings: findings}
}

// passesOrFails expects a pass with one of the findings, or a fail with one of
// the outcomes too: the seed's draw decides.
func passesOrFails(outcomes []string, findings ...string) judge.Expectation {
	return judge.Expectation{Verdict: judge.Either, Outcomes: outcomes, Findings: findings}
}

// raced is how many requests at most are lost to a race: each is on its way in a kept
// connection as the node ends it. Seen: one in 2,100 and in 2,200, on a machine full of
// other work, where to refuse took 7 ms instead of less than one.
const raced = 3

// aaaaFails is the scenario of DNSFails in which only questions for IPv6 addresses fail.
var aaaaFails = DNSFails[slices.IndexFunc(DNSFails, func(s harness.Scenario) bool { return s.Timeline[0].Do[0] == ipv6Fails })]

// dnsFailing are the scenarios of DNSFails with these kinds, for every type of question.
func dnsFailing(kinds ...fakedns.Kind) []harness.Scenario {
	var some []harness.Scenario
	for _, s := range DNSFails {
		if f, ok := s.Timeline[0].Do[0].(fault.FailDNS); ok && f.Type == "" && slices.Contains(kinds, f.Kind) {
			some = append(some, s)
		}
	}
	return some
}

// How DNS fails, by what a client makes of it.
var (
	// denied: an answer comes at once and says that there is no address.
	denied = []fakedns.Kind{fakedns.KindServFail, fakedns.KindNXDomain, fakedns.KindNoData, fakedns.KindRefused}
	// absent: the name is said to have no address, or not to exist. A client may
	// believe that, and forget what it had.
	absent = []fakedns.Kind{fakedns.KindNXDomain, fakedns.KindNoData}
	// unusable: nothing comes that could be used, so that a client waits.
	unusable = []fakedns.Kind{fakedns.KindSilence, fakedns.KindDelay, fakedns.KindWrongID, fakedns.KindWrongQuestion}
)

// dnsUnfelt: the subject asks no more once it has an address, or keeps the one
// it has, and so loses nothing.
var dnsUnfelt = all(passes(judge.DNSOutage), DNSFails...)

var (
	// keptOld: a process or its pool kept the address. Which of the two shows
	// depends on whether Apache starts a child after the move.
	keptOld = []string{judge.ResolvedOnce, judge.PooledOld}
	hung    = []string{recording.Timeout, recording.Unavailable}
	timeout = []string{recording.Timeout}
	status  = func(codes ...string) []string { return codes }
)

// followed: the subject follows the name in all its moves.
var followed = all(passes(judge.FollowedDNS), moves...)

// asked: it does so with a look-up and a connection for every request.
var asked = all(passes(judge.ConnectionPerRequest), moves...)

// nginxOnce: nginx has the addresses of its start for ever, however they end.
// Where they do not end, that serves it well: it knows which of them failed, and
// does not notice what becomes of DNS.
var nginxOnce = with(dnsUnfelt, all(passes(judge.StruckNodes), nodesDie...), expectations{
	ALBIPRotate.Name: {Verdict: judge.Fail, Outcomes: []string{recording.BadGateway}, Findings: []string{judge.ResolvedOnce}, Log: `no live upstreams`},
	ALBIPRefuse.Name: {Verdict: judge.Fail, Outcomes: []string{recording.BadGateway}, Findings: []string{judge.ResolvedOnce}, Log: `connect\(\) failed \(111`},
	AliasSwitch.Name: {Verdict: judge.Fail, Outcomes: []string{recording.Unavailable}, Findings: []string{judge.ResolvedOnce}},
	ALBIPAbrupt.Name: {Verdict: judge.Fail, Outcomes: []string{recording.BadGateway}, Findings: []string{judge.ResolvedOnce}, Log: `no live upstreams`},
	ALBScaleOut.Name: {Verdict: judge.Fail, Outcomes: []string{recording.BadGateway}, Findings: []string{judge.ResolvedOnce}, Log: `no live upstreams`},
	// One address of two, or two of four, still serve: the next one is tried, and all
	// that is lost is a request or two that meet two dead ones in a row.
	// One that is under way as its node goes silent is lost too.
	ALBPartialRotate.Name: passesOrFails(timeout, judge.ResolvedOnce),
	ZoneFlap.Name:         passesOrFails(timeout, judge.ResolvedOnce),
})

// nginxVariable: a variable in proxy_pass makes an upstream of its own for each
// request. It follows the name, remembers of no node that it failed, and has no
// address once an answer has expired and no other comes.
var nginxVariable = with(asked,
	all(fails(timeout, judge.StruckNodes), nodesDie...),
	all(passes(judge.DNSOutage), dnsFailing(fakedns.KindTruncate, fakedns.KindThrottle)...),
	all(fails(status(recording.BadGateway), judge.DNSOutage), dnsFailing(denied...)...),
	all(fails(timeout, judge.DNSOutage), dnsFailing(append(unusable, fakedns.KindGarbage)...)...),
	// It asks for both types and waits for both answers; "ipv6=off" asks for one.
	all(fails(timeout, judge.DNSOutage), aaaaFails),
)

// nginxResolve: "server ... resolve" keeps the addresses it has through any
// trouble with DNS, except an answer that says there are none.
var nginxResolve = with(followed, dnsUnfelt,
	all(passes(judge.StruckNodes), nodesDie...),
	all(fails(status(recording.BadGateway), judge.DNSOutage), dnsFailing(absent...)...),
)

// apacheEachRequest: what asks for every request has nothing without DNS, and
// meets a dead node again and again.
var apacheEachRequest = with(asked,
	all(fails(timeout, judge.StruckNodes), nodesDie...),
	all(passes(judge.DNSOutage), dnsFailing(fakedns.KindTruncate)...),
	all(passes(judge.DNSOutage), aaaaFails), // the C library asks for no IPv6 address on a host that has none
	all(fails(status(internalError), judge.DNSOutage), dnsFailing(append(denied, fakedns.KindGarbage)...)...),
	all(fails(timeout, judge.DNSOutage), dnsFailing(append(unusable, fakedns.KindThrottle)...)...),
)

// apacheAddressTTL: once the time of an address is over Apache has none, and
// does not go on with the old one.
var apacheAddressTTL = with(followed,
	// Each kept connection to a dead node costs the request that is given to it. When the
	// last of them is used is chance.
	all(passesOrFails(status(recording.BadGateway), judge.StruckNodes), nodesDie...),
	all(passes(judge.DNSOutage), dnsFailing(fakedns.KindTruncate, fakedns.KindThrottle)...),
	all(passes(judge.DNSOutage), aaaaFails),
	all(fails(status(internalError), judge.DNSOutage), dnsFailing(denied...)...),
	all(fails(timeout, judge.DNSOutage), dnsFailing(append(unusable, fakedns.KindGarbage)...)...),
)

// reference: the bundled proxy loses nothing, whatever happens.
var reference = with(followed, dnsUnfelt, all(passes(judge.StruckNodes), nodesDie...))

// tlsHang is the one refusal that takes time.
var tlsHang = TLSRefused[slices.IndexFunc(TLSRefused, func(s harness.Scenario) bool { return s.Name == string(fakealb.FaultTLSHang) })]

// apacheTLS: a name is one worker to Apache, whatever addresses it has. A
// handshake that fails is the end of its request.
var apacheTLS = with(
	all(fails(status(internalError), judge.StruckNodes), TLSRefused...),
	all(fails(timeout, judge.StruckNodes), tlsHang),
)

// nginxTLSDefault: nginx tries the next node when a handshake fails, verifies
// no certificate, and waits 60 s for a handshake.
var nginxTLSDefault = with(
	all(passes(judge.StruckNodes), TLSRefused...),
	all(fails(timeout, judge.StruckNodes), tlsHang),
)

// tlsHolds: another node is tried, in time.
var tlsHolds = all(passes(judge.StruckNodes), TLSRefused...)

// closesEarly: the proxy closes idle connections that an ALB in front still keeps.
var closesEarly = all(fails(status(recording.BadGateway), judge.KeepAliveRace), KeepAliveRace)

// keepsLonger: it keeps them longer than the ALB does.
var keepsLonger = all(passes(judge.KeepAliveHeld), KeepAliveRace)

// internalError is what Apache answers where a name has no address.
const internalError = "500"

// apacheDrawn: each child asks once and tries the addresses in the order of its
// answer. One that was given both dead nodes first is two connects late, and
// with it the verdict; the others are one late. A seed draws the answers.
var apacheDrawn = all(passesOrFails(timeout, judge.StruckNodes), nodesDie...)

// apachePooled: Apache 2.4.59 and later looks the name up again once every
// address it knows has failed. Where the old nodes are silent that is two
// connects late; where they refuse it is in time, but for requests that race with the
// end; where they answer, even with 503, it never happens.
var apachePooled = with(dnsUnfelt, apacheDrawn, expectations{
	ALBIPRotate.Name: {Verdict: judge.Fail, Outcomes: hung, Findings: keptOld, Log: `AH00957`},
	ALBIPRefuse.Name: {Verdict: judge.Either, Outcomes: status(recording.BadGateway), Most: raced, Findings: keptOld, Log: `AH00957`},
	AliasSwitch.Name: {Verdict: judge.Fail, Outcomes: []string{recording.Unavailable}, Findings: keptOld},
	ALBIPAbrupt.Name: {Verdict: judge.Fail, Outcomes: hung, Log: `AH00957`},
	ALBScaleOut.Name: {Verdict: judge.Fail, Outcomes: hung, Findings: keptOld, Log: `AH00957`},
	// Requests under way on the node that ends are lost; for the others the next
	// address is tried.
	ALBPartialRotate.Name: passesOrFails(timeout, keptOld...),
	ZoneFlap.Name:         {Verdict: judge.Fail, Outcomes: timeout, Findings: keptOld},
})

// apacheForever is Apache up to 2.4.58, which keeps the address until the child
// ends. It follows from that version's source (proxy_util.c); it was not run
// here, where no registry has the image.
var apacheForever = with(dnsUnfelt, apacheDrawn, expectations{
	ALBIPRotate.Name: {Verdict: judge.Fail, Outcomes: hung, Findings: keptOld, Log: `AH00957`},
	ALBIPRefuse.Name: {Verdict: judge.Fail, Outcomes: []string{recording.Unavailable}, Findings: keptOld, Log: `AH00957`},
	AliasSwitch.Name: {Verdict: judge.Fail, Outcomes: []string{recording.Unavailable}, Findings: keptOld},
	ALBIPAbrupt.Name: {Verdict: judge.Fail, Outcomes: hung, Log: `AH00957`},
	ALBScaleOut.Name: {Verdict: judge.Fail, Outcomes: hung, Findings: keptOld, Log: `AH00957`},
	// As later versions do, since an address that serves is left.
	ALBPartialRotate.Name: passesOrFails(timeout, keptOld...),
	ZoneFlap.Name:         {Verdict: judge.Fail, Outcomes: timeout, Findings: keptOld},
})

// haproxyOnce: without resolvers a server line has one address for ever. It is not left
// when it dies, and it serves as long as it lives, whatever becomes of DNS.
var haproxyOnce = with(dnsUnfelt, expectations{
	ALBIPRotate.Name:      fails(timeout, judge.ResolvedOnce),
	ALBIPRefuse.Name:      fails(status(recording.Unavailable), judge.ResolvedOnce),
	AliasSwitch.Name:      fails(status(recording.Unavailable), judge.ResolvedOnce),
	ALBIPAbrupt.Name:      fails(timeout, judge.ResolvedOnce),
	ALBScaleOut.Name:      fails(timeout, judge.ResolvedOnce),
	ALBPartialRotate.Name: fails(timeout, judge.ResolvedOnce),
	ZoneFlap.Name:         fails(timeout, judge.ResolvedOnce),
	ALBNodeSilent.Name:    fails(timeout, judge.StruckNodes),
	ALBNodeBlink.Name:     fails(timeout, judge.StruckNodes),
})

// haproxyOneServer: a server line with resolvers has one address at a time, and looks for
// another only when DNS no longer has it. HAProxy 3.2 then drops the connections to it.
var haproxyOneServer = with(followed, dnsUnfelt,
	all(fails(timeout, judge.StruckNodes), nodesDie...),
)

// haproxyOneServerPooled: HAProxy 2.6 logs that the address has changed, and goes on with
// idle pooled connections to the old one. Whether one of them is picked after the node
// has ended is chance; one that meets a refusal is opened anew.
var haproxyOneServerPooled = with(haproxyOneServer,
	all(passesOrFails(timeout, judge.PooledOld, judge.FollowedDNS), ALBIPRotate, ALBScaleOut, ALBPartialRotate, ZoneFlap),
	all(passes(judge.PooledOld, judge.FollowedDNS), ALBIPRefuse),
	all(passesOrFails(status(recording.Unavailable), judge.PooledOld, judge.FollowedDNS), AliasSwitch),
)

// haproxyTemplate: a slot for each address. A dead one is left once its health check has
// failed three times, 2 s apart: later than a proxy needs that tries another at once.
var haproxyTemplate = with(followed, dnsUnfelt,
	all(fails(timeout, judge.StruckNodes), nodesDie...),
)

// haproxyTemplatePooled is that on HAProxy 2.6, with its pooled connections.
var haproxyTemplatePooled = with(haproxyTemplate,
	all(passesOrFails(timeout, judge.PooledOld, judge.FollowedDNS), ALBIPRotate, ALBScaleOut, ALBPartialRotate, ZoneFlap),
	all(passes(judge.PooledOld, judge.FollowedDNS), ALBIPRefuse),
	all(passesOrFails(status(recording.Unavailable), judge.PooledOld, judge.FollowedDNS), AliasSwitch),
)

// caddyHostName: a new connection looks the name up, but a pooled one is kept as long as
// its node lives. Caddy takes the connection that was used last: as many requests are lost
// as the pool has connections when its nodes go silent (32 by default). The same pool
// hides an outage of DNS, unless a connection has to be opened meanwhile.
var caddyHostName = with(
	all(passesOrFails(status(recording.BadGateway), judge.DNSOutage), DNSFails...),
	all(passesOrFails(timeout, judge.DNSOutage), dnsFailing(append(unusable, fakedns.KindGarbage)...)...),
	all(fails(timeout, keptOld...), ALBIPRotate, ALBScaleOut, ALBPartialRotate),
	// A connection to a dead node, under the live ones of the pool, is taken only when
	// requests overlap: when that is, is chance.
	all(passesOrFails(timeout, judge.StruckNodes), nodesDie...),
	expectations{
		ALBIPRefuse.Name: passesOrFails(status(recording.BadGateway), keptOld...),
		AliasSwitch.Name: fails(status(recording.Unavailable), keptOld...),
		ALBIPAbrupt.Name: passes(judge.FollowedDNS),
		// The pooled connections may be to the zone that remains in the name.
		ZoneFlap.Name: passesOrFails(timeout, keptOld...),
	},
)

// caddyDynamic: an upstream for each address, looked up every 3 s. It has none once a
// look-up fails, asks by UDP only, and remembers of no address that it failed.
var caddyDynamic = with(followed,
	all(fails(status(recording.BadGateway), judge.StruckNodes), nodesDie...),
	all(passes(judge.DNSOutage), dnsFailing(fakedns.KindThrottle)...),
	all(fails(status(recording.Unavailable), judge.DNSOutage), dnsFailing(append(denied, fakedns.KindTruncate)...)...),
	all(fails(timeout, judge.DNSOutage), dnsFailing(append(unusable, fakedns.KindGarbage)...)...),
	all(fails(timeout, judge.DNSOutage), aaaaFails), // it waits for both answers
)
