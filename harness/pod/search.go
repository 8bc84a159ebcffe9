package pod

import (
	"fmt"
	"regexp"
	"strings"
	"sync"

	"github.com/miekg/dns"
)

// maxSearched bounds the names that a searchList remembers.
const maxSearched = 10_000

// searchList knows which names exist where resolvers have a search list: for a name that
// is not whole they ask for NAME.DOMAIN, for one domain after the other until one is
// there, and do the same for a whole name that has fewer dots than ndots. To answer all of
// these would give every name of a configuration another one.
//
// It never sees the configuration, so it goes by what a name looks like and by what was
// asked before. docs/design.md has the rule.
type searchList struct {
	domains []string
	dots    int
	// zone is that of a Kubernetes cluster, such as cluster.local; empty if the list is
	// none of a cluster's.
	zone string

	mu sync.Mutex
	// first are the names that were asked for below the first domain.
	first map[string]bool
}

// readSearchList reads the search list of a resolv.conf; nil if it has none.
func readSearchList(resolvConf string) (*searchList, error) {
	conf, err := dns.ClientConfigFromReader(strings.NewReader(resolvConf))
	if err != nil {
		return nil, fmt.Errorf("pod: read the resolv.conf: %w", err)
	}
	s := &searchList{dots: conf.Ndots, first: map[string]bool{}}
	for _, d := range conf.Search {
		if d = strings.ToLower(strings.Trim(d, ".")); d != "" {
			s.domains = append(s.domains, d)
		}
	}
	for _, d := range s.domains {
		if zone, is := strings.CutPrefix(d, "svc."); is {
			s.zone = zone
		}
	}
	if len(s.domains) == 0 {
		return nil, nil
	}
	return s, nil
}

// missing says whether a name does not exist.
func (s *searchList) missing(name string) bool {
	if !strings.Contains(name, ".") {
		return s.dots > 0 // with 0 names are asked for as they are, as in a Docker network
	}
	made := s.made(name)
	within, is := strings.CutSuffix(name, "."+s.zone)
	if s.zone == "" || !is {
		return made
	}
	switch kindOfService(within) {
	case aService:
		return false
	case aHost:
		return made || strings.HasSuffix(name, "."+s.domains[0])
	default:
		return true
	}
}

// made says whether a name is one that a resolver has made of another: it had asked for
// that one below the first domain before. It remembers what is asked for there.
func (s *searchList) made(name string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if asked, is := strings.CutSuffix(name, "."+s.domains[0]); is && len(s.first) < maxSearched {
		s.first[asked] = true
	}
	for _, d := range s.domains[1:] {
		if asked, is := strings.CutSuffix(name, "."+d); is && s.first[asked] {
			return true
		}
	}
	return false
}

// What a name in the zone of a cluster can be (the specification "Kubernetes DNS-Based
// Service Discovery", 1.1).
type clusterName int

const (
	noClusterName clusterName = iota
	aService
	// aHost is one of a headless service that has a name of its own.
	aHost
)

// numberedHost is a host of a headless service as most are called: the pods of a
// StatefulSet end in their ordinal, and those without a name are called by their address.
var numberedHost = regexp.MustCompile(`-\d+$`)

// kindOfService tells the names in the zone of a cluster apart, without the zone. The
// service and the protocol of SRV records may stand in front (_http._tcp).
func kindOfService(name string) clusterName {
	labels := strings.Split(name, ".")
	for len(labels) > 1 && strings.HasPrefix(labels[0], "_") {
		labels = labels[1:]
	}
	const service, host = 3, 4 // labels: NAME.NAMESPACE.svc, HOST.NAME.NAMESPACE.svc
	switch last := labels[len(labels)-1]; {
	case len(labels) == service && (last == "svc" || last == "pod"):
		return aService
	case len(labels) == host && last == "svc" && numberedHost.MatchString(labels[0]):
		return aService
	case len(labels) == host && last == "svc":
		return aHost
	}
	return noClusterName
}
