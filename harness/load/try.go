package load

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/proxychaos/proxychaos/harness/recording"
)

// Trials asks a proxy in several ways, to find one that leads to an ALB node.
type Trials struct {
	Ways []recording.Way `json:"ways"`          // 1 to 2,000, the preferred first
	All  bool            `json:"all,omitempty"` // try on after one that leads to a node
	// Except is a load balancer whose nodes are reached, but not looked for.
	Except  string            `json:"except,omitempty"`
	Timeout recording.Seconds `json:"timeout_seconds"` // of one request, more than 0
	Within  recording.Seconds `json:"within_seconds"`  // of all; what is left then is not tried
}

// Trial is the result of one way.
type Trial struct {
	// Reached says that each path was asked for twice, and that a node made each answer
	// for that request. The rest is about the first answer of which that is not so.
	Reached bool `json:"reached"`
	// LB is the load balancer that made the first answer, if a node did: of several the first
	// that is not Trials.Except.
	LB string `json:"lb,omitempty"`
	// Came is what kind of answer there was, one of the constants.
	Came     string `json:"came"`
	Path     string `json:"path,omitempty"` // that was asked for, without the number
	Code     int    `json:"code,omitempty"`
	Location string `json:"location,omitempty"`
	// Title says what the page says: its title, or the beginning of a text.
	Title string `json:"title,omitempty"`
	Error string `json:"error,omitempty"` // why there was no answer
}

// The results of a way.
const (
	Answered = "answered" // with Code
	// Cached: the answer is a node's, but to an earlier request, which it names.
	Cached = "cached"
	// Nameless: the answer is a node's, but it names no request, because the proxy did
	// not pass SeqHeader on.
	Nameless = "nameless"
	Closed   = "closed"  // without an answer
	Refused  = "refused" // there is no listener
	NoTLS    = "no-tls"  // what came back to a TLS hello is not TLS
	Alert    = "alert"   // TLS was ended by an alert, which Error has
	Silent   = "silent"  // no whole answer within Timeout
	NotTried = "not-tried"
	Garbled  = "garbled" // neither HTTP nor TLS; Error has what net/http makes of it
)

const (
	maxWays = 2000
	// triesAtATime leave a small machine room for the proxy.
	triesAtATime = 16
	// timesAsked is how often each path is asked for: only the second answer shows a cache.
	timesAsked = 2
)

func (t Trials) validate() error {
	if len(t.Ways) == 0 || len(t.Ways) > maxWays {
		return invalid("ways", "got %d, want 1 to %d", len(t.Ways), maxWays)
	}
	for _, way := range t.Ways {
		if err := validateWay(way); err != nil {
			return err
		}
	}
	if t.Within <= 0 || t.Within > maxTimeout {
		return invalid("within_seconds", "got %g, want more than 0 and at most %g", t.Within, maxTimeout)
	}
	return validateTimeout(t.Timeout)
}

// Run tries the ways and returns the result of each, in their order. It ends with the
// first that leads to a node, unless All says otherwise: those after it are NotTried.
func (t Trials) Run(ctx context.Context) ([]Trial, error) {
	if err := t.validate(); err != nil {
		return nil, err
	}
	within, cancel := context.WithTimeout(ctx, t.Within.Duration())
	defer cancel()
	trials := make([]Trial, len(t.Ways))
	each, ends := make([]context.Context, len(t.Ways)), make([]context.CancelFunc, len(t.Ways))
	for i := range t.Ways {
		trials[i].Came = NotTried
		each[i], ends[i] = context.WithCancel(within)
	}
	places := make(chan struct{}, triesAtATime)
	var wg sync.WaitGroup
	for i, way := range t.Ways {
		select {
		case places <- struct{}{}:
		case <-each[i].Done():
			continue
		}
		wg.Go(func() {
			defer func() { <-places }()
			got := t.try(each[i], way)
			if each[i].Err() != nil && !got.Reached {
				return
			}
			if trials[i] = got; got.Reached && got.LB != t.Except && !t.All {
				for _, later := range ends[i+1:] {
					later()
				}
			}
		})
	}
	wg.Wait()
	for _, end := range ends {
		end()
	}
	return trials, ctx.Err()
}

// try asks for each path, until an answer is no node's.
func (t Trials) try(ctx context.Context, way recording.Way) Trial {
	transport := transport(way)
	transport.DisableKeepAlives = true
	var got Trial
	lb := ""
	for _, path := range way.Paths {
		for range timesAsked {
			if got = t.ask(ctx, transport, way, path); !got.Reached {
				return got
			}
		}
		if lb == "" || lb == t.Except {
			lb = got.LB
		}
	}
	got.LB = lb
	return got
}

func (t Trials) ask(ctx context.Context, transport *http.Transport, way recording.Way, path string) Trial {
	got := Trial{Path: path}
	ctx, cancel := context.WithTimeout(ctx, t.Timeout.Duration())
	defer cancel()
	number, client := unnumbered()
	request, err := get(ctx, way, recording.Numbered(path, number), client)
	if err != nil {
		return got.failed(err, t.Timeout.Duration())
	}
	request.Header.Set(SeqHeader, number)
	response, err := transport.RoundTrip(request)
	if err != nil {
		return got.failed(err, t.Timeout.Duration())
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, maxBody))
	if err != nil {
		return got.failed(err, t.Timeout.Duration())
	}
	got.Code, got.Location, got.Title = response.StatusCode, response.Header.Get("Location"), title(body)
	numbers := anyNumber.FindSubmatch(body)
	switch {
	case got.Code < 400 && numbers != nil && string(numbers[2]) == number:
		got.Came, got.Reached, got.LB = Answered, true, string(numbers[1])
	case got.Code < 400 && numbers != nil && len(numbers[2]) > 0:
		got.Came, got.Error = Cached, fmt.Sprintf("seq=%s in the answer to %s", numbers[2], number)
	case got.Code < 400 && numbers != nil:
		got.Came = Nameless
	default:
		got.Came = Answered
	}
	return got
}

// anyNumber finds the load balancer and the number in a built-in target's answer.
var anyNumber = regexp.MustCompile(`\bfakealb lb=(\S+).* seq=(x?\d*)`)

// failed says why there was no answer.
func (t Trial) failed(err error, timeout time.Duration) Trial {
	var noTLS tls.RecordHeaderError
	var remote *net.OpError
	t.Error = err.Error()
	switch {
	case isTimeout(err):
		t.Came, t.Error = Silent, fmt.Sprintf("no whole answer within %s", timeout)
	case errors.As(err, &noTLS):
		t.Came = NoTLS
	case errors.As(err, &remote) && remote.Op == "remote error": // as crypto/tls has it
		t.Came, t.Error = Alert, remote.Err.Error()
	case errors.Is(err, syscall.ECONNREFUSED):
		t.Came = Refused
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		t.Came = Closed
	default:
		t.Came = Garbled
	}
	return t
}

var (
	pageTitle = regexp.MustCompile(`(?is)<(?:title|h1)[^>]*>\s*(.*?)\s*</`)
	tags      = regexp.MustCompile(`(?s)<[^>]*>|\s+`)
)

// maxTitle is how much of a page is quoted.
const maxTitle = 80

// title is what a page says in its title or, if it has none, at its beginning.
func title(body []byte) string {
	text := string(body)
	if m := pageTitle.FindStringSubmatch(text); m != nil {
		text = m[1]
	}
	text = strings.ToValidUTF8(strings.TrimSpace(tags.ReplaceAllString(text, " ")), "")
	if runes := []rune(text); len(runes) > maxTitle {
		text = string(runes[:maxTitle]) + "..."
	}
	return text
}
