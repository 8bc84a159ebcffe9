package kind

import (
	"regexp"
	"slices"
	"strings"
)

// notes are words of configurations because of which no request of the load gets through, and
// what to say of them.
var notes = []struct {
	words *regexp.Regexp
	say   string // $1 is what the first group found
}{
	{
		regexp.MustCompile(`(?im)\blisten\b[^;\n]*\bproxy_protocol\b|^\s*bind\b[^\n]*\saccept-proxy\b|^\s*RemoteIPProxyProtocol\s+On\b|^\s*proxy_protocol\s*\{|[;,]proxyproto\b`),
		"the config wants the PROXY protocol on some port, which a Network Load Balancer speaks; the load does not, as an Application Load Balancer does not",
	},
	{
		regexp.MustCompile(`(?m)^\s*bind\b[^\n]*\sproto\s+h2\b`),
		"the config wants only HTTP/2 on some port (proto h2); the load speaks HTTP/1.1, as an Application Load Balancer does unless its target group says HTTP/2",
	},
	{
		regexp.MustCompile(`(?im)^\s*<IfDefine\s+(\w+)\s*>`),
		`the lines in <IfDefine $1> are not used: put "Define $1" before it, which is what -D $1 does on the machine`,
	},
}

// Notes say what of the configuration may be why no request gets through.
func (c Config) Notes() []string {
	var found []string
	text := c.text()
	for _, n := range notes {
		for _, m := range n.words.FindAllStringSubmatchIndex(text, -1) {
			say := string(n.words.ExpandString(nil, n.say, text, m))
			defined := strings.Contains(n.say, "$1") && regexp.MustCompile(`(?im)^\s*Define\s+`+text[m[2]:m[3]]+`\b`).MatchString(text)
			if !defined && !slices.Contains(found, say) {
				found = append(found, say)
			}
		}
	}
	return found
}

// unsetVariables find the variables of the environment in languages in which one that is not
// set leaves nothing behind. Those with a default are not found.
var unsetVariables = map[Name]*regexp.Regexp{
	Caddy:   regexp.MustCompile(`\{\$(\w+)\}`),
	HAProxy: regexp.MustCompile(`\$\{(\w+)\}|"\$(\w+)"`),
}

var haproxySets = regexp.MustCompile(`(?m)^\s*(?:setenv|presetenv)\s+(\S+)`)

// Unset are the variables of the environment that the configuration of a kind of proxy needs
// and was not given.
func (c Config) Unset(name Name) []string {
	finds := unsetVariables[name]
	if finds == nil {
		return nil
	}
	text := c.text()
	known := words(haproxySets, text)
	var found []string
	for _, m := range finds.FindAllStringSubmatch(text, -1) {
		variable := strings.Join(m[1:], "")
		_, given := c.variables()[variable]
		if !given && variable != "HOSTNAME" && !strings.HasPrefix(variable, "HAPROXY_") && !slices.Contains(known, variable) && !slices.Contains(found, variable) {
			found = append(found, variable)
		}
	}
	return found
}

// UnsetAdvice is what to do about variables that are not set; empty if there are none.
func UnsetAdvice(variables []string) string {
	if len(variables) == 0 {
		return ""
	}
	are := "are"
	if len(variables) == 1 {
		are = "is"
	}
	return strings.Join(variables, ", ") + " " + are + " not set: give ENV=./file with a line NAME=value for each, or ENV='" + strings.Join(variables, "=... ") + "=...'"
}
