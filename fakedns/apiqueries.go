package fakedns

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// MaxWait is the longest wait of one GET /v1/queries.
const MaxWait = 5 * time.Minute

const ndjson = "application/x-ndjson"

type queriesBody struct {
	Queries []Query `json:"queries"`
	// LastSeq is the highest sequence number given so far: as "after" it selects what
	// comes next.
	LastSeq uint64 `json:"last_seq"`
}

// getQueries answers the log: as one object, or with Accept: application/x-ndjson as
// one query a line. With wait it answers once a query matches or the wait has ended.
func (s *Server) getQueries(r *http.Request) (any, error) {
	f, wait, err := readFilter(r.URL.Query())
	if err != nil {
		return nil, err
	}
	m, bad := f.compile()
	if bad != nil {
		return nil, bad
	}
	if wait > 0 {
		ctx, cancel := context.WithTimeout(r.Context(), wait)
		defer cancel()
		if _, err := s.WaitQuery(ctx, f); err != nil && !errors.Is(err, context.DeadlineExceeded) {
			return nil, err
		}
	}
	view := s.log.view()
	if strings.Contains(r.Header.Get("Accept"), ndjson) {
		return func(w http.ResponseWriter) { streamQueries(w, view, &m) }, nil
	}
	body := queriesBody{Queries: []Query{}, LastSeq: view.last()}
	view.each(&m, func(q Query) bool {
		body.Queries = append(body.Queries, q)
		return true
	})
	return body, nil
}

func streamQueries(w http.ResponseWriter, view logView, m *matcher) {
	w.Header().Set("Content-Type", ndjson)
	enc := json.NewEncoder(w)
	view.each(m, func(q Query) bool { return enc.Encode(q) == nil })
}

func readFilter(v url.Values) (Filter, time.Duration, error) {
	var f Filter
	var wait time.Duration
	for key, values := range v {
		if len(values) > 1 {
			return f, 0, invalid(key, "given %d times, want once", len(values))
		}
		value := values[0]
		var err error
		want := ""
		switch key {
		case "name":
			f.Name = value
		case "type":
			f.Type = value
		case "after":
			f.After, err = strconv.ParseUint(value, 10, 64)
			want = "a sequence number such as 12"
		case "since":
			f.Since, err = time.Parse(time.RFC3339Nano, value)
			want = "a time such as 2026-01-02T15:04:05.123456789Z"
		case "client":
			f.Client, err = parsePrefix(value)
			want = "an address or a prefix such as 10.0.0.0/8"
		case "wait":
			wait, err = time.ParseDuration(value)
			if err == nil && (wait < 0 || wait > MaxWait) {
				err = errors.New("out of range")
			}
			want = "a duration such as 2s, at most " + MaxWait.String()
		default:
			return f, 0, invalid(key, "unknown parameter, want name, type, client, after, since or wait")
		}
		if err != nil {
			return f, 0, invalid(key, "got %q, want %s", value, want)
		}
	}
	return f, wait, nil
}

// parsePrefix reads a prefix, or an address as the prefix that holds only it.
func parsePrefix(s string) (netip.Prefix, error) {
	if addr, err := netip.ParseAddr(s); err == nil {
		return addr.Unmap().Prefix(addr.Unmap().BitLen())
	}
	return netip.ParsePrefix(s)
}
