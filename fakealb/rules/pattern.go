package rules

// matches reports whether all of s fits the pattern: * matches any characters,
// ? for one. It takes at most len(pattern) * len(s) steps.
func matches(pattern, s string) bool {
	star, mark := -1, 0 // the last *, and where in s what follows it was tried
	p, i := 0, 0
	for i < len(s) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, mark = p, i
			p++
		case p < len(pattern) && (pattern[p] == '?' || pattern[p] == s[i]):
			p++
			i++
		case star >= 0:
			mark++
			p, i = star+1, mark
		default:
			return false
		}
	}
	for p < len(pattern) && pattern[p] == '*' {
		p++
	}
	return p == len(pattern)
}
