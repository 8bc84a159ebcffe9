package pod

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/prometheus/procfs"
	"github.com/vishvananda/netlink"
)

// dnsPorts are where fakedns answers, at whatever address: 53, the port that Consul
// answers on, and the one of mDNS, which some use for a DNS server of a test.
var dnsPorts = []uint16{53, 8600, 5353}

// Nodes says which connections are upstream ones: those to an address in
// Prefix that is not in Except (the control address of the nodes' agent).
type Nodes struct {
	Prefix netip.Prefix `json:"nodes"`
	Except []netip.Addr `json:"except,omitempty"`
	// Literals adds those to every address outside Prefix, but for loopback addresses
	// and DNS servers: nodes are behind all others.
	Literals bool `json:"literals,omitempty"`
}

func (n Nodes) validate() error {
	if !n.Prefix.IsValid() {
		return invalid("nodes", "missing, want the prefix of the ALB nodes, such as 198.18.1.0/24")
	}
	return nil
}

func (n Nodes) contains(peer netip.AddrPort) bool {
	a := peer.Addr().Unmap()
	if n.Prefix.Contains(a) {
		return !slices.Contains(n.Except, a)
	}
	return n.Literals && !a.IsLoopback() && !slices.Contains(dnsPorts, peer.Port())
}

// Process is one process of the proxy: one in this network namespace that is
// not the agent.
type Process struct {
	PID  int `json:"pid"`
	PPID int `json:"ppid"` // 0: its parent is outside this process namespace
	// Command is the command line with blanks between arguments, so also the
	// title that nginx gives its processes.
	Command string `json:"command"`
	Listens bool   `json:"listens"` // it holds a listening TCP socket
	// Worker: it accepts client connections, or holds upstream ones. A master
	// holds the listening sockets only to hand them to its children, so the
	// processes that accept are those that listen and have no child that does.
	Worker bool `json:"worker"`
	// Upstream are its established connections to nodes.
	Upstream []Connection `json:"upstream"`
	// Seen counts the connections to nodes that a watch has ever seen it hold;
	// 0 outside a watch.
	Seen int `json:"seen"`
	// Gone: a watch has seen it, and it has ended since.
	Gone bool `json:"gone,omitempty"`
	// Waited is how long one of its threads, the one that waited longest, was ready to run
	// and had no CPU since it began; 0 outside a watch, and if the kernel does not count
	// it (CONFIG_SCHED_INFO).
	Waited Duration `json:"waited,omitempty"`

	start uint64 // when it began, in clock ticks: a pid can come again
}

// Connection is one established TCP connection.
type Connection struct {
	Local  netip.AddrPort `json:"local"`
	Remote netip.AddrPort `json:"remote"`
}

// procs reads processes from /proc.
type procs struct {
	fs  procfs.FS
	net string // the name of this network namespace: "net:[4026531840]"
	own int
}

func newProcs() (*procs, error) {
	pfs, err := procfs.NewFS("/proc")
	if err != nil {
		return nil, fmt.Errorf("pod: open /proc: %w", err)
	}
	ns, err := os.Readlink("/proc/self/ns/net")
	if err != nil {
		return nil, fmt.Errorf("pod: read own network namespace: %w", err)
	}
	return &procs{fs: pfs, net: ns, own: os.Getpid()}, nil
}

// proc is one process with the sockets it holds.
type proc struct {
	Process
	sockets map[uint32]bool // by inode
}

// all lists the processes of this network namespace but the agent. Sockets of
// the agent are nobody else's: a child that has not yet begun its program holds
// them too.
func (p *procs) all() ([]proc, error) {
	entries, err := p.fs.AllProcs()
	if err != nil {
		return nil, fmt.Errorf("pod: list /proc: %w", err)
	}
	self, err := p.fs.Proc(p.own)
	if err != nil {
		return nil, fmt.Errorf("pod: find the agent in /proc: %w", err)
	}
	targets, err := self.FileDescriptorTargets()
	if err != nil {
		return nil, fmt.Errorf("pod: read the agent's descriptors: %w", err)
	}
	own := socketInodes(targets)
	var out []proc
	for _, entry := range entries {
		if entry.PID == p.own {
			continue
		}
		one, ok, err := p.read(entry)
		if err != nil {
			return nil, err
		}
		if ok {
			maps.DeleteFunc(one.sockets, func(inode uint32, _ bool) bool { return own[inode] })
			out = append(out, one)
		}
	}
	return out, nil
}

// read returns false for a process that ended meanwhile, is a zombie, or is of
// another network namespace.
func (p *procs) read(entry procfs.Proc) (proc, bool, error) {
	ns, err := p.namespace(entry.PID)
	if err != nil || ns != p.net {
		return proc{}, false, ignoreEnded(err)
	}
	stat, err := entry.Stat()
	if err != nil {
		return proc{}, false, ignoreEnded(err)
	}
	if stat.State == "Z" || stat.State == "X" {
		return proc{}, false, nil
	}
	targets, err := entry.FileDescriptorTargets()
	if err != nil {
		return proc{}, false, ignoreEnded(err)
	}
	args, err := entry.CmdLine()
	if err != nil {
		return proc{}, false, ignoreEnded(err)
	}
	one := proc{Process: Process{PID: entry.PID, PPID: stat.PPID, Command: command(args, stat.Comm), start: stat.Starttime}}
	one.sockets = socketInodes(targets)
	return one, true, nil
}

// waited is Process.Waited.
func (p *procs) waited(pid int) (time.Duration, error) {
	threads, err := p.fs.AllThreads(pid)
	if err != nil {
		return 0, ignoreEnded(err)
	}
	var longest time.Duration
	for _, thread := range threads {
		stat, err := thread.Schedstat()
		if err := ignoreEnded(err); err != nil {
			return 0, err
		}
		longest = max(longest, ready(stat))
	}
	return longest, nil
}

// longestTurn is longer than a thread waits for its turn on a CPU, also if 30 others do.
const longestTurn = 100 * time.Millisecond

// ready is how long a thread was ready to run and had no CPU. If the kernel moves a thread
// to another CPU just after it fell asleep, it counts its sleep as waiting: with Varnish's
// 200 threads, one that had run for 0.7 ms had "waited" for 12 s of 16 (Linux 6.18).
func ready(stat procfs.ProcSchedstat) time.Duration {
	turns := min(stat.RunTimeslices, uint64(math.MaxInt64/longestTurn))
	return min(time.Duration(stat.WaitingNanoseconds), time.Duration(turns)*longestTurn) //nolint:gosec // 292 years of waiting
}

// socketInodes picks the sockets among the targets of file descriptors.
func socketInodes(targets []string) map[uint32]bool {
	inodes := map[uint32]bool{}
	for _, target := range targets {
		number, ok := strings.CutPrefix(target, "socket:[")
		if !ok {
			continue
		}
		if inode, err := strconv.ParseUint(strings.TrimSuffix(number, "]"), 10, 32); err == nil {
			inodes[uint32(inode)] = true
		}
	}
	return inodes
}

// command is the command line, or the name of a process that has none.
func command(args []string, comm string) string {
	if line := strings.TrimSpace(strings.Join(args, " ")); line != "" {
		return line
	}
	return comm
}

// ignoreEnded drops the errors that reading /proc gives for a process that
// ended while it was read.
func ignoreEnded(err error) error {
	if err == nil || errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ESRCH) {
		return nil
	}
	return fmt.Errorf("pod: read a process of the proxy (the pod needs CAP_SYS_PTRACE and CAP_DAC_READ_SEARCH): %w", err)
}

// namespace names the network namespace of a process. Linux refuses permission to read
// the link of a process that ends meanwhile, instead of saying that it is not there
// (proc_ns_readlink in fs/proc/namespaces.c).
func (p *procs) namespace(pid int) (string, error) {
	dir := "/proc/" + strconv.Itoa(pid)
	ns, err := os.Readlink(dir + "/ns/net")
	if errors.Is(err, fs.ErrPermission) {
		if _, gone := os.Stat(dir); gone != nil {
			return "", gone
		}
	}
	return ns, err
}

// attribute gives each process its connections to nodes and decides which are
// workers. Sockets are those listening or established.
func attribute(all []proc, sockets []socket, nodes Nodes) []Process {
	out := make([]Process, len(all))
	for i, p := range all {
		p.Upstream = []Connection{}
		for _, s := range sockets {
			switch {
			case s.inode == 0 || !p.sockets[s.inode]:
			case s.state == netlink.TCP_LISTEN:
				p.Listens = true
			case nodes.contains(s.remote):
				p.Upstream = append(p.Upstream, Connection{Local: s.local, Remote: s.remote})
			}
		}
		out[i] = p.Process
	}
	parents := map[int]bool{}
	for _, p := range out {
		if p.Listens {
			parents[p.PPID] = true
		}
	}
	for i := range out {
		p := &out[i]
		p.Worker = p.Listens && !parents[p.PID] || len(p.Upstream) > 0
	}
	return out
}
