package goproxy

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/proxychaos/proxychaos/goproxy/http1"
	"github.com/proxychaos/proxychaos/harness/meant"
)

// format is a text with variables, each written %{name} or %{name:argument};
// %% is a percent sign.
type format []piece

// piece is a text, or the variable that stands in its place.
type piece struct {
	text     string
	variable variable // nil for a text
}

// variable gives its value for a request; the text is its argument.
type variable func(r *request, argument string) string

// requestVariables are known before an upstream was asked.
var requestVariables = map[string]variable{
	"client_ip":      func(r *request, _ string) string { return r.clientIP },
	"host":           func(r *request, _ string) string { return hostname(r.publicHost()) },
	"scheme":         func(r *request, _ string) string { return r.scheme() },
	"path":           func(r *request, _ string) string { return r.path.raw },
	"client_subject": func(r *request, _ string) string { return r.subject },
	"header":         func(r *request, name string) string { return r.Header.Get(name) },
	"cookie":         func(r *request, name string) string { return r.cookie(name) },
}

// responseVariables are known when a response is there.
var responseVariables = func() map[string]variable {
	all := maps.Clone(requestVariables)
	all["upstream"] = func(r *request, _ string) string { return r.upstream }
	all["upstream_addr"] = func(r *request, _ string) string { return r.served.addr.String() }
	all["route"] = func(r *request, _ string) string { return r.served.member.route }
	return all
}()

// parseFormat reads a text with the variables that are known where it is used.
func parseFormat(text string, known map[string]variable) (format, error) {
	var t format
	for text != "" {
		plain, rest, found := strings.Cut(text, "%")
		switch {
		case !found:
			return append(t, piece{text: plain}), nil
		case strings.HasPrefix(rest, "%"):
			t = append(t, piece{text: plain + "%"})
			text = rest[1:]
			continue
		case !strings.HasPrefix(rest, "{") || !strings.Contains(rest, "}"):
			return nil, fmt.Errorf("%q: want a variable such as %%{client_ip} after %%, or %%%% for a percent sign", "%"+rest)
		}
		inner, after, _ := strings.Cut(rest[1:], "}")
		v, argument, err := parseVariable(inner, known)
		if err != nil {
			return nil, err
		}
		if plain != "" {
			t = append(t, piece{text: plain})
		}
		t = append(t, piece{argument, v})
		text = after
	}
	return t, nil
}

func parseVariable(inner string, known map[string]variable) (variable, string, error) {
	name, argument, hasArgument := strings.Cut(inner, ":")
	v, ok := known[name]
	if !ok {
		return nil, "", fmt.Errorf("unknown variable %%{%s}%s", name, meant.Hint(name, slices.Sorted(maps.Keys(known))))
	}
	wants := name == "header" || name == "cookie"
	switch {
	case wants && !http1.ValidField(argument, ""):
		return nil, "", fmt.Errorf("%%{%s}: want the name of the %s after a colon, such as %%{%s:NAME}", inner, name, name)
	case hasArgument && !wants:
		return nil, "", fmt.Errorf("%%{%s}: %s has no argument", inner, name)
	}
	return v, argument, nil
}

// expand puts the values in place.
func (t format) expand(r *request) string {
	if len(t) == 1 && t[0].variable == nil {
		return t[0].text
	}
	var out strings.Builder
	for _, p := range t {
		if p.variable == nil {
			out.WriteString(p.text)
		} else {
			out.WriteString(p.variable(r, p.text))
		}
	}
	return out.String()
}

// cookie returns the value of the first cookie of that name, or "".
func (r *request) cookie(name string) string {
	for line := range r.Header.Values("Cookie") {
		for pair := range strings.SplitSeq(line, ";") {
			if n, value, _ := strings.Cut(strings.TrimSpace(pair), "="); n == name {
				return strings.Trim(value, `"`)
			}
		}
	}
	return ""
}
