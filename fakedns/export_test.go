package fakedns

import (
	"maps"
	"slices"
)

// AllKinds lists the kinds that can be put.
func AllKinds() []Kind { return slices.Sorted(maps.Keys(kinds)) }
