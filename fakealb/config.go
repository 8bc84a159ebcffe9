package fakealb

import (
	"fmt"
	"io"
	"log/slog"
	"net/netip"
	"regexp"
	"slices"
	"time"

	"github.com/proxychaos/proxychaos/fakealb/cert"
)

// Network names an implementation of the node addresses and their packet faults.
type Network string

const (
	// NetworkNFTables adds real addresses to an interface and switches faults in
	// the kernel. It needs NET_ADMIN, and NET_RAW for the capture.
	NetworkNFTables Network = "nftables"
	// NetworkUserspace uses addresses of 127.0.0.0/8 and needs no privilege.
	NetworkUserspace Network = "userspace"
)

// Config is what a Server starts with.
type Config struct {
	// Control is the address of the control API, by default 127.0.0.1:0. In a
	// container it is the container's own address, never a node's.
	Control string
	Network Network // required
	// Interface carries the node addresses in nftables mode. Empty means the
	// only one that is up besides the loopback.
	Interface string
	// NoCapture does without the packet capture in nftables mode, and so without
	// NET_RAW and without packet rows.
	NoCapture bool
	Ports     []uint16 // every node listens on all of them; at least one
	// AnyPort has nodes take connections to every other port too, as if it were one of
	// Ports, and without listeners speak HTTP/2 with prior knowledge, which an ALB
	// refuses: what is meant to be asked need not be an ALB then. It needs nftables mode.
	AnyPort bool
	// TimeScale divides every timer of an ALB: with 60, the idle timeout of 60 s
	// is 1 s. 0 means 1; otherwise 0.001 to 10000.
	TimeScale float64
	// LoadBalancers and Nodes are there from the start, and again after a reset.
	LoadBalancers []LoadBalancer
	Nodes         []Node
	// AccessLog gets the lines of an ALB's access log, each in one Write. Nil for
	// none.
	AccessLog io.Writer
	// ConnectionLog gets the lines of an ALB's connection log, each in one Write. Nil
	// for none.
	ConnectionLog io.Writer
	// HealthCheckLog gets the lines of an ALB's health check log likewise (3.2 D).
	HealthCheckLog io.Writer
	// Logger gets what goes wrong inside. By default that is dropped.
	Logger *slog.Logger
}

// maxTargets bounds LoadBalancer.Targets: an ALB takes 1,000 targets.
const maxTargets = 1000

// maxLag bounds Node.ControlPlaneLag.
const maxLag = Duration(time.Hour)

// maxCertificates is an ALB's quota: 25 and the default one.
const maxCertificates = 26

var lbName = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9-]{0,30}[A-Za-z0-9])?$`)

// validate returns c with its defaults filled in.
func (c Config) validate() (Config, error) {
	if c.Control == "" {
		c.Control = "127.0.0.1:0"
	}
	if c.TimeScale == 0 {
		c.TimeScale = 1
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	switch {
	case c.Network != NetworkNFTables && c.Network != NetworkUserspace:
		return c, fmt.Errorf("got network %q, want %q or %q", c.Network, NetworkNFTables, NetworkUserspace)
	case c.Network == NetworkUserspace && c.Interface != "":
		return c, fmt.Errorf("got interface %q with network %q, which uses none: leave it out", c.Interface, c.Network)
	case c.Network == NetworkUserspace && c.AnyPort:
		return c, fmt.Errorf("got any port with network %q, which has no way to take it: name the ports, or use %q", c.Network, NetworkNFTables)
	case len(c.Ports) == 0:
		return c, fmt.Errorf("got no port, want at least one for the nodes to listen on")
	case !controlAllowed(c.Control, c.Network):
		return c, fmt.Errorf("got control address %q, want an address with a port, of the loopback, of a private or benchmarking network, or, in nftables mode, 0.0.0.0: whoever reaches it may do anything", c.Control)
	case slices.Contains(c.Ports, 0):
		return c, fmt.Errorf("got port 0, want 1 to 65535: every node listens on the same ports")
	case !(c.TimeScale >= 0.001 && c.TimeScale <= 10000):
		return c, fmt.Errorf("got time scale %g, want 0.001 to 10000", c.TimeScale)
	}
	c.Ports = slices.Compact(slices.Sorted(slices.Values(c.Ports)))
	return c, nil
}

// check returns what is wrong with a load balancer, and its defaults filled in.
func (lb LoadBalancer) check() (LoadBalancer, error) {
	if lb.ErrorBody == "" {
		lb.ErrorBody = ErrorBodyCurrent
	}
	if err := lb.checkCloud(); err != nil {
		return lb, err
	}
	if lb.DNSName == "" {
		lb.DNSName = lb.Type.dnsName(lb.Name)
	}
	var err error
	if lb, err = lb.checkType(); err != nil {
		return lb, err
	}
	if lb, err = lb.checkGroups(); err != nil {
		return lb, err
	}
	switch {
	case lb.TargetGroup != nil && lb.Targets != 0:
		return lb, badField("targets", "got %d built-in targets and a target group, want one of them", lb.Targets)
	case len(lb.Certificates) > maxCertificates:
		return lb, badField("certificates", "got %d certificates, want at most %d", len(lb.Certificates), maxCertificates)
	case slices.ContainsFunc(lb.Certificates, func(c string) bool { return !cert.IsName(c) }):
		return lb, badField("certificates", "got %q, want host names, the first label of which may be *", lb.Certificates)
	case lb.ZonalShift != "" && !lb.Attributes.ZonalShift:
		return lb, badField("zonal_shift", "got zone %q without the attribute zonal_shift.config.enabled, want that on first", lb.ZonalShift)
	case len(lb.DNSName) > 255:
		return lb, badField("dns_name", "got a name of %d bytes, want at most 255", len(lb.DNSName))
	case !lbName.MatchString(lb.Name):
		return lb, badField("name", "got load balancer name %q, want 1 to 32 letters, digits and inner hyphens", lb.Name)
	case lb.MaxConnections < 0:
		return lb, badField("max_connections", "got %d, want 0 or more", lb.MaxConnections)
	case lb.Targets < 0 || lb.Targets > maxTargets:
		return lb, badField("targets", "got %d targets, want 0 to %d", lb.Targets, maxTargets)
	case lb.ErrorBody != ErrorBodyCurrent && lb.ErrorBody != ErrorBodyPre2020:
		return lb, badField("error_body", "got error body %q, want %q or %q", lb.ErrorBody, ErrorBodyCurrent, ErrorBodyPre2020)
	}
	return lb, nil
}

// controlAllowed keeps the control API off public addresses. Every address of a
// container (0.0.0.0) is allowed, since its network is what bounds it.
func controlAllowed(address string, network Network) bool {
	ap, err := netip.ParseAddrPort(address)
	if err != nil {
		return false
	}
	a := ap.Addr()
	return a.IsLoopback() || a.IsPrivate() || benchmarking.Contains(a) || a.IsUnspecified() && network == NetworkNFTables
}

// summary is what the history says of a load balancer.
func (lb LoadBalancer) summary() string {
	var out string
	switch {
	case lb.TargetGroup != nil:
		out = "target_group=" + targetIDs(lb.TargetGroup.Targets)
	default:
		out = fmt.Sprintf("targets=%d", lb.Targets)
	}
	for _, g := range lb.TargetGroups {
		out += fmt.Sprintf(" target_groups[%s]=%s", g.Name, targetIDs(g.Targets))
	}
	if lb.ZonalShift != "" {
		out += " zonal_shift=" + lb.ZonalShift
	}
	if lb.Cloud != "" {
		out += " cloud=" + string(lb.Cloud)
	}
	return fmt.Sprintf("%s error_body=%s", out, lb.ErrorBody)
}

func (n Node) check(network Network) error {
	switch {
	case !n.Addr.IsValid() || n.Addr.Is4In6() || n.Addr.Zone() != "" || n.Addr.Is6() && !n.Addr.IsGlobalUnicast():
		return badField("addr", "got node address %s, want an IPv4 address, or an IPv6 address that is neither local to a link nor a loopback one", n.Addr)
	case network == NetworkUserspace && !loopback.Contains(n.Addr):
		return badField("addr", "got node address %s, want one of %s: the network is %q", n.Addr, loopback, network)
	case n.Fault != "" && n.Fault != FaultNone:
		return badField("fault", "got fault %q with the node: put it on with /v1/faults", n.Fault)
	case n.ControlPlaneLag < 0 || n.ControlPlaneLag > maxLag:
		return badField("control_plane_lag", "got %s, want 0 to %s", time.Duration(n.ControlPlaneLag), time.Duration(maxLag))
	case !routeWord.MatchString(n.JVMRoute):
		return badField("jvm_route", "got %q, want at most 64 letters, digits, hyphens and underscores", n.JVMRoute)
	case len(n.Zone) > 64:
		return badField("zone", "got a zone of %d bytes, want at most 64", len(n.Zone))
	}
	return nil
}

var (
	loopback     = netip.MustParsePrefix("127.0.0.0/8")
	benchmarking = netip.MustParsePrefix("198.18.0.0/15") // RFC 2544
)
