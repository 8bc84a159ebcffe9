package load

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"sync"

	"github.com/proxychaos/proxychaos/harness/control"
)

// streamLine is one line of an answer that lasts: a row, or the end. A stream without its
// end was cut off.
type streamLine[R any] struct {
	Row *R         `json:"row,omitempty"`
	End *streamEnd `json:"end,omitempty"`
}

type streamEnd struct {
	Rows  int    `json:"rows"`
	Error *Error `json:"error,omitempty"`
}

// Handler is the control API of the load agent.
//
//	GET  /v1/health   {"status":"ok"}
//	POST /v1/attacks  a Spec; streams {"row":Row} lines while it runs, then {"end":{"rows":N}}
//	POST /v1/sockets  Sockets; streams {"row":SocketRow} lines in the same way
//	POST /v1/bursts   a Burst; answers a BurstResult
//	POST /v1/trials   Trials; answers a list of Trial
//
// One attack runs at a time; another is answered 409. Sockets may run beside it, and
// bursts: a proxy is warmed again just before a fault. Attacks and sockets end when
// their caller goes away. Errors are an Error in JSON.
func Handler() http.Handler {
	a := &agent{}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /v1/health", func(w http.ResponseWriter, _ *http.Request) {
		control.Answer(w, map[string]string{"status": "ok"}, nil)
	})
	mux.HandleFunc("POST /v1/attacks", a.attack)
	mux.HandleFunc("POST /v1/sockets", stream(Hold))
	mux.HandleFunc("POST /v1/bursts", answer(Burst.Run))
	mux.HandleFunc("POST /v1/trials", answer(Trials.Run))
	return control.Guard(mux, func(w http.ResponseWriter, message string) {
		control.Answer(w, nil, control.Errorf(http.StatusForbidden, control.CodeForbidden, "", "%s", message))
	})
}

type agent struct{ running sync.Mutex }

func (a *agent) attack(w http.ResponseWriter, r *http.Request) {
	stream(func(ctx context.Context, spec Spec, each func(Row)) error {
		if !a.running.TryLock() {
			return errBusy
		}
		defer a.running.Unlock()
		return Run(ctx, spec, each)
	})(w, r)
}

// stream runs what the body asks for and answers with its rows as they come.
func stream[In, R any](run func(context.Context, In, func(R)) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var wanted In
		if !decode(w, r, &wanted) {
			return
		}
		ctx, cancel := context.WithCancel(r.Context())
		defer cancel()
		flusher, encoder := http.NewResponseController(w), json.NewEncoder(w)
		rows := 0
		// From the first row on the status is sent: later errors go to the end line.
		err := run(ctx, wanted, func(row R) {
			rows++
			if err := errors.Join(encoder.Encode(streamLine[R]{Row: &row}), flusher.Flush()); err != nil {
				cancel() // nobody reads it
			}
		})
		var wrong *Error
		if errors.As(err, &wrong) {
			control.Answer(w, nil, wrong)
			return
		}
		end := &streamEnd{Rows: rows}
		if err != nil {
			end.Error = &Error{Code: CodeStopped, Message: fmt.Sprintf("stopped after %d rows: %v", rows, err)}
		}
		_ = encoder.Encode(streamLine[R]{End: end}) // a caller who is gone misses the end and knows
	}
}

// answer runs what the body asks for and answers with the result.
func answer[In, Out any](run func(In, context.Context) (Out, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var wanted In
		if !decode(w, r, &wanted) {
			return
		}
		result, err := run(wanted, r.Context())
		var wrong *Error
		if errors.As(err, &wrong) {
			control.Answer(w, nil, wrong)
			return
		}
		if err != nil {
			return // the caller is gone
		}
		control.Answer(w, result, nil)
	}
}

// maxAsked bounds the body of a call: Trials have many ways.
const maxAsked = 4 << 20

// decode reads the body; if it cannot, it answers and returns false.
func decode(w http.ResponseWriter, r *http.Request, into any) bool {
	err := control.Decode(http.MaxBytesReader(w, r.Body, maxAsked), into)
	if err != nil {
		control.Answer(w, nil, err)
	}
	return err == nil
}
