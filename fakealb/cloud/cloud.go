// Package cloud says what the load balancers of each cloud do by themselves: how they
// answer when no target does, which timers they have, how they check and drain targets,
// and what becomes of their addresses. It is data; package fakealb obeys it.
//
// The numbers behind a fact are those of docs/cloud-facts.tsv, with its mark and its
// source, and for AWS those of docs/aws-facts.tsv. What is not documented (mark G) can be
// set with the load balancer.
//
// To add a cloud, write its file and register it in All.
package cloud

import (
	"net/http"
	"net/netip"

	"github.com/proxychaos/proxychaos/fakealb/targets"
)

// Name is what a cloud is called: in CLOUD= and in the control API.
type Name string

// Cloud is what the load balancers of a cloud do by themselves.
type Cloud struct {
	Name Name
	// Title is what its load balancer of HTTP is called.
	Title string
	// Server is the Server field of its own responses; empty if they have none.
	Server string
	// Own is what it answers by itself.
	Own func(Reason) Answer
	// Adds are the fields that it adds to the responses of targets.
	Adds []Field
	// Tell adds the fields by which targets learn of a request. Nil for AWS, whose
	// attributes decide.
	Tell func(http.Header, Request)
	// PlainNames says that request fields whose names have other characters than letters,
	// digits and hyphens are not passed on. An ALB's attribute decides.
	PlainNames bool
	Timers     Timers
	// Targets are the defaults and ranges of its target groups.
	Targets targets.Norms
	// Network is its load balancer of connections; nil if it is not built.
	Network *Network
	// Addresses is how many addresses one load balancer has; 0 if that varies.
	Addresses int
	// Moves says, if the addresses do not change by themselves, what it means that a
	// name gets others.
	Moves string
}

// Timers are the timers towards clients, in seconds and before scaling.
type Timers struct {
	// Idle is how long a connection may lie idle between two requests.
	Idle targets.Range
	// HTTP2Idle is the same over HTTP/2, and cannot be set; 0 if it is Idle.
	HTTP2Idle int
	// Lifetime is how long a connection may be there at all; the zero value is for ever.
	Lifetime targets.Range
	// Response is how long a target may be waited for; the zero value is as long as Idle.
	Response targets.Range
	// WholeResponse says that Response is from the first byte of the request to the last
	// of the response, and not how long the target may be silent.
	WholeResponse bool
	// TargetIdle is how long a connection to a target may lie idle, and cannot be set; 0
	// if it is Idle.
	TargetIdle int
}

// Network is a load balancer of connections.
type Network struct {
	Title string
	// Idle is how long a flow may be silent, in seconds and before scaling.
	Idle targets.Range
	// MayReset says that it can be told to reset a flow that was silent for so long.
	MayReset bool
	Targets  targets.Norms
}

// Cause is why a load balancer answers by itself.
type Cause string

// The causes.
const (
	// Refused is a request that it does not pass on, or an answer that was asked for by
	// its status.
	Refused Cause = "refused"
	// NoTarget is that there is no target that may have the request.
	NoTarget Cause = "no-target"
	// Unreachable is that the target took no connection.
	Unreachable Cause = "unreachable"
	// NoAnswer is that the target ended the connection, or did not speak HTTP.
	NoAnswer Cause = "no-answer"
	// Late is that the target did not answer in time.
	Late Cause = "late"
)

// Causes are those whose status can be set.
var Causes = []Cause{NoTarget, Unreachable, NoAnswer, Late}

// Reason is why a load balancer answers by itself, and with what.
type Reason struct {
	Cause Cause
	// ALB is the status with which an ALB answers then.
	ALB int
	// Status is the one that was set in place of the cloud's; 0 if none was.
	Status int
	// Old asks for the body that an ALB had until 2020.
	Old bool
}

// Field is a field of a header.
type Field struct{ Name, Value string }

// Answer is a response of a load balancer's own.
type Answer struct {
	Status      int
	Reason      string  // in the status line
	Lead, Trail []Field // before Date, and after Connection
	ContentType string  // none if empty
	Body        []byte
	Close       bool // the connection ends after it
}

// Request is what targets are told of.
type Request struct {
	Client netip.AddrPort
	Node   netip.Addr // the load balancer's address
	Port   uint16     // of the load balancer
	Scheme string     // http or https
	Host   string
	URI    string
}

// All are the clouds.
var All = []Cloud{aws, gcp, gcpClassic, gcpInternal, azure}

// AWS is the cloud that a load balancer is of unless it says another.
const AWS Name = "aws"

// Names are those of all clouds.
func Names() []Name {
	names := make([]Name, len(All))
	for i, c := range All {
		names[i] = c.Name
	}
	return names
}

// Named finds a cloud; an empty name is AWS.
func Named(name Name) (*Cloud, bool) {
	for i := range All {
		if All[i].Name == name || name == "" && All[i].Name == AWS {
			return &All[i], true
		}
	}
	return nil, false
}

// Known says whether there is a cloud of that name; an empty one is AWS's.
func Known(name Name) bool {
	_, ok := Named(name)
	return ok
}

// Of is the cloud of a name that was checked.
func Of(name Name) *Cloud {
	c, _ := Named(name)
	return c
}

// statusOr is the status that was set, or else the one of the cause.
func (r Reason) statusOr(of map[Cause]int) int {
	if r.Status != 0 {
		return r.Status
	}
	if status, ok := of[r.Cause]; ok {
		return status
	}
	return r.ALB
}

// WithoutTargets is what the cloud answers if there is no target.
func (c *Cloud) WithoutTargets() Answer {
	return c.Own(Reason{Cause: NoTarget, ALB: http.StatusServiceUnavailable})
}
