package fakealb

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/proxychaos/proxychaos/fakealb/capture"
	"github.com/proxychaos/proxychaos/fakealb/cert"
	"github.com/proxychaos/proxychaos/fakealb/netfault"
	"github.com/proxychaos/proxychaos/fakealb/record"
	"github.com/proxychaos/proxychaos/fakealb/sticky"
)

// Server is a set of fake load balancers with their nodes.
type Server struct {
	config    Config
	log       *slog.Logger
	control   net.Listener
	network   netfault.Network
	capture   *capture.Capture // nil without one
	iface     string
	authority *cert.Authority
	started   time.Time
	done      chan struct{} // closed by Close
	close     sync.Once
	closing   error

	// mu guards what the control API changes.
	mu        sync.Mutex
	balancers map[string]LoadBalancer
	nodes     map[netip.Addr]*node
	history   []Event
	// grown is closed and replaced when the history changes; historyEpoch counts
	// the resets of it.
	grown        chan struct{}
	historyEpoch int
	faults       faultLog
	// leftOut are the nodes that noteDNS last found out of DNS, by load balancer.
	leftOut    map[string]string
	healthNews chan struct{}

	access        accessLog
	connectionLog connectionLog
	checks        checkLog
	cookies       *sticky.Key
	metrics       metrics
	dates         dates
	// defaultNames are those of the DefaultCertificate, separated by commas.
	defaultNames atomic.Pointer[string]
	// acceptErrors counts connections that could not be accepted.
	acceptErrors atomic.Uint64

	conns       atomic.Uint64 // the last connection's ID
	serving     sync.WaitGroup
	attempts    record.Attempts
	connections record.Connections
	packets     record.Packets
}

// New checks config, takes the addresses and ports it names, and starts its
// nodes. Call Close when done with it, also if Run is never called.
func New(config Config) (*Server, error) {
	config, err := config.validate()
	if err != nil {
		return nil, fmt.Errorf("fakealb: %w", err)
	}
	s := &Server{
		config: config, log: config.Logger, started: time.Now(), done: make(chan struct{}), grown: make(chan struct{}),
		healthNews: make(chan struct{}, 1), leftOut: map[string]string{},
		balancers: map[string]LoadBalancer{}, nodes: map[netip.Addr]*node{},
		access: accessLog{to: config.AccessLog}, connectionLog: connectionLog{to: config.ConnectionLog},
		checks: checkLog{to: config.HealthCheckLog}, cookies: sticky.NewKey(),
	}
	s.createMetrics()
	s.serving.Go(s.watchDNS)
	err = s.open()
	if err == nil {
		s.mu.Lock() // nodes run already, and the health of their targets is news
		err = s.restore()
		s.mu.Unlock()
	}
	if err != nil {
		return nil, fmt.Errorf("fakealb: %w", errors.Join(err, s.Close()))
	}
	return s, nil
}

func (s *Server) open() error {
	var err error
	if s.authority, err = cert.NewAuthority("fakealb TEST ONLY certificate authority"); err != nil {
		return err
	}
	if s.control, err = (&net.ListenConfig{}).Listen(context.Background(), "tcp", s.config.Control); err != nil {
		return fmt.Errorf("listen for the control API: %w", err)
	}
	if s.config.Network == NetworkUserspace {
		s.network = netfault.OpenUserspace(s.heldBytes)
		return nil
	}
	if s.iface = s.config.Interface; s.iface == "" {
		if s.iface, err = netfault.DefaultInterface(); err != nil {
			return err
		}
	}
	var others []uint16
	if s.config.AnyPort {
		others = s.config.Ports
	}
	if s.network, err = netfault.OpenNFTables(s.iface, others); err != nil {
		return err
	}
	if !s.config.NoCapture {
		if s.capture, err = capture.Open(s.iface, s.segment); err != nil {
			return fmt.Errorf("%w; or do without packet rows", err)
		}
	}
	return nil
}

// restore makes the load balancers and nodes of the configuration. mu is held.
func (s *Server) restore() error {
	for _, lb := range s.config.LoadBalancers {
		if _, err := s.putLoadBalancer(lb); err != nil {
			return err
		}
	}
	for _, n := range s.config.Nodes {
		if _, err := s.putNode(n); err != nil {
			return err
		}
	}
	return nil
}

// ControlURL is the base URL of the control API, such as http://127.0.0.1:41234.
func (s *Server) ControlURL() string { return "http://" + s.control.Addr().String() }

// Run serves the control API until ctx is done or Close is called, and then
// closes the server. It returns nil for an orderly end.
func (s *Server) Run(ctx context.Context) error {
	api := &http.Server{
		Handler:           s.Handler(),
		ReadHeaderTimeout: 10 * time.Second,
		ErrorLog:          slog.NewLogLogger(s.log.Handler(), slog.LevelWarn),
	}
	ended := make(chan error, 1)
	go func() { ended <- api.Serve(s.control) }()
	var err error
	select {
	case <-ctx.Done():
	case <-s.done:
	case err = <-ended:
		err = fmt.Errorf("fakealb: serve the control API: %w", err)
	}
	select {
	case <-s.done: // then the listener is closed, and that is no error
		err = nil
	default:
	}
	ending := api.Close()
	if errors.Is(ending, net.ErrClosed) { // Close came first, and api had the listener already
		ending = nil
	}
	return errors.Join(err, ending, s.Close())
}

// Close resets every connection, takes the addresses off the interface and ends
// the server. It may be called more than once.
func (s *Server) Close() error {
	s.close.Do(func() {
		close(s.done)
		var errs []error
		if s.control != nil {
			if err := s.control.Close(); !errors.Is(err, net.ErrClosed) {
				errs = append(errs, err)
			}
		}
		s.mu.Lock()
		for _, n := range s.nodes {
			if n.planned != nil {
				n.planned.timer.Stop()
			}
			n.flows.Close()
			n.view().pools.close()
		}
		if s.network != nil {
			errs = append(errs, s.network.Close())
		}
		s.mu.Unlock()
		if s.capture != nil {
			errs = append(errs, s.capture.Close())
		}
		s.serving.Wait()
		s.closing = errors.Join(errs...)
	})
	return s.closing
}

// scaled is d on the server's clock.
func (s *Server) scaled(d time.Duration) time.Duration {
	return time.Duration(float64(d) / s.config.TimeScale)
}
