package wayin

import (
	"context"
	"slices"

	"github.com/proxychaos/proxychaos/harness/load"
	"github.com/proxychaos/proxychaos/harness/recording"
	"github.com/proxychaos/proxychaos/harness/world"
)

// maxOthers is how many ways are tried after one is found, to know what else there is.
const maxOthers = 100

// found adds to a way the other paths that lead to the same load balancer, and finds which
// of the configuration's paths and hosts lead to another.
func (s *Search) found(ctx context.Context, way *recording.Way, err error) (recording.Way, error) {
	if err != nil {
		return recording.Way{}, err
	}
	if !s.Several {
		return *way, nil
	}
	lb := s.tried[s.place(*way)].came.LB
	paths, hosts := s.otherPaths(*way), s.otherHosts(*way)
	all := append(slices.Clone(paths), hosts...)
	if len(all) == 0 {
		return *way, nil
	}
	trials, err := s.Try(ctx, load.Trials{Ways: all, All: true, Timeout: recording.Of(tryTimeout), Within: recording.Of(tryTimeout)})
	if err != nil {
		return recording.Way{}, err
	}
	for i, came := range trials[:len(paths)] {
		switch {
		case came.Reached && came.LB == world.Beside:
			if s.place(paths[i]) < 0 { // else it is told already
				s.beside = append(s.beside, paths[i].Paths...)
			}
		case came.Reached && came.LB != lb:
			s.others = append(s.others, paths[i].Paths...)
		case came.Reached && len(way.Paths) < maxPaths:
			way.Paths = append(way.Paths, paths[i].Paths...)
		}
	}
	for i, came := range trials[len(paths):] {
		if host := hosts[i].Host; leads(came) && came.LB != lb && !slices.Contains(s.hosts, host) {
			s.hosts = append(s.hosts, host)
		}
	}
	return *way, nil
}

// otherPaths are a way's with each other path of the configuration, if the user names none.
func (s *Search) otherPaths(way recording.Way) []recording.Way {
	var ways []recording.Way
	for _, path := range s.Hints.Paths {
		if one := way; len(s.Paths) == 0 && !slices.Contains(way.Paths, path) {
			one.Paths = []string{path}
			ways = append(ways, one)
		}
	}
	return ways
}

// otherHosts are a way's with each other host of the configuration, if the user names none:
// with one path after the other, all hosts with the first path before any with the second.
func (s *Search) otherHosts(way recording.Way) []recording.Way {
	var ways []recording.Way
	for _, paths := range s.askedPaths() {
		for _, host := range s.askedHosts() {
			if one := way; host != DefaultHost && host != way.Host && len(ways) < maxOthers {
				one.Host, one.Paths = host, paths
				ways = append(ways, one)
			}
		}
	}
	return ways
}
