package fakealb

import (
	"encoding/json"
	"net/http"
)

// getEvents streams the history as NDJSON, from its beginning and on as it grows,
// until the client leaves or the server closes. After a reset it begins anew.
func (s *Server) getEvents(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/x-ndjson")
	control, out := http.NewResponseController(w), json.NewEncoder(w)
	for at, epoch := 0, 0; ; {
		s.mu.Lock()
		if s.historyEpoch != epoch {
			at, epoch = 0, s.historyEpoch
		}
		news, grown := s.history[at:], s.grown
		s.mu.Unlock()
		for _, e := range news {
			if out.Encode(e) != nil {
				return
			}
		}
		at += len(news)
		if control.Flush() != nil {
			return
		}
		select {
		case <-grown:
		case <-r.Context().Done():
			return
		case <-s.done:
			return
		}
	}
}
