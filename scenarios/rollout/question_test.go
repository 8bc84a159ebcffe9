package rollout

import (
	"testing"
	"time"
)

// Both are watched for as long as the one that keeps an address for longer.
func TestHowLongBothAreWatched(t *testing.T) {
	q := question(1, "s")
	q.A.Refresh, q.A.Keeps, q.B.Refresh = 5*time.Second, 10*time.Second, 12*time.Second
	if got := q.Watch(); got != 15*time.Second {
		t.Errorf("got %v, want 15 s", got)
	}
	if q.B.Refresh = 15 * time.Second; q.Watch() != 0 {
		t.Errorf("got %v, want nothing more: both say the same", q.Watch())
	}
	q.B.Refresh = time.Hour
	if got := q.Watch(); got != mostWatch {
		t.Errorf("got %v, want %v at most", got, mostWatch)
	}
}
