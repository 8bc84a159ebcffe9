// Package policy has the TLS security policies of ALBs, as far as Go's crypto/tls can
// follow them, and the names that their logs have for what was agreed on. README.md of
// fakealb says what Go cannot.
//
// Facts about the real thing are numbered as in the project's aws-facts list, and
// marked D documented or G guessed.
package policy

import (
	"crypto/tls"
	"maps"
	"slices"
)

// Policy is what Go's crypto/tls can do of a security policy of an ALB (2.3.1 D).
type Policy struct {
	min, max uint16
	suites   []uint16 // up to TLS 1.2; those of TLS 1.3 cannot be chosen
	hybrid   bool     // post-quantum key exchange too
}

// The policies that a listener gets when it names none.
const (
	// Default is what listeners get that were not made in the console.
	Default = "ELBSecurityPolicy-2016-08"
	// AnyPort, the console's default, is for load balancers without listeners.
	AnyPort = "ELBSecurityPolicy-TLS13-1-2-Res-PQ-2025-09"
)

// Cipher suites by what a policy may or may not allow, in an ALB's words: GCM with
// ECDHE; CBC with SHA-2; CBC with SHA-1; and key exchange with RSA. Go has no CBC
// suite with AES-256 and SHA-2.
var (
	suitesGCM = []uint16{
		tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
		tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, tls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
	}
	suitesSHA2 = []uint16{tls.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256, tls.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256}
	suitesSHA1 = []uint16{
		tls.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA, tls.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA,
		tls.TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA, tls.TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA,
	}
	suitesRSA     = []uint16{tls.TLS_RSA_WITH_AES_128_GCM_SHA256, tls.TLS_RSA_WITH_AES_256_GCM_SHA384, tls.TLS_RSA_WITH_AES_128_CBC_SHA256}
	suitesRSASHA1 = []uint16{tls.TLS_RSA_WITH_AES_128_CBC_SHA, tls.TLS_RSA_WITH_AES_256_CBC_SHA}

	suitesRes  = suitesGCM
	suites12   = slices.Concat(suitesGCM, suitesSHA2)
	suitesExt0 = slices.Concat(suites12, suitesSHA1)
	suitesExt1 = slices.Concat(suites12, suitesRSA)
	suitesExt2 = slices.Concat(suitesExt0, suitesRSA, suitesRSASHA1)
)

// policies are those of ALBs by name, as the ALB guide lists them.
// Those of RFC 9151 are left out: Go cannot restrict TLS 1.3 to their suite.
var policies = policiesByName()

func policiesByName() map[string]Policy {
	const tls10, tls11, tls12, tls13 = tls.VersionTLS10, tls.VersionTLS11, tls.VersionTLS12, tls.VersionTLS13
	p := map[string]Policy{
		"2016-08":             {min: tls10, max: tls12, suites: suitesExt2},
		"TLS-1-1-2017-01":     {min: tls11, max: tls12, suites: suitesExt2},
		"TLS-1-2-2017-01":     {min: tls12, max: tls12, suites: suitesExt1},
		"TLS-1-2-Ext-2018-06": {min: tls12, max: tls12, suites: suitesExt2},
	}
	for family, policy := range map[string]Policy{
		"TLS13-1-3":      {min: tls13, max: tls13},
		"TLS13-1-2-Res":  {min: tls12, max: tls13, suites: suitesRes},
		"TLS13-1-2":      {min: tls12, max: tls13, suites: suites12},
		"TLS13-1-2-Ext0": {min: tls12, max: tls13, suites: suitesExt0}, // FIPS only
		"TLS13-1-2-Ext1": {min: tls12, max: tls13, suites: suitesExt1},
		"TLS13-1-2-Ext2": {min: tls12, max: tls13, suites: suitesExt2},
		"TLS13-1-1":      {min: tls11, max: tls13, suites: suitesExt2}, // has no PQ
		"TLS13-1-0":      {min: tls10, max: tls13, suites: suitesExt2},
	} {
		p[family+"-FIPS-2023-04"] = policy
		if family != "TLS13-1-2-Ext0" {
			p[family+"-2021-06"] = policy
		}
		policy.hybrid = true
		if family != "TLS13-1-1" {
			p[family+"-FIPS-PQ-2025-09"] = policy
			if family != "TLS13-1-2-Ext0" {
				p[family+"-PQ-2025-09"] = policy
			}
		}
	}
	named := map[string]Policy{}
	for name, policy := range p {
		named["ELBSecurityPolicy-"+name] = policy
	}
	return named
}

// Named finds a policy by its name.
func Named(name string) (p Policy, ok bool) {
	p, ok = policies[name]
	return p, ok
}

// Names lists all policies.
func Names() []string { return slices.Sorted(maps.Keys(policies)) }

// Config is what the policy allows; the rest of it is as in a new [tls.Config].
func (p Policy) Config() *tls.Config {
	return &tls.Config{MinVersion: p.min, MaxVersion: p.max, CipherSuites: p.suites, CurvePreferences: p.curves()} //nolint:gosec // as the policy has it
}

// curves are the key exchanges of the policy.
func (p Policy) curves() []tls.CurveID {
	classic := []tls.CurveID{tls.X25519, tls.CurveP256, tls.CurveP384, tls.CurveP521}
	if !p.hybrid {
		return classic
	}
	return append([]tls.CurveID{tls.X25519MLKEM768, tls.SecP256r1MLKEM768, tls.SecP384r1MLKEM1024}, classic...)
}

// The policies of connections to HTTPS targets. That they are few lets a pool see
// by the pointer whether its own changed.
var (
	backendTLS12  = policies[Default].Config()
	backendTLS13  = policies["ELBSecurityPolicy-TLS13-1-0-2021-06"].Config()
	backendHybrid = policies["ELBSecurityPolicy-TLS13-1-0-PQ-2025-09"].Config()
)

// Backend is what nodes speak to HTTPS targets: it follows from the policies of all
// HTTPS listeners together (2.3.6 D). Without any it is a guess (G). The FIPS policies
// differ from the others in nothing that Go can do.
func Backend(names []string) *tls.Config {
	best := (*tls.Config)(nil)
	for _, name := range names {
		switch p := policies[name]; {
		case p.hybrid:
			return backendHybrid
		case p.max == tls.VersionTLS13:
			best = backendTLS13
		case best == nil:
			best = backendTLS12
		}
	}
	if best == nil {
		return backendHybrid
	}
	return best
}
