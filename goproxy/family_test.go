package goproxy

import (
	"net"
	"testing"
	"time"
)

// A listener takes connections of the family that its address says, or of both.
func TestListenersKeepToTheirFamily(t *testing.T) {
	for listen, want := range map[string][2]bool{
		"0.0.0.0:0":   {true, false},
		"[::]:0":      {false, true},
		":0":          {true, true},
		"127.0.0.1:0": {true, false},
		"[::1]:0":     {false, true},
		"localhost:0": {true, false},
	} {
		p, err := New(simpleConfig(1), Options{Listen: listen})
		if err != nil {
			t.Fatal(err)
		}
		_, port, err := net.SplitHostPort(p.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		for i, host := range []string{"127.0.0.1", "::1"} {
			conn, err := net.DialTimeout("tcp", net.JoinHostPort(host, port), 5*time.Second)
			if (err == nil) != want[i] {
				t.Errorf("%s: a connection to %s: %v, want one: %v", listen, host, err, want[i])
			}
			if err == nil {
				conn.Close()
			}
		}
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	}
}
