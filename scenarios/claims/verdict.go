package claims

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// The verdicts on a claim. One on several versions can also be "holds up to version N" or
// "holds from version N", or name what it is on each.
const (
	Holds       = "holds"
	Narrower    = "narrower than said"
	HoldsNot    = "does not hold"
	StartsNot   = "does not start"
	NotTried    = "not tried"
	upTo        = "holds up to version "
	fromVersion = "holds from version "
)

// Verdict is what became of a claim.
type Verdict struct {
	Claim
	Word string // one of those above
	// Says is why: a sentence for each result of the runs.
	Says []string
	// Versions are those that were measured, from the oldest on.
	Versions []Version
}

// Version is the result of a claim's experiments on one version of the proxy.
type Version struct {
	Version string
	Word    string
	Runs    map[string]Stored // by the names of the claim's runs
}

// names are those of the claim's runs, in order.
func (c Claim) names() []string { return slices.Sorted(maps.Keys(c.Runs)) }

func (c Claim) besideNames() []string { return slices.Sorted(maps.Keys(c.Beside)) }

// Decide makes the verdict on a claim out of stored results alone.
func (c Claim) Decide(r Results) (Verdict, error) {
	v := Verdict{Claim: c, Word: NotTried}
	if c.Needs != "" {
		v.Says = []string{c.Needs}
		return v, nil
	}
	var err error
	if v.Versions, err = c.versions(r); err != nil {
		return v, err
	}
	if len(v.Versions) == 0 {
		v.Says = []string{"not run since its experiment was written or changed: make claims NAME=" + c.ID}
		return v, nil
	}
	v.Word = word(v.Versions)
	v.Says = c.said(v.Versions)
	return v, nil
}

// versions are those on which every experiment of the claim was run.
func (c Claim) versions(r Results) ([]Version, error) {
	byVersion := map[string]map[string]Stored{}
	for name, e := range c.Runs {
		for version, s := range r.of(e) {
			if byVersion[version] == nil {
				byVersion[version] = map[string]Stored{}
			}
			byVersion[version][name] = s
		}
	}
	var all []Version
	for _, version := range slices.SortedFunc(maps.Keys(byVersion), compareVersions) {
		runs := byVersion[version]
		if len(runs) < len(c.Runs) {
			continue
		}
		word, err := c.on(runs)
		if err != nil {
			return nil, fmt.Errorf("claim %s on version %s: %w", c.ID, version, err)
		}
		all = append(all, Version{version, word, runs})
	}
	return all, nil
}

// on is the verdict on one version.
func (c Claim) on(runs map[string]Stored) (string, error) {
	measured, started := map[string]Figures{}, true
	for name, s := range runs {
		measured[name] = s.Took
		started = started && (s.Took.Result != Rejected || c.Runs[name].Refused)
	}
	holds, err := c.Holds.met(measured)
	if err != nil || holds {
		return Holds, err
	}
	narrower, err := c.Narrower.met(measured)
	switch {
	case err != nil || narrower:
		return Narrower, err
	case !started:
		return StartsNot, nil
	}
	return HoldsNot, nil
}

// word is the verdict on all versions together.
func word(all []Version) string {
	first, last := all[0], all[len(all)-1]
	turns := 0
	for i := range all[1:] {
		if (all[i].Word == Holds) != (all[i+1].Word == Holds) {
			turns++
		}
	}
	same := !slices.ContainsFunc(all, func(v Version) bool { return v.Word != first.Word })
	turn := slices.IndexFunc(all, func(v Version) bool { return (v.Word == Holds) != (first.Word == Holds) })
	switch {
	case same:
		return first.Word
	case turns == 1 && first.Word == Holds:
		return upTo + all[turn-1].Version
	case turns == 1 && last.Word == Holds:
		return fromVersion + all[turn].Version
	}
	words := make([]string, len(all))
	for i, v := range all {
		words[i] = v.Version + ": " + v.Word
	}
	return strings.Join(words, "; ")
}

// said are the sentences of the claim for the results of its versions, each once.
func (c Claim) said(all []Version) []string {
	texts := map[string]string{Holds: c.Holds.Says, Narrower: c.Narrower.Says, HoldsNot: c.Otherwise, StartsNot: c.Otherwise}
	differ := slices.ContainsFunc(all, func(v Version) bool { return v.Word != all[0].Word })
	var says []string
	for i, v := range all {
		earlier := slices.ContainsFunc(all[:i], func(other Version) bool { return other.Word == v.Word })
		text := texts[v.Word]
		if text == "" || earlier {
			continue
		}
		if differ {
			text = versionsOf(all, v.Word) + ": " + text
		}
		says = append(says, text)
	}
	return says
}

// versionsOf are those with a verdict, "2.4.62, 2.4.71".
func versionsOf(all []Version, word string) string {
	var names []string
	for _, v := range all {
		if v.Word == word {
			names = append(names, v.Version)
		}
	}
	return strings.Join(names, ", ")
}
