package config

import (
	"regexp/syntax"
	"strings"
	"unicode"
)

// maxSample bounds the sample of a pattern.
const maxSample = 200

// sample is a short text that a regular expression matches; empty if Go does not know
// its language, such as for PCRE's look-ahead.
func sample(pattern string) string {
	tree, err := syntax.Parse(pattern, syntax.Perl)
	if err != nil {
		return ""
	}
	var b strings.Builder
	write(&b, tree)
	return b.String()
}

func write(b *strings.Builder, re *syntax.Regexp) {
	times := 1
	switch re.Op {
	case syntax.OpLiteral:
		for _, r := range re.Rune {
			if re.Flags&syntax.FoldCase != 0 {
				r = unicode.ToLower(r)
			}
			b.WriteRune(r)
		}
	case syntax.OpCharClass:
		b.WriteRune(member(re.Rune))
	case syntax.OpAnyChar, syntax.OpAnyCharNotNL:
		b.WriteByte('x')
	case syntax.OpAlternate:
		write(b, re.Sub[0])
		return
	case syntax.OpStar, syntax.OpQuest:
		return
	case syntax.OpRepeat:
		times = re.Min
	default: // what matches no text, and what has others in it
	}
	for range times {
		for _, sub := range re.Sub {
			if b.Len() < maxSample {
				write(b, sub)
			}
		}
	}
}

// member is one of a class, a plain one if there is any. The class is pairs of first and
// last.
func member(class []rune) rune {
	for _, plain := range "1ax" {
		for i := 0; i+1 < len(class); i += 2 {
			if class[i] <= plain && plain <= class[i+1] {
				return plain
			}
		}
	}
	if len(class) == 0 {
		return 'x'
	}
	return class[0]
}
