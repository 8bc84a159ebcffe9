package load

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"

	"github.com/proxychaos/proxychaos/harness/controlguard"
)

// streamLine is one line of the answer to POST /v1/attacks: a row, or the end.
// A stream without its end was cut off.
type streamLine struct {
	Row *Row       `json:"row,omitempty"`
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
//	POST /v1/bursts   a Burst; answers a BurstResult
//	POST /v1/trials   Trials; answers a list of Trial
//
// One attack runs at a time; another is answered 409. Bursts may run beside it:
// a proxy is warmed again just before a fault. An attack ends when its caller
// goes away. Errors are an Error in JSON.
func Handler() http.Handler {
	a := &agent{}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /v1/health", func(w http.ResponseWriter, _ *http.Request) {
		writeJSON(w, http.StatusOK, map[string]string{"status": "ok"})
	})
	mux.HandleFunc("POST /v1/attacks", a.attack)
	mux.HandleFunc("POST /v1/bursts", answer(Burst.Run))
	mux.HandleFunc("POST /v1/trials", answer(Trials.Run))
	return controlguard.Handler(mux, func(w http.ResponseWriter, message string) {
		writeError(w, &Error{Code: CodeForbidden, Message: message})
	})
}

type agent struct{ running sync.Mutex }

func (a *agent) attack(w http.ResponseWriter, r *http.Request) {
	var spec Spec
	if !decode(w, r, &spec) {
		return
	}
	if !a.running.TryLock() {
		writeError(w, &Error{Code: CodeBusy, Message: "an attack is running: wait for its end"})
		return
	}
	defer a.running.Unlock()
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	flusher, encoder := http.NewResponseController(w), json.NewEncoder(w)
	rows := 0
	// From the first row on the status is sent: later errors go to the end line.
	err := Run(ctx, spec, func(row Row) {
		rows++
		if err := errors.Join(encoder.Encode(streamLine{Row: &row}), flusher.Flush()); err != nil {
			cancel() // nobody reads it
		}
	})
	var wrong *Error
	if errors.As(err, &wrong) {
		writeError(w, wrong)
		return
	}
	end := &streamEnd{Rows: rows}
	if err != nil {
		end.Error = &Error{Code: CodeStopped, Message: fmt.Sprintf("stopped after %d rows: %v", rows, err)}
	}
	_ = encoder.Encode(streamLine{End: end}) // a caller who is gone misses the end and knows
}

// answer runs what the body asks for and answers with what came of it.
func answer[In, Out any](run func(In, context.Context) (Out, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var wanted In
		if !decode(w, r, &wanted) {
			return
		}
		result, err := run(wanted, r.Context())
		var wrong *Error
		if errors.As(err, &wrong) {
			writeError(w, wrong)
			return
		}
		if err != nil {
			return // the caller is gone
		}
		writeJSON(w, http.StatusOK, result)
	}
}

// maxAsked bounds the body of a call: Trials have many ways.
const maxAsked = 4 << 20

// decode reads the body; if it cannot, it answers and returns false.
func decode(w http.ResponseWriter, r *http.Request, into any) bool {
	decoder := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxAsked))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(into); err != nil {
		writeError(w, invalid("", "not the JSON that is wanted: %v", err))
		return false
	}
	// This reads to the end of the body, too: only then the server notices a
	// caller who leaves.
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		writeError(w, invalid("", "more than one JSON value in the body, want one"))
		return false
	}
	return true
}

func writeError(w http.ResponseWriter, err *Error) { writeJSON(w, err.status(), err) }

func writeJSON(w http.ResponseWriter, status int, value any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(value) // a caller who is gone gets nothing
}
