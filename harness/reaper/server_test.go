package reaper

import (
	"bufio"
	"context"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	. "github.com/onsi/gomega"
)

// ours are the labels of every Server in these tests.
var ours = map[string]string{"org.proxychaos.session": "x&y"}

const oursLine = "label=org.proxychaos.session=x%26y"

// serving runs a Server with a short grace; removed receives what it removes.
func serving(t *testing.T, cfg Config) (addr string, removed chan map[string]string, ended chan error, log *lockedLog) {
	t.Helper()
	removed, ended, log = make(chan map[string]string, 1), make(chan error, 1), &lockedLog{}
	cfg.Listen, cfg.Log, cfg.Labels = "127.0.0.1:0", log, ours
	s, err := New(cfg, func(_ context.Context, labels map[string]string) error {
		removed <- labels
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	go func() { ended <- s.Run(t.Context()) }()
	return s.Addr().String(), removed, ended, log
}

type lockedLog struct {
	mu sync.Mutex
	b  strings.Builder
}

func (l *lockedLog) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(b)
}

func (l *lockedLog) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func say(t *testing.T, conn net.Conn, line string) string {
	t.Helper()
	if _, err := conn.Write([]byte(line + "\n")); err != nil {
		t.Fatal(err)
	}
	answer, err := bufio.NewReader(conn).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	return answer
}

func dial(t *testing.T, addr string) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

func TestRemovesAfterTheLastClient(t *testing.T) {
	g := NewWithT(t)
	addr, removed, ended, log := serving(t, Config{Grace: 100 * time.Millisecond, FirstClient: time.Minute})
	a, b := dial(t, addr), dial(t, addr)
	g.Expect(say(t, a, oursLine)).To(Equal("ACK\n"))
	g.Expect(say(t, b, oursLine)).To(Equal("ACK\n"))
	g.Expect(say(t, b, oursLine)).To(Equal("ACK\n"))
	g.Expect(say(t, b, "network=foo")).To(HavePrefix("ERROR "))

	g.Expect(a.Close()).To(Succeed())
	g.Consistently(removed, 300*time.Millisecond).ShouldNot(Receive(), "one client is still there")
	last := time.Now()
	g.Expect(b.Close()).To(Succeed())
	g.Eventually(removed, 5*time.Second).Should(Receive(Equal(ours)))
	g.Expect(time.Since(last)).To(BeNumerically(">=", 100*time.Millisecond))
	g.Eventually(ended, 5*time.Second).Should(Receive(BeNil()))
	g.Expect(log.String()).To(HavePrefix("Started"))
	_, err := net.Dial("tcp", addr)
	g.Expect(err).To(HaveOccurred(), "nobody may register with a server that has ended")
}

func TestAClientThatComesBackCallsItOff(t *testing.T) {
	g := NewWithT(t)
	addr, removed, _, _ := serving(t, Config{Grace: 400 * time.Millisecond, FirstClient: time.Minute})
	a := dial(t, addr)
	g.Expect(say(t, a, oursLine)).To(Equal("ACK\n"))
	g.Expect(a.Close()).To(Succeed())
	b := dial(t, addr)
	g.Expect(say(t, b, oursLine)).To(Equal("ACK\n"))
	g.Consistently(removed, time.Second).ShouldNot(Receive())
	g.Expect(b.Close()).To(Succeed())
	g.Eventually(removed, 5*time.Second).Should(Receive())
}

func TestAProbeOfThePortIsNotTheEnd(t *testing.T) {
	g := NewWithT(t)
	addr, removed, ended, _ := serving(t, Config{Grace: 0, FirstClient: time.Minute})
	g.Expect(dial(t, addr).Close()).To(Succeed())
	g.Consistently(ended, 300*time.Millisecond).ShouldNot(Receive())
	a := dial(t, addr)
	g.Expect(say(t, a, oursLine)).To(Equal("ACK\n"))
	g.Expect(a.Close()).To(Succeed())
	g.Eventually(removed, 5*time.Second).Should(Receive())
}

func TestGivesUpWithoutAnyClient(t *testing.T) {
	g := NewWithT(t)
	_, removed, ended, _ := serving(t, Config{FirstClient: 50 * time.Millisecond})
	g.Eventually(ended, 5*time.Second).Should(Receive(BeNil()))
	g.Expect(removed).NotTo(Receive(), "nobody came, so nothing may be removed")
}

func TestOtherLabelsAreRefused(t *testing.T) {
	g := NewWithT(t)
	addr, removed, ended, log := serving(t, Config{FirstClient: time.Minute})
	run := dial(t, addr)
	g.Expect(say(t, run, oursLine)).To(Equal("ACK\n"))
	for _, line := range []string{
		"label=com.docker.compose.project=prod",
		"label=org.proxychaos.session=x",
		"label=org.proxychaos.session=",
		oursLine + "&label=com.docker.compose.project=prod",
	} {
		// Held open, each of them: they must not keep the run's own from being removed.
		answer := say(t, dial(t, addr), line)
		g.Expect(answer).To(HavePrefix("ERROR "), line)
		g.Expect(answer).NotTo(ContainSubstring("x&y"), "the labels are a secret")
	}
	g.Expect(run.Close()).To(Succeed())
	g.Eventually(removed, 5*time.Second).Should(Receive(Equal(ours)), log.String())
	g.Eventually(ended, 5*time.Second).Should(Receive(BeNil()))
}

func TestAHeldConnectionDoesNotStopIt(t *testing.T) {
	g := NewWithT(t)
	addr, removed, _, _ := serving(t, Config{FirstClient: time.Minute})
	held := dial(t, addr) // before the run, and never a word
	run := dial(t, addr)
	g.Expect(say(t, run, oursLine)).To(Equal("ACK\n"))
	_, err := held.Write([]byte("label=half"))
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(run.Close()).To(Succeed())
	g.Eventually(removed, 5*time.Second).Should(Receive(Equal(ours)))
}

func TestAHeldConnectionIsNoFirstClient(t *testing.T) {
	g := NewWithT(t)
	addr, removed, ended, _ := serving(t, Config{FirstClient: 300 * time.Millisecond})
	dial(t, addr)
	g.Eventually(ended, 5*time.Second).Should(Receive(BeNil()))
	g.Expect(removed).NotTo(Receive())
}

func TestASilentConnectionIsClosed(t *testing.T) {
	g := NewWithT(t)
	addr, removed, _, _ := serving(t, Config{FirstClient: 300 * time.Millisecond})
	run := dial(t, addr)
	g.Expect(say(t, run, oursLine)).To(Equal("ACK\n"))
	silent := dial(t, addr)
	g.Expect(silent.SetReadDeadline(time.Now().Add(5 * time.Second))).To(Succeed())
	_, err := silent.Read(make([]byte, 1))
	g.Expect(err).To(MatchError(io.EOF), "after the wait for a first client")
	g.Expect(say(t, run, oursLine)).To(Equal("ACK\n"), "the run may be silent for as long as it likes")
	g.Expect(removed).NotTo(Receive())
}

func TestNothingIsRemovedWithoutALabel(t *testing.T) {
	g := NewWithT(t)
	_, err := New(Config{Listen: "127.0.0.1:0", FirstClient: time.Minute}, nil)
	g.Expect(err).To(MatchError(ContainSubstring("everything")))
	g.Expect(Reap(t.Context(), nil, nil)).To(MatchError(ContainSubstring("everything")))
	g.Expect(Sweep(t.Context(), nil, nil)).To(MatchError(ContainSubstring("everything")))
	t.Setenv(labelsVariable, "")
	cmd := Command()
	cmd.SetArgs(nil)
	cmd.SilenceErrors = true
	g.Expect(cmd.Execute()).To(MatchError(ContainSubstring(labelsVariable)))
}

func TestBadLabels(t *testing.T) {
	for _, line := range []string{"", "   ", "label=", "label=x", "label==x", "name=a=b", "label=a=b&image=x", "label=a=%zz", "label=a=b&label=a=c"} {
		if got, err := ParseLabels(line); err == nil {
			t.Errorf("%q: got %v, want an error", line, got)
		}
	}
}

func FuzzParseLabels(f *testing.F) {
	f.Add("label=a=b&label=c=d")
	f.Add("label=org.testcontainers.sessionId=0f&label=org.testcontainers=true")
	f.Add("label=a=b%26c%3Dd\r")
	f.Add("label=a")
	f.Fuzz(func(t *testing.T, line string) {
		labels, err := ParseLabels(line)
		if err != nil {
			return
		}
		if len(labels) == 0 {
			t.Fatalf("%q: no labels and no error: that would remove everything", line)
		}
		for name := range labels {
			if name == "" {
				t.Fatalf("%q: empty name", line)
			}
		}
		again, err := ParseLabels(FormatLabels(labels))
		if err != nil || len(again) != len(labels) {
			t.Fatalf("%q: %v is written as %q and read as %v, %v", line, labels, FormatLabels(labels), again, err)
		}
		for name, value := range labels {
			if again[name] != value {
				t.Fatalf("%q: label %q was %q, is %q", line, name, value, again[name])
			}
		}
	})
}
