package rules

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Action is what is done with a request.
type Action struct {
	Type string `json:"type"` // forward, fixed-response or redirect
	// TargetGroups are those of forward, 1 to 5.
	TargetGroups []WeightedGroup `json:"target_groups,omitempty"`
	// Stickiness of forward keeps a client at the target group it first got.
	Stickiness    GroupStickiness `json:"stickiness,omitzero"`
	FixedResponse *FixedResponse  `json:"fixed_response,omitempty"`
	Redirect      *Redirect       `json:"redirect,omitempty"`
}

// The types of actions.
const (
	Forward = "forward"
	Fixed   = "fixed-response"
	ToURL   = "redirect"
)

// WeightedGroup is a target group with its share of the requests.
type WeightedGroup struct {
	Name string `json:"name"`
	// Weight is 0 to 999, in proportion to the others. There is no failover from a
	// group without healthy targets to another one (3.4.8 D).
	Weight int `json:"weight"`
}

// GroupStickiness is by the cookies AWSALBTG and AWSALBTGCORS.
type GroupStickiness struct {
	Enabled         bool `json:"enabled,omitempty"`
	DurationSeconds int  `json:"duration_seconds,omitempty"` // 1 to 604800, before scaling; needed if enabled
}

// FixedResponse is an answer of the load balancer.
type FixedResponse struct {
	StatusCode int `json:"status_code"` // 200 to 299 or 400 to 599
	// ContentType is text/plain (default), text/css, text/html,
	// application/javascript or application/json.
	ContentType string `json:"content_type,omitempty"`
	MessageBody string `json:"message_body,omitempty"` // at most 1024 bytes
}

// Redirect sends the client to another URL. Its parts may hold #{protocol},
// #{host}, #{port}, #{path} (without its leading /) and #{query} of the request;
// each that is empty is left as it was. One of protocol, host, port and path has to
// be another.
type Redirect struct {
	Protocol   string `json:"protocol,omitempty"` // HTTP or HTTPS
	Host       string `json:"host,omitempty"`     // at most 128 characters
	Port       string `json:"port,omitempty"`     // 1 to 65535
	Path       string `json:"path,omitempty"`     // from its /, at most 128 characters
	Query      string `json:"query,omitempty"`    // without ?, at most 128 characters
	StatusCode string `json:"status_code"`        // HTTP_301 or HTTP_302
}

const (
	maxGroups   = 5
	maxWeight   = 999
	maxDuration = 604800
	maxMessage  = 1024
	maxPart     = 128
)

var contentTypes = []string{"text/plain", "text/css", "text/html", "application/javascript", "application/json"}

func checkActions(field string, actions []Action) ([]Action, error) {
	if len(actions) > 1 {
		return nil, wrong(field, "got %d actions, want one: forward, fixed-response or redirect", len(actions))
	}
	actions = slices.Clone(actions)
	for i, a := range actions {
		at := fmt.Sprintf("%s[%d].", field, i)
		var err error
		switch {
		case !slices.Contains([]string{Forward, Fixed, ToURL}, a.Type):
			err = wrong(at+"type", "got %q, want %s, %s or %s", a.Type, Forward, Fixed, ToURL)
		case a.Type != Forward && (a.TargetGroups != nil || a.Stickiness != GroupStickiness{}):
			err = wrong(at+"target_groups", "got settings of %s with %s", Forward, a.Type)
		case (a.Type == Fixed) != (a.FixedResponse != nil):
			err = wrong(at+"fixed_response", "want it with the type %s, and only then", Fixed)
		case (a.Type == ToURL) != (a.Redirect != nil):
			err = wrong(at+"redirect", "want it with the type %s, and only then", ToURL)
		case a.Type == Fixed:
			actions[i].FixedResponse, err = a.FixedResponse.check(at + "fixed_response.")
		case a.Type == ToURL:
			actions[i].Redirect, err = a.Redirect.check(at + "redirect.")
		default:
			err = a.checkForward(at)
		}
		if err != nil {
			return nil, err
		}
	}
	return actions, nil
}

func (a Action) checkForward(at string) error {
	if len(a.TargetGroups) == 0 || len(a.TargetGroups) > maxGroups {
		return wrong(at+"target_groups", "got %d target groups, want 1 to %d", len(a.TargetGroups), maxGroups)
	}
	for i, g := range a.TargetGroups {
		if g.Weight < 0 || g.Weight > maxWeight {
			return wrong(fmt.Sprintf("%starget_groups[%d].weight", at, i), "got %d, want 0 to %d", g.Weight, maxWeight)
		}
		if slices.ContainsFunc(a.TargetGroups[:i], func(o WeightedGroup) bool { return o.Name == g.Name }) {
			return wrong(fmt.Sprintf("%starget_groups[%d].name", at, i), "got %q twice, want each group once", g.Name)
		}
	}
	if d := a.Stickiness.DurationSeconds; a.Stickiness.Enabled && (d < 1 || d > maxDuration) {
		return wrong(at+"stickiness.duration_seconds", "got %d, want 1 to %d", d, maxDuration)
	}
	return nil
}

func (f FixedResponse) check(at string) (*FixedResponse, error) {
	if f.ContentType == "" {
		f.ContentType = contentTypes[0]
	}
	switch {
	case f.StatusCode < 200 || f.StatusCode > 599 || f.StatusCode/100 == 3:
		return nil, wrong(at+"status_code", "got %d, want 200 to 299 or 400 to 599", f.StatusCode)
	case !slices.Contains(contentTypes, f.ContentType):
		return nil, wrong(at+"content_type", "got %q, want one of %s", f.ContentType, strings.Join(contentTypes, ", "))
	case len(f.MessageBody) > maxMessage:
		return nil, wrong(at+"message_body", "got %d bytes, want at most %d", len(f.MessageBody), maxMessage)
	}
	return &f, nil
}

// What parts of a redirect are if they stay.
var unchanged = Redirect{Protocol: "#{protocol}", Host: "#{host}", Port: "#{port}", Path: "/#{path}", Query: "#{query}"}

var keyword = regexp.MustCompile(`#\{[^}]*\}`)

func (r Redirect) check(at string) (*Redirect, error) {
	for _, p := range []struct {
		name      string
		value     *string
		unchanged string
		keywords  []string
	}{
		{"protocol", &r.Protocol, unchanged.Protocol, []string{"#{protocol}"}},
		{"host", &r.Host, unchanged.Host, []string{"#{host}"}},
		{"port", &r.Port, unchanged.Port, []string{"#{port}"}},
		{"path", &r.Path, unchanged.Path, []string{"#{host}", "#{port}", "#{path}"}},
		{"query", &r.Query, unchanged.Query, []string{"#{protocol}", "#{host}", "#{port}", "#{path}", "#{query}"}},
	} {
		if *p.value == "" {
			*p.value = p.unchanged
		}
		if len(*p.value) > maxPart || !headerPattern.MatchString(*p.value) {
			return nil, wrong(at+p.name, "got %q, want at most %d visible characters", *p.value, maxPart)
		}
		for _, k := range keyword.FindAllString(*p.value, -1) {
			if !slices.Contains(p.keywords, k) {
				return nil, wrong(at+p.name, "got %s, want no keywords but %s", k, strings.Join(p.keywords, " "))
			}
		}
	}
	port, err := strconv.Atoi(r.Port)
	switch {
	case !slices.Contains([]string{unchanged.Protocol, "HTTP", "HTTPS"}, r.Protocol):
		return nil, wrong(at+"protocol", "got %q, want HTTP, HTTPS or %s", r.Protocol, unchanged.Protocol)
	case r.Port != unchanged.Port && (err != nil || port < 1 || port > 65535):
		return nil, wrong(at+"port", "got %q, want 1 to 65535 or %s", r.Port, unchanged.Port)
	case r.Path[0] != '/':
		return nil, wrong(at+"path", "got %q, want it to begin with /", r.Path)
	case r.StatusCode != "HTTP_301" && r.StatusCode != "HTTP_302":
		return nil, wrong(at+"status_code", "got %q, want HTTP_301 or HTTP_302", r.StatusCode)
	case r.Protocol == unchanged.Protocol && r.Host == unchanged.Host && r.Port == unchanged.Port && r.Path == unchanged.Path:
		return nil, wrong(at+"protocol", "want another protocol, host, port or path: this would be a loop")
	}
	return &r, nil
}
