package rollout

import (
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"github.com/proxychaos/proxychaos/harness/run"
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

// A comparison with the load balancers of another cloud does not go on from the blocks of one with
// AWS's: they are about something else.
func TestAQuestionAboutAnotherCloudIsAnotherOne(t *testing.T) {
	g := NewWithT(t)
	of := func(cloud string) []string {
		q := question(1, "alb-ip-rotate", "alias-switch")
		for i := range q.Scenarios {
			q.Scenarios[i].World.Cloud = cloud
		}
		return q.Words(run.Options{}, "a commit")
	}
	g.Expect(of("azure")).NotTo(Equal(of("")))
	g.Expect(of("azure")).NotTo(Equal(of("gcp")))
	g.Expect(of("azure")).To(Equal(of("azure")))
}

// What was compared is said with its cloud, unless that is AWS's.
func TestTitlesSayTheCloud(t *testing.T) {
	g := NewWithT(t)
	q := question(1, "alb-ip-rotate")
	g.Expect(q.Title(0, "./now.conf")).To(Equal("./now.conf"))
	q.Scenarios[0].World.Cloud = "azure"
	g.Expect(q.Title(0, "./now.conf")).To(Equal("./now.conf, CLOUD=azure"))
	q.A.Release, q.B.Release = "stable", "testing"
	g.Expect(q.Title(1, "./now.conf")).To(Equal("./now.conf on nginx testing, CLOUD=azure"))
}
