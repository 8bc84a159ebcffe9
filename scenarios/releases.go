package scenarios

import (
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/proxychaos/proxychaos/harness"
	"github.com/proxychaos/proxychaos/harness/kind"
)

// OnReleases are subjects of one kind, each once for every release of it, or for those of a
// list with commas. A subject is run there in every scenario in which any of its releases is.
func OnReleases(subjects []harness.Subject, list string) ([]harness.Subject, error) {
	k, err := kind.Of(subjects[0].Kind)
	if err != nil {
		return nil, err
	}
	if len(k.Releases) == 0 {
		return nil, fmt.Errorf("PROXY=%s: it has no releases to go through; give another kind of proxy", k.Name)
	}
	if image := os.Getenv(k.Image.Variable); image != "" {
		return nil, fmt.Errorf("%s=%s: it stands in for every release; leave it out", k.Image.Variable, image)
	}
	releases := k.ReleaseNames()
	if list != "" {
		releases = nil
		for name := range strings.SplitSeq(list, ",") {
			name = strings.TrimSpace(name)
			if _, err := k.Release(name); err != nil {
				return nil, fmt.Errorf("RELEASE=%s: %w", list, err)
			}
			if !slices.Contains(releases, name) {
				releases = append(releases, name)
			}
		}
	}
	var all []harness.Subject
	for _, s := range byName(subjects) {
		for _, release := range releases {
			s.Release, s.Expect = release, nil // the catalogue's is that of some release
			all = append(all, s)
		}
	}
	return all, nil
}

// BesideImage refuses a release that its user said, such as "oldstable", beside an image of his.
// That one stands in for every release of its kind: the run, and both sides of a comparison,
// would be of the image. Without a release nothing is wrong.
func (r Request) BesideImage(release string) error {
	for _, s := range r.Subjects {
		k, err := kind.Of(s.Kind)
		if err != nil {
			return err
		}
		if image := os.Getenv(k.Image.Variable); release != "" && image != "" {
			return fmt.Errorf("RELEASE=%s: %s=%s stands in for every release of %s; leave one of the two out", release, k.Image.Variable, image, k.Name)
		}
	}
	return nil
}

// byName are the subjects, of each name one with the scenarios of all.
func byName(subjects []harness.Subject) []harness.Subject {
	var all []harness.Subject
	for _, s := range subjects {
		i := slices.IndexFunc(all, func(have harness.Subject) bool { return have.Name == s.Name })
		if i < 0 {
			i, s.Scenarios = len(all), slices.Clone(s.Scenarios)
			all = append(all, s)
		}
		for _, name := range s.Scenarios {
			if !slices.Contains(all[i].Scenarios, name) {
				all[i].Scenarios = append(all[i].Scenarios, name)
			}
		}
	}
	return all
}
