// Package meant says what somebody probably meant who mistyped a word: the name of a
// scenario, a flag, a key of a config.
package meant

import (
	"fmt"
	"slices"
	"strings"

	"github.com/agnivade/levenshtein"
)

// Hint ends an error about a word that is none of names. It asks for those that were
// probably meant, or else lists all.
func Hint[Word ~string](word Word, names []Word) string {
	if len(names) == 0 {
		return "; there are none"
	}
	if near := Near(word, names); len(near) > 0 {
		return Ask(near)
	}
	return "; there are " + list(names)
}

// Ask is the question of [Hint]. There is at least one name.
func Ask[Word ~string](near []Word) string {
	if len(near) == 1 {
		return fmt.Sprintf(": did you mean %q?", near[0])
	}
	return ": did you mean one of " + list(near) + "?"
}

func list[Word ~string](words []Word) string {
	texts := make([]string, len(words))
	for i, word := range words {
		texts[i] = string(word)
	}
	return strings.Join(texts, ", ")
}

// Near are the names that were probably meant, in the order of names: the word itself, else
// those that begin with it, else those with the fewest edits from it, else those that have
// it in them. Case does not count. It is empty if no name is near.
func Near[Word ~string](mistyped Word, names []Word) []Word {
	word := strings.ToLower(string(mistyped))
	those := func(fit func(name string) bool) []Word {
		var found []Word
		for _, name := range names {
			if fit(strings.ToLower(string(name))) && !slices.Contains(found, name) {
				found = append(found, name)
			}
		}
		return found
	}
	if same := those(func(name string) bool { return name == word }); same != nil {
		return same
	}
	if begun := those(func(name string) bool { return len(word) > 1 && strings.HasPrefix(name, word) }); begun != nil {
		return begun
	}
	for edits := 1; edits <= most(word); edits++ {
		// A name that shares no letter with the word is as many edits away as it is long.
		if near := those(func(name string) bool {
			return edits < max(len(word), len(name)) && levenshtein.ComputeDistance(word, name) == edits
		}); near != nil {
			return near
		}
	}
	return those(func(name string) bool { return len(word) > 3 && strings.Contains(name, word) })
}

// most is how many edits a word may be away from the one that was meant: two, which is two
// letters in the wrong order, and a third of a long word.
func most(word string) int { return max(2, len(word)/3) }
