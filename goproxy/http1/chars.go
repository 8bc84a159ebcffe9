package http1

// Character classes of RFC 9110 and 9112, one bit each.
const (
	tokenChar  = 1 << iota // field names, methods
	valueChar              // field values: visible, space, tab, obs-text
	targetChar             // request targets: visible ASCII without "#"
	hostChar               // names and IPv4 addresses, without the port
	hexChar
)

// classes is what each byte may be part of.
var classes = func() (t [256]uint8) {
	for c := range 256 {
		letter := c|0x20 >= 'a' && c|0x20 <= 'z'
		digit := c >= '0' && c <= '9'
		if letter || digit {
			t[c] |= tokenChar | hostChar
		}
		if digit || (letter && c|0x20 <= 'f') {
			t[c] |= hexChar
		}
		if c > ' ' && c < 0x7f && c != '#' {
			t[c] |= targetChar
		}
		if c == '\t' || (c >= ' ' && c != 0x7f) {
			t[c] |= valueChar
		}
	}
	for _, c := range "!#$%&'*+-.^_`|~" {
		t[c] |= tokenChar
	}
	for _, c := range "-._~" {
		t[c] |= hostChar
	}
	return t
}()

// lower is ASCII lower case.
var lower = func() (t [256]byte) {
	for c := range 256 {
		t[c] = byte(c)
		if c >= 'A' && c <= 'Z' {
			t[c] |= 0x20
		}
	}
	return t
}()

// all reports whether every byte of s is of the class.
func all(s string, class uint8) bool {
	for i := range len(s) {
		if classes[s[i]]&class == 0 {
			return false
		}
	}
	return true
}

// isToken reports whether s is a token (RFC 9110, 5.6.2).
func isToken(s string) bool { return s != "" && all(s, tokenChar) }

// EqualFold compares two names without regard to the case of ASCII letters.
func EqualFold(a, b string) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range len(a) {
		if lower[a[i]] != lower[b[i]] {
			return false
		}
	}
	return true
}

// trim removes spaces and tabs at both ends (OWS).
func trim(s string) string {
	for s != "" && (s[0] == ' ' || s[0] == '\t') {
		s = s[1:]
	}
	for s != "" && (s[len(s)-1] == ' ' || s[len(s)-1] == '\t') {
		s = s[:len(s)-1]
	}
	return s
}
