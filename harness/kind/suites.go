package kind

import (
	"fmt"
	"slices"
	"strings"

	"github.com/proxychaos/proxychaos/harness/meant"
)

// ReleaseHint ends an error about a word that is no release, as meant.Hint does; there are
// the names. People also write the name that Debian gives a release, such as bookworm, and
// are told how that is called here. told says whether it is known what was meant.
func ReleaseHint(word string, names []string) (hint string, told bool) {
	if slices.ContainsFunc(all, func(k *Kind) bool { return slices.Contains(k.ReleaseNames(), word) }) {
		return "; there are " + strings.Join(names, ", "), false // it is no slip: another kind has it
	}
	if near := meant.Near(word, append(ofSuites(), names...)); slices.ContainsFunc(near, func(n string) bool { return slices.Contains(names, n) }) {
		return meant.Hint(word, names), true
	} else if len(near) > 0 {
		return fmt.Sprintf("%s There are only %s", meant.Ask(near), strings.Join(names, ", ")), true
	}
	if near := meant.Near(word, suites()); len(near) > 0 {
		suite, name := near[0], ofSuite(near[0])
		if slices.Contains(names, name) {
			return fmt.Sprintf(": did you mean %q, which is Debian's %s?", name, suite), true
		}
		return fmt.Sprintf("; %s is Debian's %s, and there are only %s", suite, name, strings.Join(names, ", ")), true
	}
	return meant.Hint(word, names), false
}

// releaseHint ends an error about a word that is no release of the kind. People also write a
// version, or an image of one, and are told which release has that line of versions, if it is
// known.
func (k *Kind) releaseHint(word string) (hint string, told bool) {
	_, tag, isImage := strings.Cut(word, ":")
	if !isImage {
		tag = word
	}
	tag = strings.TrimPrefix(tag, "v")
	for _, r := range k.Releases {
		_, line, _ := strings.Cut(r.Official, ":")
		line = strings.TrimSuffix(strings.TrimPrefix(line, "v"), "-latest")
		if line != "" && (tag == line || strings.HasPrefix(tag, line+".")) {
			return fmt.Sprintf("; %q has a version of %s, and there are %s", r.Name, line, strings.Join(k.ReleaseNames(), ", ")), false
		}
	}
	return ReleaseHint(word, k.ReleaseNames())
}

// UnknownRelease is why a word is no release of the kind, for a user's own configuration. If it
// may be a version, it says how the image of one is named.
func (k *Kind) UnknownRelease(word string) error {
	_, err := k.Release(word)
	if _, told := k.releaseHint(word); err != nil && !told {
		return fmt.Errorf("%w; an image for PROXY=%s is named in the environment, as %s=", err, k.Name, k.Image.Variable)
	}
	return err
}

// suites are the names that Debian gives the releases which a kind has.
func suites() []string {
	var found []string
	for _, k := range all {
		for _, r := range k.Releases {
			if r.Suite != "" && !slices.Contains(found, r.Suite) {
				found = append(found, r.Suite)
			}
		}
	}
	return found
}

// ofSuites are what all of these are called here.
func ofSuites() []string {
	var found []string
	for _, suite := range suites() {
		found = append(found, ofSuite(suite))
	}
	return found
}

// ofSuite is what Debian's release of that name is called here.
func ofSuite(suite string) string {
	for _, k := range all {
		for _, r := range k.Releases {
			if r.Suite == suite {
				return r.Name
			}
		}
	}
	return ""
}
