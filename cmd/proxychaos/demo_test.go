package main

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	"github.com/onsi/gomega/gbytes"
)

// A request a tick, over more than one move: none is lost, and both groups of
// nodes have answered.
func TestDemoLosesNothing(t *testing.T) {
	g := NewWithT(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	access, log := gbytes.NewBuffer(), gbytes.NewBuffer()
	done := make(chan error, 1)
	go func() { done <- runDemo(ctx, access, log, 2*demoGrace) }()
	g.Eventually(log, "10s").Should(gbytes.Say("addresses changed"))

	answered := map[string]int{}
	for len(answered) < 4 || !strings.Contains(string(log.Contents()), "refuse connections") {
		node, err := getDemo(ctx)
		g.Expect(err).NotTo(HaveOccurred())
		answered[node]++
		g.Expect(answered[node]).To(BeNumerically("<", 10_000), "all four nodes should have answered: %v", answered)
		<-time.After(5 * time.Millisecond)
	}
	cancel()
	g.Eventually(done, "20s").Should(Receive(BeNil()))
}

// getDemo returns the node that a built-in target says it was reached by.
func getDemo(ctx context.Context) (string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://127.0.0.1:8088/", http.NoBody)
	if err != nil {
		return "", err
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return "", err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	_, rest, found := strings.Cut(string(body), "node=")
	if res.StatusCode != http.StatusOK || !found {
		return "", &exitError{text: res.Status + ": " + string(body)}
	}
	node, _, _ := strings.Cut(rest, " ")
	return node, err
}

func TestDemoRefusesAStayShorterThanTheGrace(t *testing.T) {
	NewWithT(t).Expect(execute([]string{"demo", "--every", "1s"})).To(Equal(exitTrouble))
}
