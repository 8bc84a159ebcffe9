package pod

import (
	"bufio"
	"fmt"
	"net"
	"net/netip"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
)

var testNodes = Nodes{Prefix: netip.MustParsePrefix("127.9.0.0/24"), Except: []netip.Addr{netip.MustParseAddr("127.9.0.1")}}

// tell sends lines to one worker of podtest prefork and returns its pid.
func tell(t *testing.T, addr string, lines ...string) int {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	pid := 0
	r := bufio.NewReader(conn)
	for _, line := range lines {
		if _, err := fmt.Fprintln(conn, line); err != nil {
			t.Fatal(err)
		}
		if _, err := fmt.Fscanln(r, &pid); err != nil {
			t.Fatal(err)
		}
	}
	return pid
}

func find(t *testing.T, all []Process, pid int) Process {
	t.Helper()
	i := slices.IndexFunc(all, func(p Process) bool { return p.PID == pid })
	if i < 0 {
		t.Fatalf("no process %d in %+v", pid, all)
	}
	return all[i]
}

func startNode(t *testing.T, addr string) string {
	t.Helper()
	return listen(t, addr, func(conn net.Conn) {
		_, _ = conn.Read(make([]byte, 1))
		conn.Close()
	}).String()
}

func TestListenersAndWorkers(t *testing.T) {
	if !inNamespace(t) {
		return
	}
	c := startAgent(t)
	if got, err := c.Listeners(timely(t), 0); err != nil || len(got) != 0 {
		t.Fatalf("before the proxy: got %+v, %v, want none", got, err)
	}
	type waited struct {
		found []Listener
		err   error
	}
	wait := make(chan waited, 1)
	go func() {
		found, err := c.Listeners(t.Context(), 30*time.Second)
		wait <- waited{found, err}
	}()
	master := runPodtest(t, "prefork", "--listen", "127.0.8.1:8080", "--workers", "3", "--uid", "33")
	first := <-wait
	if first.err != nil || len(first.found) != 1 {
		t.Fatalf("while waiting: got %+v, want one listener", first)
	}
	if l := first.found[0]; l.Addr.String() != "127.0.8.1" || l.Port != 8080 || l.PID != master.Process.Pid || !strings.Contains(l.Command, "prefork --listen") {
		t.Errorf("got %+v, want 127.0.8.1:8080 of process %d", l, master.Process.Pid)
	}

	control, far, near := startNode(t, "127.9.0.1:0"), startNode(t, "127.9.1.9:0"), startNode(t, "127.9.0.2:0")
	worker := tell(t, "127.0.8.1:8080", "dial "+near, "dial "+near, "dial "+control, "dial "+far)
	all, err := c.Processes(timely(t), testNodes)
	if err != nil {
		t.Fatal(err)
	}
	if len(all) != 5 {
		t.Fatalf("got %d processes, want master, 3 workers and the idle one: %+v", len(all), all)
	}
	workers := 0
	for _, p := range all {
		isWorker := strings.HasSuffix(p.Command, " worker")
		if isWorker {
			workers++
		}
		if p.Worker != isWorker || p.Listens != (isWorker || p.PID == master.Process.Pid) {
			t.Errorf("got %+v, want worker %v", p, isWorker)
		}
		if p.PID != worker && len(p.Upstream) != 0 {
			t.Errorf("process %d: got connections %v, want none", p.PID, p.Upstream)
		}
	}
	if workers != 3 {
		t.Errorf("got %d workers, want 3", workers)
	}
	p := find(t, all, worker)
	if len(p.Upstream) != 2 || p.Upstream[0].Remote.String() != near || p.PPID != master.Process.Pid {
		t.Errorf("got %+v, want two connections to %s", p, near)
	}
}

func TestSingleProcessIsItsOwnWorker(t *testing.T) {
	if !inNamespace(t) {
		return
	}
	c := startAgent(t)
	cmd := runPodtest(t, "prefork", "--listen", ":0", "--workers", "0")
	all, err := c.Processes(timely(t), testNodes)
	if err != nil {
		t.Fatal(err)
	}
	if p := find(t, all, cmd.Process.Pid); !p.Worker || !p.Listens {
		t.Errorf("got %+v, want a worker", p)
	}
	found, err := c.Listeners(timely(t), 0)
	if err != nil || len(found) != 1 || found[0].PID != cmd.Process.Pid {
		t.Errorf("listeners: got %+v, %v, want one of process %d", found, err, cmd.Process.Pid)
	}
}

func TestWatchSeesConnectionsThatAreGone(t *testing.T) {
	if !inNamespace(t) {
		return
	}
	c := startAgent(t)
	master := runPodtest(t, "prefork", "--listen", "127.0.8.1:8080", "--workers", "1", "--uid", "33")
	near := startNode(t, "127.9.0.2:0")
	started, err := c.StartWatch(timely(t), WatchRequest{Nodes: testNodes, Interval: Duration(2 * time.Millisecond)})
	if err != nil {
		t.Fatal(err)
	}
	state := func() Watch {
		w, err := c.Watch(timely(t), started.ID)
		if err != nil || w.Error != "" {
			t.Fatalf("got %+v, %v", w, err)
		}
		return w
	}
	worker := tell(t, "127.0.8.1:8080", "dial "+near, "dial "+near)
	eventually(t, "two connections seen", func() bool { return find(t, state().Processes, worker).Seen == 2 })
	tell(t, "127.0.8.1:8080", "drop")
	tell(t, "127.0.8.1:8080", "dial "+near)
	eventually(t, "a third one seen", func() bool { return find(t, state().Processes, worker).Seen == 3 })
	w := state()
	if p := find(t, w.Processes, worker); len(p.Upstream) != 1 || !p.Worker || p.Gone {
		t.Errorf("got %+v, want a worker with one connection now", p)
	}
	if p := find(t, w.Processes, master.Process.Pid); p.Seen != 0 || p.Worker {
		t.Errorf("the master: got %+v, want nothing seen", p)
	}
	if w.Unattributed != 0 || w.Cost.Samples < 3 || w.Cost.Mean <= 0 || w.Cost.Max < w.Cost.Mean || w.Cost.Share <= 0 {
		t.Errorf("got %+v, want a cost and every connection attributed", w)
	}
	probe, err := c.OpenCanary(timely(t), "own", CanaryRequest{Addr: netip.MustParseAddrPort(near)})
	if err != nil {
		t.Fatal(err)
	}
	samples := state().Cost.Samples
	eventually(t, "three more samples", func() bool { return state().Cost.Samples > samples+3 })
	for _, p := range state().Processes {
		if p.PID == os.Getpid() || slices.ContainsFunc(p.Upstream, func(u Connection) bool { return u.Local == probe.Local }) {
			t.Errorf("got %+v, want the agent's own connection left out", p)
		}
	}
	if err := master.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the worker is gone", func() bool { return find(t, state().Processes, worker).Gone })
	if p := find(t, state().Processes, worker); p.Seen != 3 || len(p.Upstream) != 0 {
		t.Errorf("got %+v, want what was seen kept", p)
	}
	if w := state(); w.Unattributed != 0 {
		t.Errorf("got %d connections unattributed, want 0", w.Unattributed)
	}
	if err := c.PaceWatch(timely(t), started.ID, Pace{Interval: Duration(10 * time.Second)}); err != nil {
		t.Fatal(err)
	}
	if w := state(); time.Duration(w.Interval) != 10*time.Second {
		t.Errorf("got an interval of %v, want 10 s", w.Interval)
	}
	samples = state().Cost.Samples
	if err := c.PaceWatch(timely(t), started.ID, Pace{Interval: Duration(5 * time.Millisecond)}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "samples at the new pace", func() bool { return state().Cost.Samples > samples+3 })
	if err := c.PaceWatch(timely(t), started.ID, Pace{Interval: Duration(time.Hour)}); err == nil {
		t.Error("an interval of an hour was taken")
	}
}
