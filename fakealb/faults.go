package fakealb

import (
	"maps"
	"slices"

	"github.com/proxychaos/proxychaos/fakealb/cert"
	"github.com/proxychaos/proxychaos/fakealb/netfault"
)

// FaultKind is what is done to one node.
type FaultKind string

// The faults of a node.
const (
	FaultNone FaultKind = "none"

	// FaultSilence drops every packet of new and established connections: no RST,
	// no FIN.
	FaultSilence FaultKind = "silence"
	// FaultSilenceNew drops packets that open connections only.
	FaultSilenceNew FaultKind = "silence-new"
	// FaultRefuse answers new connections with RST and resets established ones: at
	// once, or with a request under way after its answer, 0.1 s later at most.
	FaultRefuse FaultKind = "refuse"
	// FaultRefuseNew answers new connections with RST; established ones go on.
	FaultRefuseNew FaultKind = "refuse-new"

	// FaultTLSAlert answers a ClientHello with the fatal alert handshake_failure.
	FaultTLSAlert FaultKind = "tls-alert"
	// FaultTLSHang reads the ClientHello and never answers it.
	FaultTLSHang FaultKind = "tls-hang"
	// FaultTLSReset answers a ClientHello with RST.
	FaultTLSReset FaultKind = "tls-reset"
	// FaultTLSWrongName shows a trusted certificate of another name.
	FaultTLSWrongName FaultKind = "tls-wrong-name"
	// FaultTLSExpired shows a trusted certificate that expired an hour ago.
	FaultTLSExpired FaultKind = "tls-expired"
	// FaultTLSSelfSigned shows a certificate for the right name that nobody signed.
	FaultTLSSelfSigned FaultKind = "tls-self-signed"
	// FaultTLSWrongChain shows a certificate for the right name whose issuer, an
	// intermediate authority, is left out of the chain; another one is in its place.
	FaultTLSWrongChain FaultKind = "tls-wrong-chain"
	// FaultTLSRootExpired shows a good certificate whose issuer has expired, as the roots
	// AddTrust (2020-05-30) and DST X3 (2021-09-30) did while leaves went on.
	FaultTLSRootExpired FaultKind = "tls-root-expired"
	// FaultTLSNoSNI shows a trusted certificate of another name to a client that names no
	// host (SNI), as an ALB does whose default certificate was replaced; others get theirs.
	FaultTLSNoSNI FaultKind = "tls-no-sni"

	// FaultError answers with an error of the load balancer's own, of the status
	// that FaultSetting.Status names.
	FaultError FaultKind = "error"
	// FaultLinger answers as an ALB without targets does, with 503, while the other
	// nodes of the load balancer serve: a retired node that still runs (1.9 O).
	FaultLinger FaultKind = "linger"
	// FaultStranger answers as another tenant's load balancer, with a certificate
	// of another authority and another body: a released address that came back (1.10 O).
	FaultStranger FaultKind = "stranger"
	// FaultCloseRequest closes the connection instead of answering: FIN, no response.
	FaultCloseRequest FaultKind = "close-request"
	// FaultResetRequest resets the connection instead of answering.
	FaultResetRequest FaultKind = "reset-request"
	// FaultKeepAliveRace ends a kept connection at the moment in which its next
	// request arrives: FIN, and RST for the request, which no target gets. So ends an
	// idle timeout that a client meets. The first request of a connection is spared.
	FaultKeepAliveRace FaultKind = "keepalive-race"
	// FaultTargetKeepAliveRace holds what targets do to idle connections, FIN most of
	// all, until the node has chosen such a connection for a request: 502 (2.4.1 D).
	// It needs a target group whose servers end idle connections.
	FaultTargetKeepAliveRace FaultKind = "target-keepalive-race"
	// FaultSlowAccept lets a connection lie for FaultSetting.Delay before the node
	// looks at it. The client's connect succeeds: that is the kernel's doing.
	FaultSlowAccept FaultKind = "slow-accept"
	// FaultSlowResponse sends each response FaultSetting.Delay late.
	FaultSlowResponse FaultKind = "slow-response"
	// FaultSlowBody sends the head of each response at once and its body in pieces, the last of
	// them FaultSetting.Delay later: a report or a stream that is slow and goes on all the time.
	FaultSlowBody FaultKind = "slow-body"
	// FaultTruncateBody sends the head and half of the body, then FIN.
	FaultTruncateBody FaultKind = "truncate-body"
	// FaultResetBody sends the head and half of the body, then RST.
	FaultResetBody FaultKind = "reset-body"
)

// faultSpec is what a fault kind does. Each hook is optional; ADDING_A_FAULT.md
// walks through adding one.
type faultSpec struct {
	// packets is done to every packet of the node. None if empty.
	packets netfault.Kind
	// hello takes the place of a TLS handshake. The connection ends with it.
	hello func(s *Server, c *clientConn)
	// certificate is shown in place of the right one.
	certificate func(right cert.Leaf) cert.Leaf
	// unnamed limits certificate to clients that send no SNI.
	unnamed bool
	// answer takes the place of the targets.
	answer func(v view) response
	// holdFINs keeps from the node what targets do to idle connections.
	holdFINs bool
	// slowAccept, slowResponse and slowBody wait for FaultSetting.Delay.
	slowAccept, slowResponse, slowBody bool
	// cut says where to cut the response to request number n of a connection.
	cut func(n int) *cut
}

// faultSpecs are all the faults there are.
var faultSpecs = map[FaultKind]faultSpec{
	FaultNone: {},

	FaultSilence:    {packets: netfault.Silence},
	FaultSilenceNew: {packets: netfault.SilenceNew},
	FaultRefuse:     {packets: netfault.Refuse},
	FaultRefuseNew:  {packets: netfault.RefuseNew},

	FaultTLSAlert:      {hello: alertHello},
	FaultTLSHang:       {hello: hangHello},
	FaultTLSReset:      {hello: resetHello},
	FaultTLSWrongName:  {certificate: wrongNameLeaf},
	FaultTLSExpired:    {certificate: wrongLeaf(cert.Expired)},
	FaultTLSSelfSigned: {certificate: wrongLeaf(cert.SelfSigned)},
	FaultTLSWrongChain: {certificate: wrongLeaf(cert.WrongChain)},

	FaultTLSRootExpired: {certificate: wrongLeaf(cert.ExpiredIssuer)},
	FaultTLSNoSNI:       {certificate: wrongNameLeaf, unnamed: true},

	FaultError:               {answer: errorAnswer},
	FaultLinger:              {answer: lingerAnswer},
	FaultStranger:            {answer: strangerAnswer, certificate: strangerLeaf},
	FaultCloseRequest:        {cut: always(cut{})},
	FaultResetRequest:        {cut: always(cut{reset: true})},
	FaultKeepAliveRace:       {cut: afterFirst(cut{race: true})},
	FaultTargetKeepAliveRace: {holdFINs: true},

	FaultSlowAccept:   {slowAccept: true},
	FaultSlowResponse: {slowResponse: true},
	FaultSlowBody:     {slowBody: true},
	FaultTruncateBody: {cut: always(cut{midBody: true})},
	FaultResetBody:    {cut: always(cut{midBody: true, reset: true})},
}

// waits says whether the fault has a FaultSetting.Delay.
func (s faultSpec) waits() bool { return s.slowAccept || s.slowResponse || s.slowBody }

// packetKind is what k does to packets.
func (k FaultKind) packetKind() netfault.Kind {
	if p := faultSpecs[k].packets; p != "" {
		return p
	}
	return netfault.None
}

// FaultKinds lists every fault in alphabetical order.
func FaultKinds() []FaultKind { return slices.Sorted(maps.Keys(faultSpecs)) }
