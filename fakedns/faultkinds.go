package fakedns

import "github.com/miekg/dns"

// behaviour changes a reply that is otherwise ready to go.
type behaviour func(*Fault, *reply)

// kinds is where a kind becomes known to validation, to the control API and to the server.
var kinds = map[Kind]behaviour{
	KindNoData:   func(_ *Fault, r *reply) { r.negative(dns.RcodeSuccess) },
	KindNXDomain: func(_ *Fault, r *reply) { r.negative(dns.RcodeNameError) },
	KindServFail: func(_ *Fault, r *reply) { r.failure(dns.RcodeServerFailure) },
	KindRefused:  func(_ *Fault, r *reply) { r.failure(dns.RcodeRefused) },
	KindSilence:  func(_ *Fault, r *reply) { r.silent = true },
	KindDelay:    func(f *Fault, r *reply) { r.delay += f.Delay },
}
