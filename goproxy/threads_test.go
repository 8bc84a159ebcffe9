package goproxy

import (
	"runtime"
	"testing"
)

func TestSpareThreads(t *testing.T) {
	was := runtime.GOMAXPROCS(0)
	defer runtime.GOMAXPROCS(was)
	for _, test := range []struct {
		set  string
		want int
	}{{"", 2 * cores}, {"3", cores}} {
		runtime.GOMAXPROCS(cores) // an earlier test may have run the command
		t.Setenv("GOMAXPROCS", test.set)
		for range 2 { // a second one changes nothing
			spareThreads()
		}
		if got := runtime.GOMAXPROCS(0); got != test.want {
			t.Errorf("GOMAXPROCS=%q: %d threads, want %d", test.set, got, test.want)
		}
	}
}
