package fakealb

import (
	"slices"
	"strings"
	"time"

	"github.com/proxychaos/proxychaos/fakealb/cloud"
	"github.com/proxychaos/proxychaos/fakealb/targets"
)

// Attributes are load balancer attributes, under AWS's names, with AWS's
// defaults and ranges. 0, "" and false mean the default.
type Attributes struct {
	// IdleTimeoutSeconds is 60 by default, 1 to 4000, before scaling (2.1.1 D). With another
	// cloud it is how long a connection may lie idle between two requests, and package
	// cloud has its default and range.
	IdleTimeoutSeconds int `json:"idle_timeout.timeout_seconds,omitempty"`
	// ResponseTimeoutSeconds is how long a target is waited for, with a cloud that has a
	// time of its own for that; package cloud has its default and range. An ALB waits for
	// its idle timeout.
	ResponseTimeoutSeconds int `json:"response_timeout.timeout_seconds,omitempty"`
	// ClientKeepAliveSeconds is how long a client connection is kept from its
	// beginning: 3600 by default, 60 to 604800, before scaling (2.1.2 D).
	ClientKeepAliveSeconds int `json:"client_keep_alive.seconds,omitempty"`
	// XFFMode is what becomes of X-Forwarded-For: append (default), preserve or
	// remove (2.5.2 D).
	XFFMode string `json:"routing.http.xff_header_processing.mode,omitempty"`
	// XFFClientPort appends the client's port too, in mode append (2.5.2 D).
	XFFClientPort bool `json:"routing.http.xff_client_port.enabled,omitempty"`
	// PreserveHost sends the client's Host to targets as it is (2.5.5 D).
	PreserveHost bool `json:"routing.http.preserve_host_header.enabled,omitempty"`
	// DropInvalidHeaders drops fields whose name is not [-A-Za-z0-9]+ (2.5.4 D).
	DropInvalidHeaders bool `json:"routing.http.drop_invalid_header_fields.enabled,omitempty"`
	// HTTP2 offers HTTP/2 on HTTPS listeners; true by default (2.2.1 D).
	HTTP2 *bool `json:"routing.http2.enabled,omitempty"`
	// ZonalShift allows LoadBalancer.ZonalShift: false by default (1.16 D).
	ZonalShift bool `json:"zonal_shift.config.enabled,omitempty"`
	// DesyncMode is what becomes of requests that could be read in two ways:
	// monitor, defensive (default) or strictest (2.6 D).
	DesyncMode string `json:"routing.http.desync_mitigation_mode,omitempty"`
	// TLSHeaders tells targets the client's TLS version and cipher suite (2.5.8 D).
	TLSHeaders bool `json:"routing.http.x_amzn_tls_version_and_cipher_suite.enabled,omitempty"`
	ResponseHeaders
}

// The modes of XFFMode.
const (
	xffAppend   = "append"
	xffPreserve = "preserve"
	xffRemove   = "remove"
)

func (a Attributes) check(c *cloud.Cloud) (Attributes, error) {
	for _, p := range []struct {
		name  string
		value *int
		norm  targets.Range
	}{
		{"idle_timeout.timeout_seconds", &a.IdleTimeoutSeconds, c.Timers.Idle},
		{"client_keep_alive.seconds", &a.ClientKeepAliveSeconds, c.Timers.Lifetime},
		{"response_timeout.timeout_seconds", &a.ResponseTimeoutSeconds, c.Timers.Response},
	} {
		if p.norm == (targets.Range{}) && *p.value != 0 {
			return a, badField("attributes."+p.name, "got %d, want none: %s has no such timer", *p.value, c.Title)
		}
		if err := p.norm.Fill(p.value); err != nil {
			return a, badField("attributes."+p.name, "%v", err)
		}
	}
	for _, p := range []struct {
		name  string
		value *string
		def   string
		known []string
	}{
		{"xff_header_processing.mode", &a.XFFMode, xffAppend, []string{xffAppend, xffPreserve, xffRemove}},
		{"desync_mitigation_mode", &a.DesyncMode, desyncDefensive, []string{desyncMonitor, desyncDefensive, desyncStrictest}},
	} {
		if *p.value == "" {
			*p.value = p.def
		}
		if !slices.Contains(p.known, *p.value) {
			return a, badField("attributes.routing.http."+p.name, "got %q, want one of %s", *p.value, strings.Join(p.known, ", "))
		}
	}
	return a, a.ResponseHeaders.check()
}

func (a Attributes) idleTimeout() time.Duration {
	return time.Duration(a.IdleTimeoutSeconds) * time.Second
}

func (a Attributes) clientKeepAlive() time.Duration {
	return time.Duration(a.ClientKeepAliveSeconds) * time.Second
}
