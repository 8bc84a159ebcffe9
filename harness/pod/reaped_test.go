package pod

import (
	"os/exec"
	"testing"
	"time"
)

// A process that ends while it is looked at is not there; nothing was forbidden.
func TestProcessEndsWhileItIsRead(t *testing.T) {
	list, err := newProcs()
	if err != nil {
		t.Fatal(err)
	}
	for until := time.Now().Add(2 * time.Second); time.Now().Before(until); {
		child := exec.Command("true")
		if err := child.Start(); err != nil {
			t.Fatal(err)
		}
		reaped := make(chan error, 1)
		go func() { reaped <- child.Wait() }()
		for {
			_, err := list.namespace(child.Process.Pid)
			if other := ignoreEnded(err); other != nil {
				t.Fatal(other)
			}
			if err != nil {
				break // it has ended
			}
		}
		<-reaped
	}
}
