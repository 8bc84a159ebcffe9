package goproxy

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// unknownKey words the error for a key that is not in known.
func unknownKey[V any](key string, known map[string]V) string {
	names := slices.Sorted(maps.Keys(known))
	if near := nearest(key, names); near != "" {
		return fmt.Sprintf("unknown key %q: did you mean %q?", key, near)
	}
	return fmt.Sprintf("unknown key %q: want one of %s", key, strings.Join(names, ", "))
}

// nearest returns the name with the fewest edits from word, or "" when none is
// near enough to be meant.
func nearest(word string, names []string) string {
	best, bestDistance := "", max(2, len(word)/2)+1
	for _, name := range names {
		if d := editDistance(strings.ToLower(word), name); d < bestDistance {
			best, bestDistance = name, d
		}
	}
	return best
}

// editDistance is the Levenshtein distance.
func editDistance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		diagonal := row[0]
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := diagonal
			if a[i-1] != b[j-1] {
				cost++
			}
			diagonal = row[j]
			row[j] = min(cost, row[j]+1, row[j-1]+1)
		}
	}
	return row[len(b)]
}
