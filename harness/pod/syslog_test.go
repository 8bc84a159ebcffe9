package pod

import (
	"net"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// What is sent to the socket or to port 514 of any address is a line of the proxy's log,
// without its priority. A socket that an agent before has left is made anew.
func TestSyslogIsALog(t *testing.T) {
	if !inNamespace(t) {
		return
	}
	socket := filepath.Join(t.TempDir(), "run", "log")
	if err := os.MkdirAll(filepath.Dir(socket), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(socket, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	addInterface(t, "198.19.5.2/24")
	c := startAgent(t, func(cfg *Config) { cfg.Sockets = filepath.Dir(socket) })
	if mode := fileInfo(t, socket).Mode(); mode.Type() != os.ModeSocket || mode.Perm() != 0o666 {
		t.Errorf("got %s, want a socket that every user may write to", mode)
	}
	var want []string
	for _, to := range []struct{ network, address, message, line string }{
		{"unixgram", socket, "<131>Nov 30 00:00:00 haproxy[7]: Proxy web started.\n", "Nov 30 00:00:00 haproxy[7]: Proxy web started."},
		{"udp", "127.0.0.1:514", "<14>one\r\ntwo", "one"},
		{"udp", "10.0.0.9:514", "no priority", "no priority"},
		{"udp", "198.19.5.21:514", "<1234>what is none", "<1234>what is none"},
		{"udp", "[2001:db8::9]:514", "<7>over IPv6", "over IPv6"},
	} {
		conn, err := net.Dial(to.network, to.address)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := conn.Write([]byte(to.message)); err != nil {
			t.Fatalf("%s: %v", to.address, err)
		}
		if err := conn.Close(); err != nil {
			t.Fatal(err)
		}
		want = append(want, to.line)
	}
	want = slices.Insert(want, 2, "two")
	var got []string
	eventually(t, "every line is there", func() bool {
		logs, err := c.Logs(timely(t))
		if err != nil || logs.Error != "" {
			t.Fatalf("%v %s", err, logs.Error)
		}
		got = got[:0]
		for _, line := range logs.Lines {
			got = append(got, line.Text)
		}
		return len(got) >= len(want)
	})
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// A proxy that takes syslog messages itself can listen beside the agent.
func TestAProxyMayHaveThePortOfSyslog(t *testing.T) {
	if !inNamespace(t) {
		return
	}
	startAgent(t)
	config := net.ListenConfig{Control: reuseAddress}
	conn, err := config.ListenPacket(t.Context(), "udp4", "0.0.0.0:514")
	if err != nil {
		t.Fatal(err)
	}
	if err := conn.Close(); err != nil {
		t.Fatal(err)
	}
}
