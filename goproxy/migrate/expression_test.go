package migrate

import (
	"maps"
	"net/http"
	"regexp"
	"slices"
	"testing"
)

// What an expression takes is taken by the draft in the same way, or the draft says that
// it is not the whole and sends nothing elsewhere in silence.
func TestExpressionsAreExactOrClosed(t *testing.T) {
	const ws = apacheOpen + webSocket
	for name, test := range map[string]struct {
		kind, text string
		whole      bool
		want       map[string]string // host/path: upstream and what it is asked for, "" for none
	}{
		// ProxyPass takes whole segments, and a rule without a slash takes more.
		"rule within a segment":   {"apache", "ProxyPass /ws http://b/ws\n" + ws + "RewriteRule ^/ws(.*) ws://b/ws$1 [P,L]\n", false, map[string]string{"h/ws/x": "b /ws/x", "h/wsx": "a /wsx"}},
		"rule that takes as much": {"apache", "ProxyPass /ws http://a/ws\n" + ws + "RewriteRule ^/ws(.*) ws://a/ws$1 [P,L]\n", true, map[string]string{"h/ws/x": "a /ws/x", "h/wsx": "a /wsx"}},
		"rule of whole segments":  {"apache", "ProxyPass /ws http://b/ws\n" + ws + "RewriteRule ^/ws/(.*) ws://b/ws/$1 [P,L]\n", true, map[string]string{"h/ws/x": "b /ws/x", "h/wsx": "a /wsx"}},
		"slash that may be":       {"apache", "ProxyPass /ws http://b/ws\n" + ws + "RewriteRule ^/ws/?(.*) ws://b/ws/$1 [P,L]\n", false, nil},
		"slash that is lost":      {"apache", "ProxyPass /ws/ http://b/ws/\n" + ws + "RewriteRule ^/ws/(.*) ws://b/ws$1 [P,L]\n", false, map[string]string{"h/ws/x": "", "h/": "a /"}},
		"slash that is more":      {"apache", "ProxyPass /ws http://b/ws\n" + ws + "RewriteRule ^/ws(.*) ws://b/ws/$1 [P,L]\n", false, map[string]string{"h/ws/x": "", "h/": "a /"}},
		"part of a longer word":   {"apache", "ProxyPass /ws http://b/w/s\n" + ws + "RewriteRule ^/w(.*) ws://b/w/$1 [P,L]\n", false, nil},
		"prefix that is dropped":  {"apache", ws + "RewriteRule ^/x/(.*) ws://a/$1 [P,L]\n", false, map[string]string{"h/x/y": "", "h/": "a /"}},
		"prefix that is cut":      {"apache", ws + "RewriteRule ^/ws(.*) ws://a/w$1 [P,L]\n", false, map[string]string{"h/ws/x": "", "h/": "a /"}},
		"path behind a path":      {"apache", ws + "RewriteRule ^/x(.*) ws://a/x%{REQUEST_URI} [P,L]\n", false, map[string]string{"h/x/y": "", "h/": "a /"}},
		"rest that is dropped":    {"apache", ws + "RewriteRule ^/x/([a-z]+) ws://a/x/$1 [P,L]\n", false, map[string]string{"h/x/y/z": "", "h/": "a /"}},
		"groups in their places":  {"apache", ws + "RewriteRule ^/(x|y)/(.*)$ ws://a/$1/$2 [P,L]\n", false, map[string]string{"h/x/y": "a /x/y"}},
		"groups that change them": {"apache", ws + "RewriteRule ^/(x|y)/(.*)$ ws://a/$2/$1 [P,L]\n", false, map[string]string{"h/x/y": "", "h/": "a /"}},
		"alternatives":            {"apache", ws + "RewriteRule ^/x/(.*)|^/y/(.*) ws://a/x/$1 [P,L]\n", false, map[string]string{"h/x/y": "", "h/y/y": "", "h/": "a /"}},
		"group that is no group":  {"apache", ws + "RewriteRule ^/(?:x|y)/(.*) ws://a/x/$1 [P,L]\n", false, map[string]string{"h/y/y": "", "h/": "a /"}},
		"any text before":         {"apache", ws + "RewriteRule .*/ws/(.*) ws://a/ws/$1 [P,L]\n", false, map[string]string{"h/x/ws/y": "", "h/": "a /"}},
		"no slash behind a name":  {"apache", ws + "RewriteRule ^/(.*) ws://a$1 [P,L]\n", false, map[string]string{"h/x": ""}},

		// Apache puts the whole path behind a url without groups.
		"match at the end":       {"apache", "ProxyPassMatch \\.php$ http://b/app\n" + apacheOpen, true, map[string]string{"h/x/y.php": "b /app/x/y.php", "h/x": "a /x"}},
		"match at the start":     {"apache", "ProxyPassMatch ^/x http://b/app\n" + apacheOpen, true, map[string]string{"h/x/y": "b /app/x/y", "h/xy?q": "b /app/xy?q", "h/a/x": "a /a/x"}},
		"match in the middle":    {"apache", "ProxyPassMatch x|y http://b/app\n" + apacheOpen, true, map[string]string{"h/a/x/b/y": "b /app/a/x/b/y", "h/b": "a /b"}},
		"match of all of it":     {"apache", "ProxyPassMatch ^/x/.*$ http://b/app/\n" + apacheOpen, true, map[string]string{"h/x/y": "b /app//x/y"}},
		"match and a slash":      {"apache", "ProxyPassMatch \\.php$ http://b/\n" + apacheOpen, true, map[string]string{"h/x/y.php": "b /x/y.php"}},
		"match in any case":      {"apache", "ProxyPassMatch (?i)\\.php$ http://b/app\n" + apacheOpen, true, map[string]string{"h/x.PHP": "b /app/x.PHP"}},
		"match with a group":     {"apache", "ProxyPassMatch ^/ws(.*) http://b/s$1\n" + apacheOpen, true, map[string]string{"h/ws/x": "b /s/x", "h/wsx": "b /sx", "h/x": "a /x"}},
		"match in LocationMatch": {"apache", apacheOpen + "<LocationMatch ^/x>\nProxyPass http://b/app\n</LocationMatch>\n", true, map[string]string{"h/x/y": "b /app/x/y"}},

		// Expressions see paths with their escapes.
		"space in a match":       {"apache", "ProxyPassMatch \"^/a b\" http://b\n" + apacheOpen, false, map[string]string{"h/a%20b": "", "h/": "a /"}},
		"letter beyond ASCII":    {"apache", "ProxyPassMatch ^/é http://b\n" + apacheOpen, false, map[string]string{"h/%C3%A9": "", "h/": "a /"}},
		"space before a match":   {"apache", "ProxyPass \"/a b\" http://b\nProxyPassMatch \\.php$ http://b\n" + apacheOpen, false, map[string]string{"h/a%20b/c": "", "h/": "a /"}},
		"space in a path":        {"apache", "ProxyPass \"/a b\" \"http://b/a%20b\"\n" + apacheOpen, true, map[string]string{"h/a%20b/c": "b /a%20b/c"}},
		"class in an expression": {"nginx", `server { location ~ ^/a\sb { proxy_pass http://b; } ` + nginxOpen + "}", false, map[string]string{"h/a%20b": "", "h/": "a /"}},
		"space in =":             {"nginx", `server { location = "/a b" { proxy_pass http://b; } ` + nginxOpen + "}", false, map[string]string{"h/a%20b": "", "h/": "a /"}},
		"space in ^~":            {"nginx", `server { location ^~ "/a b/" { proxy_pass http://b; } location ~ \.php$ { proxy_pass http://b; } ` + nginxOpen + "}", false, map[string]string{"h/a%20b/c": "", "h/": "a /"}},
		"named group":            {"nginx", `server { location ~ ^/(?<user>[^/]+)/x$ { proxy_pass http://b; } ` + nginxOpen + "}", true, map[string]string{"h/u/x": "b /u/x", "h/u/y": "a /u/y"}},
	} {
		t.Run(name, func(t *testing.T) {
			cfg, notes, err := parse(t, test.kind, test.text)
			if err != nil {
				if test.whole || slices.ContainsFunc(slices.Collect(maps.Values(test.want)), func(got string) bool { return got != "" }) {
					t.Fatalf("%v\n%v", err, notes)
				}
				return // no draft sends nothing
			}
			if missing := missesSomething(notes); missing == test.whole {
				t.Errorf("whole: %v, want %v: %v", !missing, test.whole, notes)
			}
			for target, header := range answers(t, cfg, slices.Collect(maps.Keys(test.want))) {
				if got := heard(header); got != test.want[target] {
					t.Errorf("%s: %q, want %q: %v", target, got, test.want[target], notes)
				}
			}
		})
	}
}

// heard is the upstream that was asked, and what for.
func heard(answer http.Header) string {
	if answer.Get("Reached") == "" {
		return ""
	}
	return answer.Get("Reached") + " " + answer.Get("Asked")
}

// What is said to match a whole path matches the same paths, and all of each.
func TestOfWholePaths(t *testing.T) {
	for _, expression := range []string{`^/x`, `\.php$`, `^/x$`, `x|y`, `^/x|y$`, `^/x\$`, `(?i)X`, ``, `^`, `$`} {
		was, is := regexp.MustCompile(expression), regexp.MustCompile(ofWholePaths(expression))
		for _, path := range []string{"/", "/x", "/x/y", "/ax", "/a.php", "/a.php/b", "/x$", "/x$/y", "/X"} {
			if was.MatchString(path) != is.MatchString(path) || is.MatchString(path) && is.FindString(path) != path {
				t.Errorf("%q and %q: %q of %s", expression, is, is.FindString(path), path)
			}
		}
	}
}
