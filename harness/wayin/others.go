package wayin

import (
	"context"
	"slices"
	"time"

	"github.com/proxychaos/proxychaos/harness/load"
	"github.com/proxychaos/proxychaos/harness/recording"
)

// maxOthers is how many ways are tried after one is found, to know what else there is.
const maxOthers = 100

// site is one load balancer, with the paths that lead to it.
type site struct {
	lb    string
	paths []string
}

// found adds to a way the other paths that lead to the same load balancer, and finds which
// of the configuration's paths and hosts lead to another.
func (s *Search) found(ctx context.Context, way *recording.Way, err error) (recording.Way, error) {
	if err != nil {
		return recording.Way{}, err
	}
	if !s.Several {
		return *way, nil
	}
	sites, err := s.sites(ctx, *way)
	if err != nil {
		return recording.Way{}, err
	}
	return s.choose(ctx, *way, sites)
}

// sites are the load balancers that the configuration's paths lead to, that of the way first.
func (s *Search) sites(ctx context.Context, way recording.Way) ([]site, error) {
	found := []site{{s.tried[s.place(way)].came.LB, slices.Clone(way.Paths)}}
	paths, hosts := s.otherPaths(way), s.otherHosts(way)
	all := append(slices.Clone(paths), hosts...)
	if len(all) == 0 {
		return found, nil
	}
	trials, err := s.Try(ctx, load.Trials{Ways: all, All: true, Timeout: recording.Of(tryTimeout), Within: recording.Of(tryTimeout)})
	if err != nil {
		return nil, err
	}
	for i, came := range trials[:len(paths)] {
		switch {
		case leads(came):
			found = joined(found, came.LB, paths[i].Paths)
		case came.Reached && s.place(paths[i]) < 0: // else it is told already
			s.beside = append(s.beside, paths[i].Paths...)
		}
	}
	for i, came := range trials[len(paths):] {
		if host := hosts[i].Host; leads(came) && came.LB != found[0].lb && !slices.Contains(s.hosts, host) {
			s.hosts = append(s.hosts, host)
		}
	}
	return found, nil
}

// joined are sites with more paths to one of them, or with one more.
func joined(sites []site, lb string, paths []string) []site {
	i := slices.IndexFunc(sites, func(one site) bool { return one.lb == lb })
	if i < 0 {
		return append(sites, site{lb, slices.Clone(paths)})
	}
	sites[i].paths = append(sites[i].paths, paths...)
	return sites
}

// choose takes the first site at which the proxy takes the load at some path, with these
// paths; if there is none, the first of all. Paths that the user names are asked for in any case.
func (s *Search) choose(ctx context.Context, way recording.Way, sites []site) (recording.Way, error) {
	chosen, paths, until := 0, sites[0].paths, time.Now().Add(limitsLimit)
	if len(s.Paths) > 0 {
		_, err := s.free(ctx, way, paths, until)
		return way, err
	}
	for i := range sites {
		free, err := s.free(ctx, way, sites[i].paths, until)
		if err != nil {
			return recording.Way{}, err
		}
		if len(free) > 0 {
			chosen, paths = i, free
			break
		}
	}
	way.Paths = paths[:min(len(paths), maxPaths)]
	for i, other := range sites {
		if i != chosen {
			s.others = append(s.others, slices.DeleteFunc(slices.Clone(other.paths), s.isLimited)...)
		}
	}
	return way, nil
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
