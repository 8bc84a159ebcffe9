package pod

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/proxychaos/proxychaos/fakedns"
	"github.com/proxychaos/proxychaos/harness/control"
)

// Config is what an [Agent] starts with.
type Config struct {
	// Control is the address of the control API. Port 0 takes a free one.
	Control netip.AddrPort
	// ResolvConf is the file that is rewritten; "" is /etc/resolv.conf.
	ResolvConf string
	// Resolvers is what is written there: the resolv.conf of the machine that the proxy's
	// configuration is from. fakedns answers at each of its name servers, and knows its
	// search list. If it is "", names are asked for as they are, at [LibcResolver].
	Resolvers string
	// Sockets is the folder for the sockets that are given to the proxy's container, such as
	// [LogSocket]; "" for none.
	Sockets string
	// Seed decides fakedns's random orders.
	Seed uint64
}

func (c Config) validate() error {
	if !c.Control.IsValid() {
		return invalid("control", "got %q, want an address with a port, such as 0.0.0.0:9100", c.Control)
	}
	return nil
}

// Agent is the pod agent. Make one with [New].
type Agent struct {
	cfg     Config
	control net.Listener
	started time.Time

	dns      *fakedns.Server
	diag     *diag
	procs    *procs
	dialer   dialer
	canaries canaries
	own      ownAddresses
	taking   sync.Mutex // of own

	mu      sync.Mutex // guards what follows
	watches map[string]*watch
	nextID  int
	logs    *logFiles // nil until they are asked for
	// literals are empty until someone says which nodes are behind literal addresses of a
	// family.
	literals []*literals
	beside   *beside // nil until it is asked for
}

// New checks the configuration and opens the control address, so that
// [Agent.Addr] is known; it is served once [Agent.Run] is called.
func New(cfg Config) (*Agent, error) {
	if cfg.ResolvConf == "" {
		cfg.ResolvConf = "/etc/resolv.conf"
	}
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	control, err := new(net.ListenConfig).Listen(context.Background(), "tcp", cfg.Control.String())
	if err != nil {
		return nil, fmt.Errorf("pod: open the control address: %w", err)
	}
	return &Agent{
		cfg: cfg, control: control, started: time.Now(),
		canaries: canaries{byID: map[string]*canary{}},
		watches:  map[string]*watch{},
	}, nil
}

// Addr is the address of the control API.
func (a *Agent) Addr() netip.AddrPort {
	addr, ok := a.control.Addr().(*net.TCPAddr)
	if !ok {
		return netip.AddrPort{}
	}
	return netip.AddrPortFrom(addr.AddrPort().Addr().Unmap(), addr.AddrPort().Port())
}

// Run takes the namespace over and serves until ctx ends or something fails;
// then it puts the namespace back and returns. An answer of the control API
// means that everything is in force. An agent runs once.
func (a *Agent) Run(ctx context.Context) (err error) {
	defer func() { err = errors.Join(err, a.closeControl()) }()
	if err := checkCapabilities(); err != nil {
		return err
	}
	if a.procs, err = newProcs(); err != nil {
		return err
	}
	if a.diag, err = newDiag(); err != nil {
		return err
	}
	defer a.diag.close()

	undo, err := a.takeOver()
	defer func() {
		for _, step := range slices.Backward(undo) {
			err = errors.Join(err, step())
		}
	}()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, a.canaries.removeAll()) }()
	defer func() { err = errors.Join(err, a.stopLiterals(), a.stopBeside()) }()
	defer func() { err = errors.Join(err, a.own.giveBack()) }()
	defer a.stopWatches()
	defer a.stopLogs()
	return a.serve(ctx)
}

// takeOver changes the namespace. What it returns undoes the steps that were
// done, also when a later one failed.
func (a *Agent) takeOver() (undo []func() error, err error) {
	step := func(back func() error, err error) bool {
		if back != nil {
			undo = append(undo, back)
		}
		return err == nil
	}
	dnsConfig := fakedns.Config{Listen: resolverSockets(), SocketOptions: transparent, Seed: a.cfg.Seed}
	search, err := readSearchList(a.cfg.Resolvers)
	if err != nil {
		return nil, err
	}
	if search != nil {
		dnsConfig.Missing = search.missing
	}
	back, err := routeHere()
	if !step(back, err) {
		return undo, err
	}
	if back, err = bypassDockerDNS(); !step(back, err) {
		return undo, err
	}
	a.dns, err = fakedns.New(dnsConfig)
	if err != nil {
		return undo, err
	}
	undo = append(undo, a.dns.Close)
	back, err = writeResolvConf(a.cfg.ResolvConf, cmp.Or(a.cfg.Resolvers, resolvConf))
	if !step(back, err) {
		return undo, err
	}
	syslog, err := startSyslog(a.cfg.Sockets, func(file, text string) { a.logFiles().told(file, text) })
	if err == nil {
		undo = append(undo, syslog.stop)
	}
	return undo, err
}

// serve runs fakedns and the control API until ctx ends or one of them fails.
func (a *Agent) serve(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	server := &http.Server{
		Handler:           a.handler(),
		ReadHeaderTimeout: 10 * time.Second,
		BaseContext:       func(net.Listener) context.Context { return ctx },
	}
	var work sync.WaitGroup
	work.Go(func() { cancel(a.dns.Run(ctx)) })
	work.Go(func() {
		if err := server.Serve(a.control); !errors.Is(err, http.ErrServerClosed) {
			cancel(err)
		}
	})
	<-ctx.Done()
	err := context.Cause(ctx)
	if errors.Is(err, context.Canceled) {
		err = nil
	}
	err = errors.Join(err, server.Close(), a.dns.Close())
	work.Wait()
	return err
}

func (a *Agent) closeControl() error {
	if err := a.control.Close(); !errors.Is(err, net.ErrClosed) {
		return err
	}
	return nil
}

// logFiles follows the proxy's log files from the first call on.
func (a *Agent) logFiles() *logFiles {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.logs == nil {
		a.logs = followLogs(a.procs.openLogs, maxLogBytes)
	}
	return a.logs
}

func (a *Agent) stopLogs() {
	a.mu.Lock()
	logs := a.logs
	a.mu.Unlock()
	if logs != nil {
		logs.stop()
	}
}

func (a *Agent) startWatch(req WatchRequest) (*watch, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.nextID++
	w, err := a.newWatch(fmt.Sprint(a.nextID), req)
	if err != nil {
		return nil, err
	}
	a.watches[w.id] = w
	return w, nil
}

func (a *Agent) watch(id string) (*watch, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if w := a.watches[id]; w != nil {
		return w, nil
	}
	return nil, control.NotFound("id", "no watch %q", id)
}

// startLiterals can be called once for each family.
func (a *Agent) startLiterals(req LiteralsRequest) ([]Literal, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, l := range a.literals {
		if l.literalFamily == literalFamilyOf(req.Network) {
			return nil, invalid("", "the nodes for literal addresses are set already, to %v", l.nodes)
		}
	}
	started, err := startLiterals(req)
	if err != nil {
		return nil, err
	}
	a.literals = append(a.literals, started)
	return []Literal{}, nil
}

func (a *Agent) listLiterals() ([]Literal, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	all := []Literal{}
	for _, l := range a.literals {
		found, err := l.list()
		if err != nil {
			return nil, err
		}
		all = append(all, found...)
	}
	return all, nil
}

func (a *Agent) stopLiterals() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	var errs []error
	for _, l := range a.literals {
		errs = append(errs, l.stop())
	}
	return errors.Join(errs...)
}

// startBeside can be called once.
func (a *Agent) startBeside(req BesideRequest) error {
	a.taking.Lock()
	defer a.taking.Unlock()
	a.mu.Lock()
	if a.beside != nil {
		defer a.mu.Unlock()
		return invalid("", "the node for applications is set already, to %s", a.beside.node)
	}
	var err error
	a.beside, err = startBeside(req, a.cfg.Sockets)
	a.mu.Unlock()
	return errors.Join(err, a.answerAtOwn())
}

// answerAtOwn has applications answer at the addresses of the machine too that the proxy was
// given, once there are any. Taking is held.
func (a *Agent) answerAtOwn() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.beside == nil {
		return nil
	}
	return a.beside.way.alsoAt(a.own.addresses())
}

// giveAddresses has connections of the proxy begin at addresses of its machine.
func (a *Agent) giveAddresses(req AddressesRequest) error {
	if err := req.validate(); err != nil {
		return err
	}
	a.taking.Lock()
	defer a.taking.Unlock()
	return errors.Join(a.own.give(req.Addresses), a.answerAtOwn())
}

func (a *Agent) stopBeside() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.beside == nil {
		return nil
	}
	return a.beside.stop()
}

func (a *Agent) stopWatches() {
	a.mu.Lock()
	defer a.mu.Unlock()
	for id, w := range a.watches {
		w.stop()
		delete(a.watches, id)
	}
}
