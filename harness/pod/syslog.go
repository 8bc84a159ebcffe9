package pod

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"sync"
)

// syslogPort is where syslog daemons are sent datagrams, at whatever address.
const syslogPort = 514

// maxSyslog is how long a message may be.
const maxSyslog = 64 << 10

// syslogd is a syslog daemon: what is sent to its socket, which is /dev/log of the proxy's
// container, and to UDP port 514 of any address is told as lines.
type syslogd struct {
	tell func(file, text string)
	open []net.PacketConn
	work sync.WaitGroup
}

// LogSocket is the name in Config.Sockets of the syslog daemon's socket.
const LogSocket = "log"

// startSyslog listens, also in a folder of sockets if that is not "".
func startSyslog(sockets string, tell func(file, text string)) (*syslogd, error) {
	s := &syslogd{tell: tell}
	port := net.JoinHostPort("", strconv.Itoa(syslogPort))
	// A proxy that listens there itself can do so all the same.
	shared := net.ListenConfig{Control: reuseAddress}
	conn, err := shared.ListenPacket(context.Background(), "udp", port)
	if err != nil {
		return nil, fmt.Errorf("pod: listen for syslog: %w", err)
	}
	s.read(conn, "udp "+port)
	if sockets == "" {
		return s, nil
	}
	socket := filepath.Join(sockets, LogSocket)
	if conn, err = listenSyslog(socket); err != nil {
		return nil, errors.Join(fmt.Errorf("pod: listen for syslog at %s: %w", socket, err), s.stop())
	}
	s.read(conn, "/dev/log")
	return s, nil
}

// listenSyslog makes the socket, in place of that of an agent before this one.
func listenSyslog(socket string) (net.PacketConn, error) {
	if err := clearSocket(socket); err != nil {
		return nil, err
	}
	conn, err := new(net.ListenConfig).ListenPacket(context.Background(), "unixgram", socket)
	if err != nil {
		return nil, err
	}
	if err := os.Chmod(socket, 0o666); err != nil { //nolint:gosec // workers run as any user
		return nil, errors.Join(err, conn.Close())
	}
	return conn, nil
}

// clearSocket makes room for a socket, and the folder that it is in.
func clearSocket(socket string) error {
	if err := os.MkdirAll(filepath.Dir(socket), 0o755); err != nil {
		return err
	}
	if err := os.Remove(socket); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// syslogPriority is what a message begins with, and what a daemon does not write to a file.
var syslogPriority = regexp.MustCompile(`^<\d{1,3}>`)

// read tells what comes over a socket, until it is closed.
func (s *syslogd) read(conn net.PacketConn, file string) {
	s.open = append(s.open, conn)
	s.work.Go(func() {
		message := make([]byte, maxSyslog)
		for {
			n, _, err := conn.ReadFrom(message)
			if err != nil {
				return
			}
			for _, line := range linesOf(syslogPriority.ReplaceAll(message[:n], nil)) {
				s.tell(file, line)
			}
		}
	})
}

func (s *syslogd) stop() error {
	var errs []error
	for _, conn := range s.open {
		errs = append(errs, conn.Close())
	}
	s.work.Wait()
	return errors.Join(errs...)
}
