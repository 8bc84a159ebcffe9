package desync

import (
	"unicode"
	"unicode/utf8"
)

// essential is one of the two fields that say how long a body is.
type essential uint8

const (
	notEssential essential = iota
	isTransferEncoding
	isContentLength
)

// resembles tells which essential field a name is, or would be to a server that
// drops what is no letter or digit and folds case as Unicode does, in which ſ is
// a kind of S and ı a kind of I.
func resembles(name []byte) essential {
	switch {
	case reads(name, "transferencoding"):
		return isTransferEncoding
	case reads(name, "contentlength"):
		return isContentLength
	}
	return notEssential
}

// reads reports whether the letters and digits of name are those of word.
func reads(name []byte, word string) bool {
	at := 0
	for i := 0; i < len(name); {
		r, size := rune(name[i]), 1
		if r >= utf8.RuneSelf {
			r, size = utf8.DecodeRune(name[i:])
			r = foldASCII(r)
		}
		i += size
		switch {
		case 'A' <= r && r <= 'Z':
			r += 'a' - 'A'
		case 'a' <= r && r <= 'z', '0' <= r && r <= '9':
		default:
			continue
		}
		if at == len(word) || byte(r) != word[at] {
			return false
		}
		at++
	}
	return at == len(word)
}

// foldASCII is the ASCII letter that a letter beyond ASCII becomes when its case
// changes, or in its full-width form stands for; else -1.
func foldASCII(r rune) rune {
	for _, c := range [...]rune{unicode.ToUpper(r), unicode.ToLower(r)} {
		if c < utf8.RuneSelf {
			return c
		}
	}
	const fullWidth = 'Ａ' - 'A'
	if 'Ａ' <= r && r <= 'ｚ' {
		return r - fullWidth
	}
	return -1
}

// equalFold compares with a word in lower-case ASCII.
func equalFold(b []byte, word string) bool {
	if len(b) != len(word) {
		return false
	}
	for i, c := range b {
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		if c != word[i] {
			return false
		}
	}
	return true
}
