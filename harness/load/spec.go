package load

import (
	"net/http"
	"time"

	"github.com/proxychaos/proxychaos/harness/recording"
)

// Spec is one attack: what is sent, how fast, by how many users.
type Spec struct {
	recording.Way

	Rate     int               `json:"rate"`             // requests per second, 1 to 20,000
	Duration recording.Seconds `json:"duration_seconds"` // more than 0, at most 3,600; Rate x (Duration - Quiet.For) requests are sent
	Timeout  recording.Seconds `json:"timeout_seconds"`  // of one request with its body, more than 0, at most 300

	// Clients is the number of users in rotation, 1 to 10,000, each with one
	// connection. When all wait for answers, a request is sent by one more
	// user, who leaves again: open-loop load does not wait.
	Clients int `json:"clients"`
	// RequestsPerConnection is after how many requests a user closes the
	// connection and opens another; 0 is never. The first connections close
	// earlier, spread evenly, so that users do not all come at one moment.
	RequestsPerConnection int `json:"requests_per_connection"`
	// Posts is how many of 100 requests are POSTs, evenly spread, 0 to 100;
	// each has the body "seq=<seq>".
	Posts int `json:"posts,omitempty"`
	// CheckBody wants "seq=<seq>" in the body of every 200, and the node's name on every
	// other answer below 400.
	CheckBody bool `json:"check_body"`
	// Sessions has each user keep the cookies that answers set, as browsers do.
	Sessions bool `json:"sessions,omitempty"`
	// Quiet is a part of Duration in which nothing is due.
	Quiet recording.Quiet `json:"quiet,omitzero"`
	// StartAt is when the first request is due, at most 10 minutes from now;
	// the zero time is now. It is t=0 of a recording. A start that was missed
	// by up to 1 s is caught up with, and shows as lateness.
	StartAt time.Time `json:"start_at,omitzero"`
}

const (
	maxRate = 20_000
	// MaxDuration of a load.
	MaxDuration = recording.Seconds(3600)
	maxTimeout  = recording.Seconds(300)
	maxClients  = 10_000
	maxWait     = 10 * time.Minute
	maxMissed   = time.Second
)

func (s Spec) validate(now time.Time) error {
	if err := validateWay(s.Way); err != nil {
		return err
	}
	if s.Rate < 1 || s.Rate > maxRate {
		return invalid("rate", "got %d, want 1 to %d requests per second", s.Rate, maxRate)
	}
	if s.Quiet.From < 0 || s.Quiet.For < 0 || s.Quiet.From+s.Quiet.For > s.Duration {
		return invalid("quiet", "got %g s from %g s on, want a part of the %g s that the load lasts", s.Quiet.For, s.Quiet.From, s.Duration)
	}
	if s.total() < 1 || s.Duration > MaxDuration {
		return invalid("duration_seconds", "got %g, want at most %g and long enough for one request at rate %d", s.Duration, MaxDuration, s.Rate)
	}
	if err := validateTimeout(s.Timeout); err != nil {
		return err
	}
	if s.Clients < 1 || s.Clients > maxClients {
		return invalid("clients", "got %d, want 1 to %d", s.Clients, maxClients)
	}
	if s.Posts < 0 || s.Posts > 100 {
		return invalid("posts", "got %d, want how many of 100 requests are POSTs, 0 to 100", s.Posts)
	}
	if s.RequestsPerConnection < 0 {
		return invalid("requests_per_connection", "got %d, want 0 (never replaced) or more", s.RequestsPerConnection)
	}
	return validateStart(s.StartAt, now)
}

// validateStart says what is wrong with the time of a first request; the zero time is now.
func validateStart(at, now time.Time) error {
	if at.IsZero() {
		return nil
	}
	if wait := at.Sub(now); wait < -maxMissed || wait > maxWait {
		return invalid("start_at", "got %s, which is %s from now, want -%s to %s", at.Format(time.RFC3339Nano), wait, maxMissed, maxWait)
	}
	return nil
}

// total is the number of requests of the attack.
func (s Spec) total() int { return int(float64(s.Rate)*float64(s.Duration-s.Quiet.For) + 1e-6) }

// due is the time of the request with this index, counted from the start. It
// is made from the index, not by adding intervals: nothing accumulates.
func (s Spec) due(index uint64) time.Duration {
	due := time.Duration(index * uint64(time.Second) / uint64(s.Rate))
	if due >= s.Quiet.From.Duration() {
		due += s.Quiet.For.Duration()
	}
	return due
}

// method is that of the request with this sequence number.
func (s Spec) method(seq uint64) string {
	if seq*uint64(s.Posts)%100 < uint64(s.Posts) {
		return http.MethodPost
	}
	return http.MethodGet
}

func validateTimeout(timeout recording.Seconds) error {
	if timeout <= 0 || timeout > maxTimeout {
		return invalid("timeout_seconds", "got %g, want more than 0 and at most %g", timeout, maxTimeout)
	}
	return nil
}
