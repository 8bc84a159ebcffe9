package incidents

import (
	"github.com/proxychaos/proxychaos/fakealb"
	"github.com/proxychaos/proxychaos/harness/judge"
)

// letsEncrypt: certificates that are good, below one that is not any more.
var letsEncrypt = Incident{
	Name: "lets-encrypt-2021-09-30",
	Told: "The root above Let's Encrypt's certificates, DST Root CA X3, expired. Servers went on sending a chain that led to it, with certificates " +
		"that were good, and who verified them as old libraries do refused: callbacks of payments, cron jobs, proxies.",
	Sources: []string{
		"https://letsencrypt.org/docs/dst-root-ca-x3-expiration-september-2021/",
		"https://www.octopuce.fr/letsencrypt-certificate-expiration-consequences/",
		"https://scotthelme.ghost.io/lets-encrypt-root-expiration-post-mortem/",
	},
	Acts: []Act{{
		Scenario: tlsRefused(fakealb.FaultTLSRootExpired),
		Broke:    []string{"apache/tls"},
		As:       judge.Expectation{Verdict: judge.Fail, Outcomes: []string{"500"}, Findings: []string{judge.StruckNodes}},
		Held:     []string{"nginx/tls", "goproxy/tls"},
	}},
}
