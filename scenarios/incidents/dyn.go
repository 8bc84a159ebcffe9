package incidents

import (
	"github.com/proxychaos/proxychaos/fakedns"
	"github.com/proxychaos/proxychaos/harness/judge"
	"github.com/proxychaos/proxychaos/harness/recording"
)

// dyn: nothing is wrong with any site, and their names are not answered.
var dyn = Incident{
	Name: "dyn-2016-10-21",
	Told: "Dyn's name servers were flooded from 11:10 to 13:20 UTC and from 15:50 to 17:00, and again later. The sites of its customers, such as " +
		"Twitter and GitHub, were up all the time, but who asked for their names got no answer.",
	Sources: []string{
		"https://www.dynstatus.com/incidents/5r9mppc1kb77",
		"https://hothardware.com/news/ddos-attack-on-dns-provider-slows-internet-to-a-crawl",
	},
	Acts: []Act{{
		Scenario: dnsFails(fakedns.KindSilence),
		Broke:    []string{"nginx/variable", "caddy/dynamic-a@testing"},
		As:       judge.Expectation{Verdict: judge.Fail, Outcomes: []string{recording.Timeout}, Findings: []string{judge.DNSOutage}},
		Held:     []string{"nginx/upstream-resolve@testing", "goproxy/default"},
	}},
}
