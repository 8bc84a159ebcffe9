package fakedns

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
)

// Event is a query or a change, one of the two.
type Event struct {
	Query  *Query  `json:"query,omitempty"`
	Change *Change `json:"change,omitempty"`
}

// Subscription gives what happens after it was made. It holds no copy of its own: a
// slow reader costs nothing, but misses what a reset deletes before it was read.
type Subscription struct {
	s        *Server
	seq      uint64
	revision uint64
	pending  []Event
}

// Subscribe begins a subscription at this moment; one goroutine may use it.
func (s *Server) Subscribe() *Subscription {
	return &Subscription{s: s, seq: s.LastSeq(), revision: s.state.Load().revision}
}

// Next returns the next event, as soon as there is one. A query comes when it is
// received, so a delayed one has no AnsweredAt yet. Queries come in the order of
// Seq and changes in the order of Revision; between the two only their times tell.
func (sub *Subscription) Next(ctx context.Context) (Event, error) {
	for len(sub.pending) == 0 {
		view, grown := sub.s.log.viewAndWait()
		sub.collect(view)
		if len(sub.pending) > 0 {
			break
		}
		select {
		case <-grown:
		case <-sub.s.closing:
			return Event{}, errClosed()
		case <-ctx.Done():
			return Event{}, ctx.Err()
		}
	}
	next := sub.pending[0]
	sub.pending = sub.pending[1:]
	return next, nil
}

// batch bounds how many queries are copied at a time.
const batch = 256

func (sub *Subscription) collect(view logView) {
	for _, c := range sub.s.changesAfter(sub.revision) {
		sub.pending = append(sub.pending, Event{Change: &c})
		sub.revision = c.Revision
	}
	view.each(&matcher{after: sub.seq}, func(q Query) bool {
		sub.pending = append(sub.pending, Event{Query: &q})
		sub.seq = q.Seq
		return len(sub.pending) < batch
	})
}

// getEvents streams what happens from now on, one event a line, until the client leaves.
func (s *Server) getEvents(r *http.Request) (any, error) {
	ctx := r.Context()
	return func(w http.ResponseWriter) {
		sub := s.Subscribe()
		w.Header().Set("Content-Type", ndjson)
		out := http.NewResponseController(w)
		enc := json.NewEncoder(w)
		for {
			// The header goes out first: who has it knows that nothing is missed from here on.
			if out.Flush() != nil {
				return
			}
			for {
				e, err := sub.Next(ctx)
				if err != nil || enc.Encode(e) != nil {
					return
				}
				if len(sub.pending) == 0 {
					break
				}
			}
		}
	}, nil
}

// EventStream is a subscription through the control API.
type EventStream struct {
	resp *http.Response
	dec  *json.Decoder
}

// Events begins a subscription: once it returns, nothing that happens is missed.
// Close it after use. ctx ends it too.
func (c *Client) Events(ctx context.Context) (*EventStream, error) {
	resp, err := c.do(ctx, http.MethodGet, "/v1/events", nil, ndjson) //nolint:bodyclose // EventStream.Close does
	if err != nil {
		return nil, err
	}
	return &EventStream{resp: resp, dec: json.NewDecoder(resp.Body)}, nil
}

// Next returns the next event, as soon as there is one; see [Subscription.Next].
// When the server is gone it returns io.EOF or the error of the connection.
func (e *EventStream) Next() (Event, error) {
	var next Event
	if err := e.dec.Decode(&next); err != nil {
		return Event{}, err
	}
	return next, nil
}

// Close ends the subscription.
func (e *EventStream) Close() error {
	err := e.resp.Body.Close()
	if errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}
