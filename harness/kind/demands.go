package kind

import (
	"path"
	"regexp"
	"strings"
)

// demands find what a configuration of one main file wants of the machine: files, folders and
// users, in the first group that found something. Nil finds nothing.
type demands struct {
	pair      *regexp.Regexp // a certificate, its key, or a file with both
	authority *regexp.Regexp // of the authorities that the proxy trusts behind it
	dh        *regexp.Regexp // parameters of Diffie-Hellman
	written   *regexp.Regexp // a file that is written to
	folder    *regexp.Regexp
	user      *regexp.Regexp // a user or a group
}

// with adds to a layout what is found. A file that is not absolute is below folder.
func (p demands) with(folder string, layout func(Config) (Layout, error)) func(Config) (Layout, error) {
	return func(c Config) (Layout, error) {
		l, err := layout(c)
		if err != nil {
			return l, err
		}
		text := c.text()
		each := func(finds *regexp.Regexp, take func(string)) {
			for _, word := range firsts(finds, text) {
				take(word)
			}
		}
		below := func(name string) string {
			if path.IsAbs(name) {
				return name
			}
			return path.Join(folder, name)
		}
		each(p.pair, func(name string) { l.pair(below(name)) })
		each(p.authority, func(name string) { l.authority(below(name)) })
		each(p.dh, func(name string) { l.spare(below(name), dhParameters) })
		each(p.written, func(name string) { l.folder(path.Dir(name)) })
		each(p.folder, l.folder)
		each(p.user, l.user)
		return l, nil
	}
}

// firsts are what the first group of each match found that found something.
func firsts(finds *regexp.Regexp, text string) []string {
	if finds == nil {
		return nil
	}
	var found []string
	for _, m := range finds.FindAllStringSubmatch(text, -1) {
		if word := strings.Join(m[1:], ""); word != "" {
			found = append(found, word)
		}
	}
	return found
}
