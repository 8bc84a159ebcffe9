package peer

import (
	"fmt"
	"time"

	"github.com/prometheus/procfs"
)

// CPU is the processor time that the program and its children used so far.
func (p *Process) CPU() (time.Duration, error) {
	var seconds float64
	err := p.each(func(proc procfs.Proc) error {
		stat, err := proc.Stat()
		seconds += stat.CPUTime()
		return err
	})
	return time.Duration(seconds * float64(time.Second)), err
}

// Memory is what the program and its children hold of memory, in bytes: the
// proportional set size, which counts what several of them share once. Of a
// single process it is the resident set size.
func (p *Process) Memory() (uint64, error) {
	var bytes uint64
	err := p.each(func(proc procfs.Proc) error {
		rollup, err := proc.ProcSMapsRollup()
		bytes += rollup.Pss
		return err
	})
	return bytes, err
}

// each calls f for the program and all its descendants.
func (p *Process) each(f func(procfs.Proc) error) error {
	all, err := procfs.AllProcs()
	if err != nil {
		return fmt.Errorf("list the processes: %w", err)
	}
	children := map[int][]procfs.Proc{}
	var root procfs.Proc
	for _, proc := range all {
		if proc.PID == p.cmd.Process.Pid {
			root = proc
		}
		if stat, err := proc.Stat(); err == nil { // one that has just ended has none
			children[stat.PPID] = append(children[stat.PPID], proc)
		}
	}
	if root.PID == 0 {
		return fmt.Errorf("process %d has ended", p.cmd.Process.Pid)
	}
	family := []procfs.Proc{root}
	for i := 0; i < len(family); i++ {
		family = append(family, children[family[i].PID]...)
		if err := f(family[i]); err != nil {
			return fmt.Errorf("process %d: %w", family[i].PID, err)
		}
	}
	return nil
}
