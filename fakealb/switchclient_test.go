package fakealb_test

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/proxychaos/proxychaos/fakealb"
	"github.com/proxychaos/proxychaos/fakealb/record"
)

// switchClient sends one request after the other to a node.
type switchClient struct {
	name    string
	node    int
	url     string
	http    *http.Client
	history *switchHistory
	ended   chan struct{} // one for each request
	// shakesHands says that it does so for each request.
	shakesHands bool
	whole       []answer
}

// answer is a response that was complete.
type answer struct {
	seq, kind   string
	certificate fakealb.FaultKind
}

// noHTTP2 keeps a transport from HTTP/2.
var noHTTP2 = map[string]func(string, *tls.Conn) http.RoundTripper{}

// patience is how long a client waits. It matters under silence only.
const patience = 100 * time.Millisecond

// newSwitchClient returns a client of a node. Its name begins with the scheme.
func newSwitchClient(name string, node int, at string, transport *http.Transport, h *switchHistory) *switchClient {
	scheme, _, _ := strings.Cut(name, "-")
	transport.TLSClientConfig = &tls.Config{InsecureSkipVerify: true, ServerName: "www.example.test"}
	return &switchClient{
		name: fmt.Sprintf("%s-%d", name, node), node: node, url: scheme + "://" + at + "/",
		http: &http.Client{Transport: transport}, history: h, ended: make(chan struct{}),
		shakesHands: scheme == "https" && transport.DisableKeepAlives,
	}
}

func (c *switchClient) run(t *testing.T, stop chan struct{}) {
	defer c.http.CloseIdleConnections()
	for n := 0; ; n++ {
		if a, ok := c.request(t, fmt.Sprintf("%s-%d", c.name, n)); ok {
			c.whole = append(c.whole, a)
		}
		select {
		case c.ended <- struct{}{}:
		case <-stop:
			return
		}
	}
}

// request sends a request and holds the response, if it comes to its end, against
// the states that were in force meanwhile.
func (c *switchClient) request(t *testing.T, seq string) (a answer, ok bool) {
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	first := c.history.since()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.url, nil)
	if err != nil {
		t.Error(err)
		return a, false
	}
	req.Header.Set(fakealb.HeaderSeq, seq)
	resp, err := c.http.Do(req)
	if err != nil {
		return a, false
	}
	body, err := io.ReadAll(resp.Body)
	resp.Body.Close()
	if err != nil {
		return a, false
	}
	states := c.history.between(first, c.history.until())
	a = answer{seq: seq, kind: kindOf(resp, string(body), seq, c.url)}
	if a.kind == "" || !anyOf(states, func(s switchState) bool { return slices.Contains(s.answers(c.node), a.kind) }) {
		t.Errorf("%s: %q is of none of %+v: %s %v %q", seq, a.kind, states, resp.Status, resp.Header, body)
	}
	if c.shakesHands { // others may have shaken hands long ago
		a.certificate = certificateOf(resp.TLS)
		if !anyOf(states, func(s switchState) bool { return s.certificate() == a.certificate }) {
			t.Errorf("%s: a certificate of the kind %q is of none of %+v", seq, a.certificate, states)
		}
	}
	return a, true
}

func anyOf[T any](list []T, fits func(T) bool) bool { return slices.ContainsFunc(list, fits) }

var builtInBody = regexp.MustCompile(`^fakealb lb=(\w+) node=([0-9.]+) target=t\d received=0 seq=([\w-]+)\n$`)

// kindOf says whose the response is, or nothing if its parts do not fit together.
func kindOf(resp *http.Response, body, seq, url string) string {
	lb, node := resp.Header.Get(fakealb.HeaderLoadBalancer), resp.Header.Get(fakealb.HeaderNode)
	switch server := resp.Header.Get("Server"); {
	case server == "fakealb-target":
		m := builtInBody.FindStringSubmatch(body)
		if resp.StatusCode == 200 && m != nil && m[1] == lb && m[2] == node && m[3] == seq && strings.Contains(url, "/"+node+":") {
			return "target of " + lb
		}
	case lb != "" || node != "":
	case server == "a-target":
		if resp.StatusCode == 200 && body == "target seq="+seq+"\n" {
			return "target of group"
		}
	case server == "nginx":
		if resp.StatusCode == 200 && body == "<html><body>This is the site of another tenant.</body></html>\n" {
			return "stranger"
		}
	case server == "awselb/2.0":
		return generatedKindOf(resp, body)
	}
	return ""
}

// generatedKindOf is kindOf for a response of the load balancer's own.
func generatedKindOf(resp *http.Response, body string) string {
	style := "current"
	switch {
	case resp.StatusCode == 464:
		if body == "" {
			return "464 bare"
		}
		return ""
	case strings.Contains(body, `bgcolor="white"`):
		style = "pre2020"
	}
	text := map[int]string{400: "400 Bad Request", 502: "502 Bad Gateway", 503: "503 Service Temporarily Unavailable"}[resp.StatusCode]
	if text == "" || strings.Count(body, text) != 2 || !strings.HasSuffix(body, "</html>\r\n") {
		return ""
	}
	return fmt.Sprintf("%d %s", resp.StatusCode, style)
}

// certificateOf names the fault that shows such a certificate.
func certificateOf(state *tls.ConnectionState) fakealb.FaultKind {
	leaf := state.PeerCertificates[0]
	switch {
	case leaf.VerifyHostname("www.stranger.example") == nil:
		return fakealb.FaultStranger
	case leaf.VerifyHostname("www.example.test") != nil:
		return fakealb.FaultTLSWrongName
	case leaf.NotAfter.Before(time.Now()):
		return fakealb.FaultTLSExpired
	case leaf.CheckSignature(leaf.SignatureAlgorithm, leaf.RawTBSCertificate, leaf.Signature) == nil:
		return fakealb.FaultTLSSelfSigned
	case len(state.PeerCertificates) > 1 && leaf.CheckSignatureFrom(state.PeerCertificates[1]) != nil:
		return fakealb.FaultTLSWrongChain
	case len(state.PeerCertificates) > 1 && state.PeerCertificates[1].NotAfter.Before(time.Now()):
		return fakealb.FaultTLSRootExpired
	}
	return fakealb.FaultNone
}

// isOf reports whether a row is of this answer, by its status, its load balancer
// and its fault.
func (a answer) isOf(node int, row record.Attempt) bool {
	state := switchState{fault: fakealb.FaultSetting{Kind: fakealb.FaultKind(row.Fault)}}
	state.lb[node] = row.LoadBalancer
	status, _, own := strings.Cut(a.kind, " ")
	switch state.fault.Kind {
	case fakealb.FaultError:
		if !own || status == "target" {
			return row.Status == 200 // its share did not hit it
		}
		return fmt.Sprint(row.Status) == status
	case fakealb.FaultLinger:
		return row.Status == 503 && status == "503" || row.Status == 200 && a.kind == "target of "+row.LoadBalancer
	case fakealb.FaultSilence, fakealb.FaultRefuse:
		return true
	default:
		return slices.Contains(state.answers(node), a.kind)
	}
}
