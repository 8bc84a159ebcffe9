package judge

import (
	"strings"

	"github.com/proxychaos/proxychaos/harness/recording"
)

// shape is what a request to a node looked like. A sub-request (nginx's auth_request
// and mirror make them) carries the number of the client's request and has another
// shape; a request that is sent again has the same.
type shape struct {
	method, path, host string // the path without its query
	upstream           int
}

// known says whether the shape could be read: a recording from before packets had it,
// or a head in several segments, does not show it.
func (s shape) known() bool { return s.method != "" }

func (c *brief) shape(h hit) shape {
	s := shape{upstream: c.ledger.Upstream(h.node)}
	if h.row.file == recording.AttemptsFile {
		a := c.Attempts[h.row.index]
		s.method, s.path, s.host = a.Method, a.Path, a.Host
	} else {
		p := c.Packets[h.row.index]
		s.method, s.path, s.host = p.Method, p.Path, p.Host
	}
	s.path, _, _ = strings.Cut(s.path, "?")
	s.host = strings.ToLower(s.host)
	return s
}

// shapes are sets of shapes, each of what one request of a client came to.
type shapes []map[shape]bool

// have says whether one of the sets has all of these.
func (s shapes) have(all map[shape]bool) bool {
	for _, set := range s {
		missing := false
		for one := range all {
			missing = missing || !set[one]
		}
		if !missing {
			return true
		}
	}
	return false
}
