package scenarios

import (
	"fmt"
	"strings"
	"time"

	"github.com/proxychaos/proxychaos/fakealb"
	"github.com/proxychaos/proxychaos/fakedns"
	"github.com/proxychaos/proxychaos/harness"
	"github.com/proxychaos/proxychaos/harness/fault"
)

// DNSFails are the scenarios in which no node has anything wrong with it, and
// every resolver fails for OUTAGE in one of the ways that fakedns knows: for all
// questions, and in the last of them for IPv6 addresses alone. A proxy that forgets the
// addresses it had, or that asks for every request, takes an outage of DNS for one of the
// backend.
//
// fakedns.KindStale is not among them: to a proxy it is a name that moves
// later, which alb-ip-rotate shows.
var DNSFails = []harness.Scenario{
	dnsFails(fault.FailDNS{Kind: fakedns.KindServFail}, "every query is answered SERVFAIL"),
	dnsFails(fault.FailDNS{Kind: fakedns.KindNXDomain}, "the name does not exist (NXDOMAIN)"),
	dnsFails(fault.FailDNS{Kind: fakedns.KindNoData}, "answers have no address in them, as in us-east-1 on 2025-10-20"),
	dnsFails(fault.FailDNS{Kind: fakedns.KindRefused}, "every query is answered REFUSED"),
	dnsFails(fault.FailDNS{Kind: fakedns.KindSilence}, "no query is answered"),
	dnsFails(fault.FailDNS{Kind: fakedns.KindDelay, Delay: fakealb.Duration(5 * time.Second)}, "each answer comes 5 s late, the patience of resolv.conf"),
	dnsFails(fault.FailDNS{Kind: fakedns.KindTruncate}, "UDP answers are cut off (TC): the question has to be asked over TCP"),
	dnsFails(fault.FailDNS{Kind: fakedns.KindWrongID}, "answers carry another id than their query"),
	dnsFails(fault.FailDNS{Kind: fakedns.KindWrongQuestion}, "answers are to another question than was asked"),
	dnsFails(fault.FailDNS{Kind: fakedns.KindGarbage}, "answers are noise behind a good header"),
	dnsFails(fault.FailDNS{Kind: fakedns.KindThrottle, PerSecond: throttle}, fmt.Sprintf("only %d queries of a client are answered in a second, as over the 1,024 of a network interface", throttle)),
	dnsFails(ipv6Fails, "no query for IPv6 addresses (AAAA) is answered; the name has none, and IPv4 addresses are answered as before"),
}

// ipv6Fails is what firewalls do that drop AAAA queries, and servers that do not know
// them. Who asks for both types waits for both answers.
var ipv6Fails = fault.FailDNS{Kind: fakedns.KindSilence, Type: "AAAA"}

// throttle is below what a proxy asks that looks the name up for each of 100
// requests in a second: to the 1,024 packets/s of an interface (aws-facts 5.2)
// as RATE=100 is to a busy one.
const throttle = 20

func dnsFails(f fault.FailDNS, what string) harness.Scenario {
	name := "dns-" + strings.ReplaceAll(string(f.Kind), "_", "-")
	if f.Type != "" {
		name = "dns-" + strings.ToLower(f.Type) + "-fails"
	}
	return harness.Scenario{
		Name:    name,
		Summary: "Nodes and name do not change; for OUTAGE, " + what + ".",
		World:   four,
		Timeline: []harness.Step{
			harness.Do(f),
			harness.After("outage", fault.HealDNS{}),
		},
	}
}
