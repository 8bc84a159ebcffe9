package judge_test

import (
	"net/http"
	"net/netip"
	"strings"
	"testing"

	"github.com/proxychaos/proxychaos/harness/judge"
	"github.com/proxychaos/proxychaos/harness/recording"
	model "github.com/proxychaos/proxychaos/harness/world"
)

// login is a node of a second name.
var login = netip.MustParseAddr("198.18.1.61")

// sub adds a request that the proxy makes besides a client's, with its number.
func (w *world) sub(seq uint64, method, path, host string, node netip.Addr) {
	w.attempt(w.Requests[seq-1].Due, w.connection(node), seq, 200)
	last := &w.Attempts[len(w.Attempts)-1]
	last.Method, last.Path, last.Host = method, path, host
}

// connection is one that is open to a node since before the load.
func (w *world) connection(node netip.Addr) recording.Conn {
	for _, conn := range w.Connections {
		if conn.Node == node && conn.Opened < 0 {
			return conn
		}
	}
	return w.open(-1, node)
}

// withLogin is a follower whose requests are all POSTs, and that has two names.
func withLogin() *world {
	w := follower()
	w.Manifest.World.Nodes = append(w.Manifest.World.Nodes, model.Node{Addr: login, Upstream: 2, Balancer: "backend", Number: 1})
	for i := range w.Attempts {
		w.Attempts[i].Host = "api.example.com"
	}
	for i := range w.Requests {
		w.post(uint64(i + 1))
	}
	return w
}

// What a config makes of every request besides is not sent again: not a question to a
// login service, be it at the same nodes, nor a copy to another name.
func TestSubRequestsAreNoReplays(t *testing.T) {
	for name, sub := range map[string]func(w *world, r recording.Request){
		"auth_request at another name": func(w *world, r recording.Request) {
			w.sub(r.Seq, http.MethodGet, "/verify", "login.example.com", login)
		},
		"auth_request at the same node": func(w *world, r recording.Request) {
			w.sub(r.Seq, http.MethodGet, "/verify", "api.example.com", r.Node)
		},
		"mirror to another name": func(w *world, r recording.Request) { w.sub(r.Seq, http.MethodPost, "/", "next.example.com", login) },
		"mirror with the client's Host": func(w *world, r recording.Request) {
			w.sub(r.Seq, http.MethodPost, "/", "api.example.com", login)
		},
		"a health check": func(w *world, r recording.Request) {
			w.sub(r.Seq, http.MethodGet, "/health", "", r.Node)
			w.Attempts[len(w.Attempts)-1].Seq = 0
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := withLogin()
			for _, r := range w.Requests {
				sub(w, r)
			}
			v := w.judge()
			wantResult(t, v, judge.Pass, "0 of 1,000 requests failed")
			if _, ok := finding(v, judge.PostTwice); ok || v.PostsTwice != 0 {
				t.Errorf("got %d POSTs sent twice, want none", v.PostsTwice)
			}
			// One that is sent again is found all the same.
			w.attempt(19.9, w.connection(fresh1), 1000, 200)
			again := &w.Attempts[len(w.Attempts)-1]
			again.Method, again.Host = http.MethodPost, "api.example.com"
			wantResult(t, w.judge(), judge.Fail, "1 POST reached nodes more than once; 0 of 1,000 requests failed")
		})
	}
}

// A second try at another name, as error_page and an upstream block of two names make
// it, carries a POST out twice. That single POSTs went to either before is no licence.
func TestAReplayAtAnotherName(t *testing.T) {
	w := withLogin()
	for i := range w.Attempts {
		if i%2 == 0 {
			w.Attempts[i].Node = login
		}
	}
	if v := w.judge(); v.PostsTwice != 0 {
		t.Errorf("got %d POSTs sent twice, want none: each went to one of the names", v.PostsTwice)
	}
	w.sub(900, http.MethodPost, "/", "api.example.com", login)
	if v := w.judge(); v.PostsTwice != 1 {
		t.Errorf("got %d POSTs sent twice, want 1: it was sent to both names", v.PostsTwice)
	}
}

// A login service that died with the question has not got the POST.
func TestASubRequestThatASilentNodeGot(t *testing.T) {
	w := withLogin()
	w.Manifest.Plan.Steps[1].Faults[0].Name = "the login service goes silent"
	w.Steps[1].Effects = []model.Effect{{Node: login, Serves: no, How: "silence"}}
	for _, r := range w.Requests {
		if r.Sent < 8 {
			w.sub(r.Seq, http.MethodGet, "/verify", "login.example.com", login)
		}
	}
	conn := w.connection(login)
	lost := recording.Packet{
		At: 9, Kind: recording.Segment, Node: login, Port: 80, Peer: conn.Peer,
		Seq: 451, Method: http.MethodGet, Path: "/verify", Host: "login.example.com",
	}
	w.Packets = append(w.Packets, lost)
	if v := w.judge(); v.PostsTwice != 0 {
		t.Errorf("got %d POSTs sent twice, want none: the silent node got a GET", v.PostsTwice)
	}
	// On a connection that the question had gone over, the POST itself is another request.
	w.attempt(9, conn, 452, 200)
	w.Attempts[len(w.Attempts)-1].Path = "/verify"
	lost.Seq, lost.Method, lost.Path = 452, http.MethodPost, "/"
	w.Packets = append(w.Packets, lost)
	if v := w.judge(); v.PostsTwice != 1 {
		t.Errorf("got %d POSTs sent twice, want 1: the silent node was sent a POST that another carried out", v.PostsTwice)
	}
}

// Connections are counted for each request of a client: what it costs is the point.
func TestConnectionsOfSubRequests(t *testing.T) {
	w := perRequest()
	for _, r := range w.Requests {
		w.attempt(r.Due, w.open(r.Due, r.Node), r.Seq, 200)
		w.Attempts[len(w.Attempts)-1].Path = "/verify"
	}
	v := w.judge()
	near(t, "connections per request", seconds(v.ConnectionsPerRequest), 2)
	if f, _ := finding(v, judge.ConnectionPerRequest); !strings.HasPrefix(f.Text, "every request opens a connection: 502 connections for 251 requests") {
		t.Errorf("got %q", f.Text)
	}
}

// A load balancer without targets has passed the POST to nobody.
func TestA503WithoutTargetsIsNoReplay(t *testing.T) {
	w := follower()
	conn := w.Connections[0]
	for range 2 {
		w.attempt(18, conn, 900, http.StatusServiceUnavailable)
		w.Attempts[len(w.Attempts)-1].NoTarget = true
	}
	w.post(900)
	if v := w.judge(); v.PostsTwice != 0 {
		t.Errorf("got %d POSTs sent twice, want none: two of the three had no target", v.PostsTwice)
	}
	// A 503 of a target is another matter.
	w.Attempts[len(w.Attempts)-1].NoTarget = false
	if v := w.judge(); v.PostsTwice != 1 {
		t.Errorf("got %d POSTs sent twice, want 1", v.PostsTwice)
	}
}

// A proxy that sends a request to a second node hides a failure. A mirrored request and
// one that the client sent again by itself are none of its retries.
func TestRetries(t *testing.T) {
	w := follower()
	if v := w.judge(); v.Retries != 0 {
		t.Errorf("got %d retries, want none", v.Retries)
	}
	fresh := w.Connections[1]
	for _, seq := range []uint64{500, 501, 502} {
		w.attempt(w.Requests[seq-1].Due, fresh, seq, 200)
	}
	w.Requests[501].Resent = true // number 502
	w.Attempts[len(w.Attempts)-2].Path = "/mirror"
	if v := w.judge(); v.Retries != 1 {
		t.Errorf("got %d retries, want 1: that of number 500", v.Retries)
	}
}
