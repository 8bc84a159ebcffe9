package migrate

import (
	"regexp"
	"strings"
)

// seesEscapes reports whether an expression, or a path that becomes one, may be about
// characters that clients write with a percent sign. Apache and nginx match the path
// decoded. goproxy's expressions see it as it was written: those of an open route would
// not match, and some other route would.
func seesEscapes(expression string) bool {
	expression = namedGroup.ReplaceAllString(expression, "(")
	return strings.ContainsFunc(expression, func(c rune) bool { return c <= ' ' || c >= 0x7f || strings.ContainsRune("\"%<>`", c) }) ||
		escapedClass.MatchString(expression)
}

// namedGroup is how a group with a name begins.
var namedGroup = regexp.MustCompile(`\(\?P?<\w+>`)

// escapedClass are the forms of spaces, and of characters by their number.
var escapedClass = regexp.MustCompile(`\\[stnrfvx0]|\[:(?:space|blank|cntrl):\]`)

const escapesStay = "goproxy's expressions see a path with its escapes, such as %%20 for a space: %s would not match"

// ofWholePaths is an expression that matches where another does, but all of the path, so
// that $0 is the path.
func ofWholePaths(expression string) string {
	if strings.HasPrefix(expression, "^") && strings.HasSuffix(expression, "$") && !strings.HasSuffix(expression, `\$`) && !strings.Contains(expression, "|") {
		return expression
	}
	return "^.*(?:" + expression + ").*$"
}
