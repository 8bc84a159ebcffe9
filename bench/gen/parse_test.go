package gen

import (
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"
)

// What the generators print, as they printed it here (wrk 4.1.0, h2load
// 1.52.0, dnsperf 2.10.0).
const (
	wrkOutput = `Running 1s test @ http://127.0.0.1:8080/
  1 threads and 32 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency   380.55us  150.20us   5.10ms   93.11%
    Req/Sec    84.53k     3.50k   90.54k    72.73%
  92515 requests in 1.10s, 15.62MB read
Requests/sec:  84110.37
Transfer/sec:     14.20MB
`
	wrkWithErrors = `  41 requests in 1.10s, 15.62KB read
  Socket errors: connect 0, read 41, write 12031, timeout 0
Requests/sec:     37.27
`
	wrkOther = `  92515 requests in 1.10s, 15.62MB read
  Non-2xx or 3xx responses: 92515
Requests/sec:  84110.37
`
	h2loadOutput = `starting benchmark...
finished in 60.81ms, 16445.18 req/s, 3.03MB/s
requests: 1000 total, 1000 started, 1000 done, 990 succeeded, 10 failed, 0 errored, 0 timeout
status codes: 990 2xx, 0 3xx, 0 4xx, 10 5xx
`
	http2Output = `starting benchmark...
TLS Protocol: TLSv1.3
Cipher: TLS_AES_128_GCM_SHA256
Application protocol: h2

finished in 1.00s, 24105.00 req/s, 1.19MB/s
requests: 24105 total, 25129 started, 24105 done, 24105 succeeded, 0 failed, 0 errored, 0 timeout
status codes: 24121 2xx, 0 3xx, 0 4xx, 0 5xx
`
	dnsOutput = `Statistics:

  Queries sent:         116210
  Queries completed:    116210 (100.00%)
  Queries lost:         0 (0.00%)

  Response codes:       NOERROR 116210 (100.00%)
  Average packet size:  request 39, response 71
  Run time (s):         1.000900
  Queries per second:   116105.504945
`
)

func TestHeldRate(t *testing.T) {
	g := NewWithT(t)
	g.Expect(heldRate(1000, 4001, 4*time.Second+backlog)).To(Succeed())
	g.Expect(heldRate(1000, 4001, 4*time.Second+backlog+1)).To(MatchError(ContainSubstring("got 941 requests/s, want 1000")))
	g.Expect(heldRate(1000, 1, 0)).NotTo(Succeed())
}

func TestParse(t *testing.T) {
	g := NewWithT(t)
	result, err := parseWrk(wrkOutput, 0.5)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(result).To(Equal(Result{PerSecond: 84110.37, Cores: 0.5}))
	for output, want := range map[string]string{
		wrkWithErrors:        "Socket errors: connect 0, read 41",
		wrkOther:             "Non-2xx or 3xx responses: 92515",
		"":                   "got no ",
		"Requests/sec: 0.00": "no answers",
	} {
		_, err := parseWrk(output, 0)
		g.Expect(err).To(MatchError(ContainSubstring(want)), output)
	}

	g.Expect(parseH2load(h2loadOutput, 990)).To(Succeed())
	g.Expect(parseH2load(h2loadOutput, 1000)).To(MatchError("h2load: 990 of 1000 requests succeeded"))
	g.Expect(parseH2load("", 1)).NotTo(Succeed())

	rate, lost, err := parseDNSPerf(dnsOutput)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(rate).To(BeNumerically("~", 116105.5, 0.1))
	g.Expect(lost).To(BeZero())
	for old, output := range map[string]string{
		"none":   "  Queries sent: 10\n  Queries completed: 0 (0%)\n  Queries per second: 0.0\n",
		"mixed":  "  Queries sent: 10\n  Queries completed: 10 (100%)\n  Queries per second: 1.0\n  Response codes: NOERROR 9 (90.00%), SERVFAIL 1 (10.00%)\n",
		"wrong":  "  Queries sent: 10\n  Queries completed: 10 (100%)\n  Queries per second: 1.0\n  Response codes: REFUSED 10 (100.00%)\n",
		"absent": "  Queries per second: 1.0\n",
	} {
		_, _, err := parseDNSPerf(output)
		g.Expect(err).To(HaveOccurred(), old)
	}
}

func TestParseHTTP2(t *testing.T) {
	g := NewWithT(t)
	g.Expect(parseHTTP2(http2Output, 0.5)).To(Equal(Result{PerSecond: 24105, Cores: 0.5}))
	for from, to := range map[string]string{
		"protocol: h2": "protocol: http/1.1", "0 failed": "3 failed", "0 errored": "1 errored", "0 timeout": "2 timeout",
		"24105 succeeded": "0 succeeded", "finished in": "ended in", "requests: ": "answers: ",
	} {
		_, err := parseHTTP2(strings.Replace(http2Output, from, to, 1), 0.5)
		g.Expect(err).To(HaveOccurred(), to)
	}
	_, err := parseHTTP2(strings.Replace(http2Output, "protocol: h2", "protocol: h2c", 1), 0.5)
	g.Expect(err).NotTo(HaveOccurred())
}
