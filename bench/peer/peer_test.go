package peer_test

import (
	"context"
	"io"
	"net"
	"os/exec"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"github.com/proxychaos/proxychaos/bench/gen"
	"github.com/proxychaos/proxychaos/bench/peer"
)

func shop(t *testing.T, tools ...string) *peer.Shop {
	t.Helper()
	for _, tool := range tools {
		if _, err := exec.LookPath(tool); err != nil {
			t.Fatalf("%s is missing: .ci/packages installs it", tool)
		}
	}
	s := &peer.Shop{Dir: t.TempDir(), Cache: t.TempDir(), Binary: "/nonexistent/proxychaos", Log: io.Discard}
	t.Cleanup(s.Close)
	return s
}

// The peers that come from Debian do the same job: they pass on the backend's
// body, over HTTP and over HTTPS with verification.
func TestProxiesPassOn(t *testing.T) {
	s := shop(t, "nginx", "haproxy", "apache2")
	id, err := s.Identity()
	NewWithT(t).Expect(err).NotTo(HaveOccurred())
	backend, secure, err := s.Answers(t.Context(), "off", id)
	NewWithT(t).Expect(err).NotTo(HaveOccurred())
	for scheme, job := range map[string]peer.Job{
		"http":  {Name: "http", Backend: backend.Addr},
		"https": {Name: "https", Backend: secure, TLS: id},
	} {
		t.Run(scheme, func(t *testing.T) {
			g := NewWithT(t)
			small, err := gen.Get(t.Context(), scheme+"://"+job.Backend.String()+"/")
			g.Expect(err).NotTo(HaveOccurred())
			nginx, err := s.Nginx(t.Context(), job)
			g.Expect(err).NotTo(HaveOccurred())
			haproxy, err := s.HAProxy(t.Context(), job)
			g.Expect(err).NotTo(HaveOccurred())
			apache, err := s.Apache(t.Context(), job)
			g.Expect(err).NotTo(HaveOccurred())
			for _, proxy := range []*peer.Server{nginx, haproxy, apache} {
				url := scheme + "://" + proxy.Addr.String() + "/"
				g.Expect(gen.Get(t.Context(), url)).To(Equal(small), proxy.Name)
				body, err := gen.Get(t.Context(), url+peer.Large)
				g.Expect(err).NotTo(HaveOccurred())
				g.Expect(body).To(HaveLen(100<<10), proxy.Name)
				g.Expect(proxy.Version).To(MatchRegexp(`^\d+\.\d+\.\d+$`), proxy.Name)
			}
		})
	}
}

// HTTP/2 from clients over TLS, and gRPC: what the rows of bench/proxies start is spoken to
// in this way.
func TestProxiesSpeakHTTP2(t *testing.T) {
	s := shop(t, "nginx", "haproxy", "h2load")
	g := NewWithT(t)
	id, err := s.Identity()
	g.Expect(err).NotTo(HaveOccurred())
	backend, _, err := s.Answers(t.Context(), "off", nil)
	g.Expect(err).NotTo(HaveOccurred())
	job := peer.Job{Name: "http2", Backend: backend.Addr, HTTP2: id}
	for _, start := range []func(context.Context, peer.Job) (*peer.Server, error){s.Nginx, s.HAProxy} {
		proxy, err := start(t.Context(), job)
		g.Expect(err).NotTo(HaveOccurred())
		got, err := gen.HTTP2(t.Context(), "https://"+proxy.Addr.String()+"/", time.Second)
		g.Expect(err).NotTo(HaveOccurred(), proxy.Name)
		g.Expect(got.PerSecond).To(BeNumerically(">", 0), proxy.Name)
	}
	callee, err := gen.Callee(t.Context())
	g.Expect(err).NotTo(HaveOccurred())
	haproxy, err := s.HAProxy(t.Context(), peer.Job{Name: "grpc", Backend: callee, Calls: true})
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(gen.Called(t.Context(), haproxy.Addr)).To(Succeed())
}

func TestUsageCountsTheChildren(t *testing.T) {
	s := shop(t, "nginx", "wrk")
	g := NewWithT(t)
	nginx, _, err := s.Answers(t.Context(), "off", nil)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(nginx.Memory()).To(BeNumerically(">", 1<<20))
	before, err := nginx.CPU()
	g.Expect(err).NotTo(HaveOccurred())
	_, err = gen.Wrk(t.Context(), nginx.URL(), 1)
	g.Expect(err).NotTo(HaveOccurred())
	after, err := nginx.CPU()
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(after).To(BeNumerically(">", before), "its workers did the work")

	nginx.Stop()
	_, err = gen.Get(t.Context(), nginx.URL())
	g.Expect(err).To(HaveOccurred(), "nothing answers any more")
	_, err = nginx.Memory()
	g.Expect(err).To(MatchError(ContainSubstring("has ended")))
}

// What does not start says why, in the words of the program.
func TestFailedStart(t *testing.T) {
	s := shop(t, "haproxy")
	g := NewWithT(t)
	_, err := s.FakeDNS(t.Context(), "10.0.0.1")
	g.Expect(err).To(MatchError(ContainSubstring("start fakedns: fork/exec /nonexistent/proxychaos")))
	_, err = s.HAProxy(t.Context(), peer.Job{Name: "broken", TLS: &peer.Identity{Both: "/nonexistent.pem"}})
	g.Expect(err).To(MatchError(And(ContainSubstring("haproxy: it ended at once"), ContainSubstring("/nonexistent.pem"))))
}

func TestFreeAddrIsFree(t *testing.T) {
	g := NewWithT(t)
	addr, err := peer.FreeAddr(t.Context())
	g.Expect(err).NotTo(HaveOccurred())
	l, err := net.Listen("tcp4", addr.String())
	g.Expect(err).NotTo(HaveOccurred())
	_ = l.Close()
	g.Expect(addr.Addr().IsLoopback()).To(BeTrue())
}

func TestVersion(t *testing.T) {
	g := NewWithT(t)
	for said, want := range map[string]string{
		"nginx version: nginx/1.22.1":                          "1.22.1",
		"wrk 4.1.0-3debian [epoll] Copyright (C) 2012":         "4.1.0",
		"Version 2.10.0\n  -s the server (default: 127.0.0.1)": "2.10.0",
		"Server version: Apache/2.4.71 (Debian)":               "2.4.71",
	} {
		g.Expect(peer.Version(t.Context(), "echo", said)).To(Equal(want))
	}
	g.Expect(peer.Version(t.Context(), "/nonexistent")).To(And(HavePrefix("of unknown version"), ContainSubstring("no such file")))
	g.Expect(strings.Contains(peer.Version(t.Context(), "true"), "unknown")).To(BeTrue())
}
