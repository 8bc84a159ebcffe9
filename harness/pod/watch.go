package pod

import (
	"context"
	"slices"
	"sync"
	"time"
)

// DefaultInterval is how often a watch looks at the sockets where it does not
// say so. A connection that lives shorter may never be seen.
const DefaultInterval = 20 * time.Millisecond

// WatchRequest starts a watch.
type WatchRequest struct {
	Nodes
	Interval Duration `json:"interval,omitempty"` // 1ms to 10s; 0 is DefaultInterval
}

// Pace is a new interval of a watch.
type Pace struct {
	Interval Duration `json:"interval,omitempty"` // 1ms to 10s; 0 is DefaultInterval
}

// Watch is what a watch has seen so far.
type Watch struct {
	ID       string    `json:"id"`
	Since    time.Time `json:"since"`
	Interval Duration  `json:"interval"`
	// Processes are those that live now, and those that held a connection and
	// are gone, by pid.
	Processes []Process `json:"processes"`
	// Unattributed counts connections that ended before it could be seen which
	// process held them.
	Unattributed int  `json:"unattributed"`
	Cost         Cost `json:"cost"`
	// Error is why the last sample failed; "" if it did not.
	Error string `json:"error,omitempty"`
}

// Cost is what the samples of a watch cost.
type Cost struct {
	Samples int      `json:"samples"`
	Mean    Duration `json:"mean"`
	Max     Duration `json:"max"`
	// Share is the part of one core that sampling takes, 0 to 1.
	Share float64 `json:"share"`
}

// watch samples the established connections to nodes until it is stopped.
type watch struct {
	id     string
	nodes  Nodes
	since  time.Time
	diag   *diag
	procs  *procs
	tick   *time.Ticker
	cancel context.CancelFunc
	done   chan struct{}

	mu           sync.Mutex
	interval     time.Duration
	known        map[uint64]bool // connections of the last sample, by cookie; true once its process is known
	holders      map[holder]*Process
	unattributed int
	samples      int
	spent, max   time.Duration
	err          error
}

// holder identifies a process for as long as the machine runs.
type holder struct {
	pid   int
	start uint64
}

func (a *Agent) newWatch(id string, req WatchRequest) (*watch, error) {
	if err := req.validate(); err != nil {
		return nil, err
	}
	interval, err := req.Interval.sampling()
	if err != nil {
		return nil, err
	}
	d, err := newDiag() // its own: a sample need not wait for another request's
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	w := &watch{
		id: id, nodes: req.Nodes, interval: interval, since: time.Now(),
		diag: d, procs: a.procs, tick: time.NewTicker(interval), cancel: cancel, done: make(chan struct{}),
		known: map[uint64]bool{}, holders: map[holder]*Process{},
	}
	go w.run(ctx)
	return w, nil
}

func (w *watch) run(ctx context.Context) {
	defer close(w.done)
	defer w.tick.Stop()
	for {
		began := time.Now()
		err := w.sample()
		w.account(time.Since(began), err)
		select {
		case <-ctx.Done():
			return
		case <-w.tick.C:
		}
	}
}

func (w *watch) pace(interval time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.interval = interval
	w.tick.Reset(interval)
}

func (w *watch) account(took time.Duration, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.samples++
	w.spent += took
	w.max = max(w.max, took)
	w.err = err
}

// sample looks at the sockets, and only where there is a new connection also at
// the processes, which costs far more.
func (w *watch) sample() error {
	sockets, err := w.diag.sockets(established)
	if err != nil {
		return err
	}
	upstream := map[uint64]socket{}
	fresh := false
	for _, s := range sockets {
		if w.nodes.contains(s.remote) && !isProbePort(s.local.Port()) {
			upstream[s.cookie] = s
			fresh = fresh || !w.known[s.cookie]
		}
	}
	var all []proc
	if fresh {
		if all, err = w.procs.all(); err != nil {
			return err
		}
	}
	w.note(upstream, all)
	return nil
}

// note counts the connections of one sample that were not there in the last.
func (w *watch) note(upstream map[uint64]socket, all []proc) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for cookie, attributed := range w.known {
		if _, still := upstream[cookie]; !still {
			if !attributed {
				w.unattributed++
			}
			delete(w.known, cookie)
		}
	}
	for cookie, s := range upstream {
		if w.known[cookie] {
			continue
		}
		w.known[cookie] = false
		for _, p := range all {
			if !p.sockets[s.inode] {
				continue
			}
			w.known[cookie] = true
			key := holder{p.PID, p.start}
			if w.holders[key] == nil {
				first := p.Process
				w.holders[key] = &first
			}
			w.holders[key].Seen++
		}
	}
}

// state takes one more look at the processes and adds what was seen before.
func (w *watch) state() (Watch, error) {
	sockets, err := w.diag.sockets(established | listening)
	if err != nil {
		return Watch{}, err
	}
	all, err := w.procs.all()
	if err != nil {
		return Watch{}, err
	}
	now := attribute(all, sockets, w.nodes)
	for i := range now {
		waited, err := w.procs.waited(now[i].PID)
		if err != nil {
			return Watch{}, err
		}
		now[i].Waited = Duration(waited)
	}

	w.mu.Lock()
	defer w.mu.Unlock()
	alive := map[holder]bool{}
	for i := range now {
		key := holder{now[i].PID, now[i].start}
		alive[key] = true
		if h := w.holders[key]; h != nil {
			now[i].Seen = h.Seen
		}
	}
	for key, h := range w.holders {
		if !alive[key] {
			gone := *h
			gone.Gone, gone.Upstream = true, []Connection{}
			now = append(now, gone)
		}
	}
	slices.SortFunc(now, func(x, y Process) int { return x.PID - y.PID })
	return Watch{
		ID: w.id, Since: w.since, Interval: Duration(w.interval),
		Processes: now, Unattributed: w.unattributed, Cost: w.cost(), Error: message(w.err),
	}, nil
}

// cost is called with w.mu held.
func (w *watch) cost() Cost {
	age := time.Since(w.since)
	c := Cost{Samples: w.samples, Max: Duration(w.max), Share: w.spent.Seconds() / age.Seconds()}
	if w.samples > 0 {
		c.Mean = Duration(w.spent / time.Duration(w.samples))
	}
	return c
}

func (w *watch) stop() {
	w.cancel()
	<-w.done
	w.diag.close()
}

func message(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
