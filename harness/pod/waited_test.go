package pod

import (
	"math"
	"os/exec"
	"testing"
	"time"

	"github.com/prometheus/procfs"
	"golang.org/x/sys/unix"
)

// Two programs that never rest share one CPU: each waits for about half of the time.
func TestWaitedForACPU(t *testing.T) {
	p, err := newProcs()
	if err != nil {
		t.Fatal(err)
	}
	var own, one unix.CPUSet
	if err := unix.SchedGetaffinity(0, &own); err != nil {
		t.Fatal(err)
	}
	for cpu := range 1024 {
		if own.IsSet(cpu) {
			one.Set(cpu)
			break
		}
	}
	var pids []int
	for range 2 {
		busy := exec.CommandContext(t.Context(), "sh", "-c", "while :; do :; done")
		if err := busy.Start(); err != nil {
			t.Fatal(err)
		}
		defer func() { _ = busy.Process.Kill(); _ = busy.Wait() }()
		if err := unix.SchedSetaffinity(busy.Process.Pid, &one); err != nil {
			t.Fatal(err)
		}
		pids = append(pids, busy.Process.Pid)
	}
	ctx := timely(t)
	for _, pid := range pids {
		for {
			waited, err := p.waited(pid)
			if err != nil {
				t.Fatal(err)
			}
			if waited > 100*time.Millisecond {
				break
			}
			if ctx.Err() != nil {
				t.Fatalf("process %d waited %s for a CPU that it shares with another, want over 0.1 s", pid, waited)
			}
			time.Sleep(10 * time.Millisecond)
		}
	}
	if waited, err := p.waited(1 << 30); waited != 0 || err != nil {
		t.Errorf("a process that has ended: got %s, %v, want nothing", waited, err)
	}
}

// The kernel may take a thread's sleep for waiting.
func TestASleepIsNoWait(t *testing.T) {
	for name, c := range map[string]struct {
		stat procfs.ProcSchedstat
		want time.Duration
	}{
		"asleep":  {procfs.ProcSchedstat{WaitingNanoseconds: 12_105_580_478, RunTimeslices: 9}, 900 * time.Millisecond},
		"starved": {procfs.ProcSchedstat{WaitingNanoseconds: 12_105_580_478, RunTimeslices: 2000}, 12_105_580_478},
		"forever": {procfs.ProcSchedstat{WaitingNanoseconds: 1, RunTimeslices: math.MaxUint64}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			if got := ready(c.stat); got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}
