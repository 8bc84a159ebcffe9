package gen

import (
	"fmt"
	"syscall"
	"time"
)

// ownCores is how many cores this process keeps busy during f, with whatever of it works
// at the same time.
func ownCores(f func() error) (float64, error) {
	before, err := ownTime()
	if err != nil {
		return 0, err
	}
	began := time.Now()
	if err := f(); err != nil {
		return 0, err
	}
	took := time.Since(began)
	after, err := ownTime()
	return (after - before).Seconds() / took.Seconds(), err
}

// ownTime is the processor time that this process has used so far.
func ownTime() (time.Duration, error) {
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		return 0, fmt.Errorf("processor time of this process: %w", err)
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano()), nil
}
