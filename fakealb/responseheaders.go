package fakealb

import "strings"

// ResponseHeaders are the attributes with which an ALB changes the header of
// responses (2.5.9 D). An ALB has them for each listener; here a load balancer
// has them for all of its listeners. An empty value leaves the field as it is; any
// other is put in the place of what the target sent, also in the load balancer's
// own responses. At most 1 KiB of the characters that AWS names.
type ResponseHeaders struct {
	// ServerEnabled is whether the load balancer's own responses have a Server
	// field: true by default.
	ServerEnabled                 *bool  `json:"routing.http.response.server.enabled,omitempty"`
	StrictTransportSecurity       string `json:"routing.http.response.strict_transport_security.header_value,omitempty"`
	AccessControlAllowOrigin      string `json:"routing.http.response.access_control_allow_origin.header_value,omitempty"`
	AccessControlAllowMethods     string `json:"routing.http.response.access_control_allow_methods.header_value,omitempty"`
	AccessControlAllowHeaders     string `json:"routing.http.response.access_control_allow_headers.header_value,omitempty"`
	AccessControlAllowCredentials string `json:"routing.http.response.access_control_allow_credentials.header_value,omitempty"`
	AccessControlExposeHeaders    string `json:"routing.http.response.access_control_expose_headers.header_value,omitempty"`
	AccessControlMaxAge           string `json:"routing.http.response.access_control_max_age.header_value,omitempty"`
	ContentSecurityPolicy         string `json:"routing.http.response.content_security_policy.header_value,omitempty"`
	XContentTypeOptions           string `json:"routing.http.response.x_content_type_options.header_value,omitempty"`
	XFrameOptions                 string `json:"routing.http.response.x_frame_options.header_value,omitempty"`
}

// fields are the header fields with the values configured, which may be empty.
func (h *ResponseHeaders) fields() [10]field {
	return [...]field{
		{"Strict-Transport-Security", h.StrictTransportSecurity},
		{"Access-Control-Allow-Origin", h.AccessControlAllowOrigin},
		{"Access-Control-Allow-Methods", h.AccessControlAllowMethods},
		{"Access-Control-Allow-Headers", h.AccessControlAllowHeaders},
		{"Access-Control-Allow-Credentials", h.AccessControlAllowCredentials},
		{"Access-Control-Expose-Headers", h.AccessControlExposeHeaders},
		{"Access-Control-Max-Age", h.AccessControlMaxAge},
		{"Content-Security-Policy", h.ContentSecurityPolicy},
		{"X-Content-Type-Options", h.XContentTypeOptions},
		{"X-Frame-Options", h.XFrameOptions},
	}
}

// Limits of a configured value (2.5.9 D).
const (
	maxInsertedValue = 1 << 10
	insertedChars    = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789" + `_ :;.,\/'?!(){}[]@<>=-+*#&` + "`|~^%"
)

func (h *ResponseHeaders) check() error {
	for _, f := range h.fields() {
		name := "attributes.routing.http.response." + strings.ToLower(strings.ReplaceAll(f.name, "-", "_")) + ".header_value"
		if len(f.value) > maxInsertedValue {
			return badField(name, "got %d bytes, want at most %d", len(f.value), maxInsertedValue)
		}
		if strings.ContainsFunc(f.value, func(r rune) bool { return !strings.ContainsRune(insertedChars, r) }) {
			return badField(name, "got %q, want letters, digits and %s", f.value, insertedChars[62:])
		}
	}
	return nil
}

// modify changes a response as configured.
func (h *ResponseHeaders) modify(r *response) {
	if h.ServerEnabled != nil && !*h.ServerEnabled && len(r.lead) > 0 && r.lead[0].name == "Server" {
		r.lead = r.lead[1:]
	}
	for _, f := range h.fields() {
		if f.value != "" {
			r.trail = append(without(r.trail, f.name), f)
		}
	}
}

// without returns fields without those of a name, in a slice of its own.
func without(fields []field, name string) []field {
	kept := make([]field, 0, len(fields)+1)
	for _, f := range fields {
		if !strings.EqualFold(f.name, name) {
			kept = append(kept, f)
		}
	}
	return kept
}
