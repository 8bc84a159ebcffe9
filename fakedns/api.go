package fakedns

import (
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/proxychaos/proxychaos/harness/control"
)

// Notice is what the control API says of itself.
const Notice = "TEST ONLY: whoever reaches this decides what every name resolves to"

// maxBody is the largest request body.
const maxBody = 1 << 20

// Version is the answer of GET /v1/version.
type Version struct {
	Service string `json:"service"`
	// API is the version of the control API's paths.
	API string `json:"api"`
	// Build is the module's version, "(devel)" for a local build.
	Build  string `json:"build"`
	Seed   uint64 `json:"seed"`
	Notice string `json:"notice"`
}

// Applied is the answer to every change.
type Applied struct {
	// InForceAt is when the change took effect: a query received then or later sees it.
	InForceAt time.Time `json:"in_force_at"`
}

type namesBody struct {
	Names []json.RawMessage `json:"names"`
}

// methods are the handlers of one path; a handler returns the value to answer with.
type methods map[string]func(*http.Request) (any, error)

// Handler returns the control API, to be mounted where its paths begin with /v1.
func (s *Server) Handler() http.Handler {
	mux := http.NewServeMux()
	for path, m := range map[string]methods{
		"/v1/version":      {"GET": s.getVersion},
		"/v1/reset":        {"POST": s.postReset},
		"/v1/history":      {"GET": s.getHistory},
		"/v1/names":        {"GET": s.getNames, "PUT": s.putNames},
		"/v1/names/{name}": {"GET": s.getName, "PUT": s.putName, "DELETE": s.deleteName},
		"/v1/faults":       {"GET": s.getFaults},
		"/v1/faults/{id}":  {"GET": s.getFault, "PUT": s.putFault, "DELETE": s.deleteFault},
		"/v1/queries":      {"GET": s.getQueries},
		"/v1/events":       {"GET": s.getEvents},
		"/v1/openapi.yaml": {"GET": getOpenAPI},
	} {
		mux.Handle(path, m)
	}
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		control.Answer(w, nil, control.NotFound("", "no path %s, want one under /v1 such as /v1/version", r.URL.Path))
	})
	return control.Guard(mux, func(w http.ResponseWriter, message string) {
		control.Answer(w, nil, control.Errorf(http.StatusForbidden, CodeForbidden, "", "%s", message))
	})
}

func (m methods) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	handle, ok := m[r.Method]
	if !ok {
		allowed := strings.Join(slices.Sorted(maps.Keys(m)), ", ")
		w.Header().Set("Allow", allowed)
		control.Answer(w, nil, control.Errorf(http.StatusMethodNotAllowed, CodeMethodNotAllowed, "", "got %s, want %s", r.Method, allowed))
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxBody)
	answer, err := handle(r)
	if stream, ok := answer.(func(http.ResponseWriter)); ok && err == nil {
		stream(w)
		return
	}
	control.Answer(w, answer, err)
}

func (s *Server) getVersion(*http.Request) (any, error) {
	v := Version{Service: "fakedns", API: "v1", Build: "unknown", Seed: s.cfg.Seed, Notice: Notice}
	if info, ok := debug.ReadBuildInfo(); ok {
		v.Build = info.Main.Version
	}
	return v, nil
}

func (s *Server) postReset(*http.Request) (any, error) {
	return Applied{s.Reset()}, nil
}

func (s *Server) getHistory(*http.Request) (any, error) {
	return map[string][]Change{"changes": s.History()}, nil
}

func (s *Server) getNames(*http.Request) (any, error) {
	return map[string][]Name{"names": s.Names()}, nil
}

func (s *Server) putNames(r *http.Request) (any, error) {
	var body namesBody
	if err := strictDecode(r.Body, &body); err != nil {
		return nil, err
	}
	names := make([]Name, len(body.Names))
	for i, raw := range body.Names {
		if err := json.Unmarshal(raw, &names[i]); err != nil {
			return nil, within(indexed("names", i), control.DecodeError(err))
		}
	}
	return applied(s.PutNames(names...))
}

func (s *Server) getName(r *http.Request) (any, error) {
	key, err := hostname("name", r.PathValue("name"))
	if err != nil {
		return nil, err
	}
	e := s.state.Load().table.set(key)
	if e == nil {
		return nil, control.NotFound("name", "no name %q is set", key)
	}
	return e.Name, nil
}

func (s *Server) putName(r *http.Request) (any, error) {
	var n Name
	if err := strictDecode(r.Body, &n); err != nil {
		return nil, err
	}
	key, err := hostname("name", r.PathValue("name"))
	if err != nil {
		return nil, err
	}
	if n.Name == "" {
		n.Name = key
	}
	if inBody, err := hostname("name", n.Name); err != nil || inBody != key {
		return nil, invalid("name", "the path says %q and the body %q, want the same or none in the body", key, n.Name)
	}
	if _, err := n.normalize(); err != nil {
		return nil, err // with the field's path in this body, which is no list
	}
	return applied(s.PutNames(n))
}

func (s *Server) deleteName(r *http.Request) (any, error) {
	propagation, err := readPropagation(r.URL.Query())
	if err != nil {
		return nil, err
	}
	return applied(s.DeleteName(r.PathValue("name"), propagation))
}

// readPropagation reads the one parameter of a deletion.
func readPropagation(v url.Values) (time.Duration, error) {
	var d time.Duration
	for key, values := range v {
		if key != "propagation_seconds" {
			return 0, invalid(key, "unknown parameter, want propagation_seconds")
		}
		value, err := strconv.ParseFloat(values[0], 64)
		if err != nil || len(values) > 1 {
			return 0, invalid(key, "got %q, want seconds such as 60, once", values)
		}
		if err := readSeconds(seconds{key, &value, &d}); err != nil {
			return 0, err
		}
	}
	return d, nil
}

func (s *Server) getFaults(*http.Request) (any, error) {
	return map[string][]FaultStatus{"faults": s.Faults()}, nil
}

func (s *Server) getFault(r *http.Request) (any, error) {
	id := r.PathValue("id")
	for _, f := range s.Faults() {
		if f.Fault.ID == id {
			return f, nil
		}
	}
	return nil, control.NotFound("id", "no fault %q is set", id)
}

func (s *Server) putFault(r *http.Request) (any, error) {
	var f Fault
	if err := strictDecode(r.Body, &f); err != nil {
		return nil, err
	}
	id := r.PathValue("id")
	if f.ID != "" && f.ID != id {
		return nil, invalid("id", "the path says %q and the body %q, want the same or none in the body", id, f.ID)
	}
	f.ID = id
	return applied(s.PutFault(f))
}

func (s *Server) deleteFault(r *http.Request) (any, error) {
	return applied(s.DeleteFault(r.PathValue("id")))
}

func applied(at time.Time, err error) (any, error) {
	return Applied{at}, err
}
