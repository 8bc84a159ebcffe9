package rules

import (
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"strings"
)

// Condition is what a request has to be like. It holds if one of its values does.
type Condition struct {
	// Field is host-header, path-pattern, http-header, http-request-method,
	// query-string or source-ip. A rule has each of them at most once, except for
	// http-header and query-string.
	Field string `json:"field"`
	// Values are at most 3. Of host-header, path-pattern and http-header they are
	// patterns of at most 128 characters, in which * matches any characters and ?
	// for one; only those of path-pattern are case-sensitive. Of http-request-method they
	// are methods, of source-ip prefixes of the addresses from which clients connect.
	Values []string `json:"values,omitempty"`
	// HeaderName is the field name of http-header: at most 40 characters, whatever
	// their case.
	HeaderName string `json:"http_header_name,omitempty"`
	// Query are the parameters of query-string, at most 3.
	Query []Parameter `json:"query,omitempty"`
}

// Parameter is a pair of a query string. Both are patterns that ignore the
// case; an empty key means any.
type Parameter struct {
	Key   string `json:"key,omitempty"`
	Value string `json:"value"`
}

// The fields of conditions.
const (
	HostHeader    = "host-header"
	PathPattern   = "path-pattern"
	HTTPHeader    = "http-header"
	RequestMethod = "http-request-method"
	QueryString   = "query-string"
	SourceIP      = "source-ip"
)

const (
	maxPattern = 128
	maxName    = 40
)

// What values may be made of.
var (
	hostPattern   = regexp.MustCompile(`^[A-Za-z0-9.*?-]+$`)
	pathPattern   = regexp.MustCompile(`^[A-Za-z0-9_.$/~"'@:+&*?-]+$`)
	headerName    = regexp.MustCompile("^[!#$%&'*+.^_`|~0-9A-Za-z-]+$")
	headerPattern = regexp.MustCompile(`^[ -~]+$`)
	methodName    = regexp.MustCompile(`^[A-Z_-]+$`)
)

func checkConditions(field string, conditions []Condition) error {
	if len(conditions) == 0 {
		return wrong(field, "got no condition, want at least one: what holds for all requests is a default action")
	}
	values, wildcards := 0, 0
	for i, c := range conditions {
		at := fmt.Sprintf("%s[%d]", field, i)
		once := c.Field != HTTPHeader && c.Field != QueryString
		if once && slices.ContainsFunc(conditions[:i], func(o Condition) bool { return o.Field == c.Field }) {
			return wrong(at+".field", "got %s twice, want it once in a rule", c.Field)
		}
		if err := c.check(at); err != nil {
			return err
		}
		values += len(c.Values) + len(c.Query)
		wildcards += c.wildcards()
	}
	if values > maxValuesOfRule {
		return wrong(field, "got %d values, want at most %d in a rule", values, maxValuesOfRule)
	}
	if wildcards > maxWildcardsOfRule {
		return wrong(field, "got %d wildcards, want at most %d in a rule", wildcards, maxWildcardsOfRule)
	}
	return nil
}

// wildcards counts * and ? in patterns.
func (c Condition) wildcards() int {
	if c.Field == RequestMethod || c.Field == SourceIP {
		return 0
	}
	n := 0
	for _, v := range c.Values {
		n += strings.Count(v, "*") + strings.Count(v, "?")
	}
	for _, p := range c.Query {
		n += strings.Count(p.Key+p.Value, "*") + strings.Count(p.Key+p.Value, "?")
	}
	return n
}

func (c Condition) check(at string) error {
	checks := map[string]func(string) error{
		HostHeader: checkHost, PathPattern: checkPath, HTTPHeader: checkHeader,
		RequestMethod: checkMethod, SourceIP: checkSource, QueryString: nil,
	}
	check, known := checks[c.Field]
	values := len(c.Values)
	if c.Field == QueryString {
		values = len(c.Query)
	}
	switch {
	case !known:
		return wrong(at+".field", "got %q, want %s, %s, %s, %s, %s or %s", c.Field, HostHeader, PathPattern, HTTPHeader, RequestMethod, QueryString, SourceIP)
	case c.Field != HTTPHeader && c.HeaderName != "":
		return wrong(at+".http_header_name", "got %q with %s, want it with %s only", c.HeaderName, c.Field, HTTPHeader)
	case c.Field == HTTPHeader && (len(c.HeaderName) > maxName || !headerName.MatchString(c.HeaderName)):
		return wrong(at+".http_header_name", "got %q, want the name of a header field of at most %d characters", c.HeaderName, maxName)
	case c.Field == QueryString && c.Values != nil:
		return wrong(at+".values", "got %q, want what is asked of %s in query", c.Values, QueryString)
	case c.Field != QueryString && c.Query != nil:
		return wrong(at+".query", "got it with %s, want it with %s only", c.Field, QueryString)
	case values == 0 || values > maxValues:
		return wrong(at+".values", "got %d values, want 1 to %d", values, maxValues)
	}
	for i, v := range c.Values {
		if err := check(v); err != nil {
			return wrong(fmt.Sprintf("%s.values[%d]", at, i), "%w", err)
		}
	}
	for i, p := range c.Query {
		for _, v := range []string{p.Key, p.Value} {
			if len(v) > maxPattern || v != "" && !headerPattern.MatchString(v) {
				return wrong(fmt.Sprintf("%s.query[%d]", at, i), "got %q, want at most %d visible characters", v, maxPattern)
			}
		}
		if p.Value == "" {
			return wrong(fmt.Sprintf("%s.query[%d].value", at, i), "got none, want a value or a pattern")
		}
	}
	return nil
}

func checkHost(v string) error {
	if len(v) > maxPattern || !hostPattern.MatchString(v) || !strings.Contains(v, ".") {
		return fmt.Errorf(`got %q, want a host name with a dot, of at most %d letters, digits and "-.*?"`, v, maxPattern)
	}
	return nil
}

func checkPath(v string) error {
	if len(v) > maxPattern || !pathPattern.MatchString(v) {
		return fmt.Errorf("got %q, want at most %d letters, digits and %s", v, maxPattern, "_-.$/~\"'@:+&*?")
	}
	return nil
}

func checkHeader(v string) error {
	if len(v) > maxPattern || !headerPattern.MatchString(v) {
		return fmt.Errorf("got %q, want 1 to %d visible characters", v, maxPattern)
	}
	return nil
}

func checkMethod(v string) error {
	if len(v) > maxName || !methodName.MatchString(v) {
		return fmt.Errorf("got %q, want a method of at most %d capital letters, - and _", v, maxName)
	}
	return nil
}

func checkSource(v string) error {
	if p, err := netip.ParsePrefix(v); err != nil || p.String() == "255.255.255.255/32" {
		return fmt.Errorf("got %q, want a prefix such as 192.0.2.0/24, other than 255.255.255.255/32", v)
	}
	return nil
}
