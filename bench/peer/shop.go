package peer

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime/debug"
)

// Shop starts programs and stops them all at the end.
type Shop struct {
	Dir    string    // for configs and logs; removed by nobody here
	Cache  string    // of built peers
	Binary string    // proxychaos
	Log    io.Writer // one line for what takes long

	started []*Process
}

// Server is a program that answers.
type Server struct {
	Name    string
	Version string
	Addr    netip.AddrPort
	Control string // URL of its control API, where it has one
	*Process
}

// URL is where it answers plain HTTP.
func (s *Server) URL() string { return "http://" + s.Addr.String() + "/" }

// Close stops everything that was started, the last first.
func (s *Shop) Close() {
	for i := len(s.started) - 1; i >= 0; i-- {
		s.started[i].Stop()
	}
	s.started = nil
}

func (s *Shop) say(format string, args ...any) { fmt.Fprintf(s.Log, format+"\n", args...) }

// launch starts argv and waits until it accepts connections at server.Addr.
func (s *Shop) launch(ctx context.Context, server *Server, argv ...string) (*Server, error) {
	p, err := start(ctx, s.Dir, server.Name, argv)
	if err != nil {
		return nil, err
	}
	s.started = append(s.started, p)
	server.Process = p
	if err := p.accepts(ctx, server.Addr); err != nil {
		p.Stop()
		return nil, fmt.Errorf("%s: %w", server.Name, err)
	}
	return server, nil
}

// file writes a config below the shop's folder and returns its path.
func (s *Shop) file(name, content string) (string, error) {
	path := filepath.Join(s.Dir, name)
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		return "", fmt.Errorf("write a config: %w", err)
	}
	return path, nil
}

// FreeAddr is a loopback address on which nothing listens, over TCP or UDP.
func FreeAddr(ctx context.Context) (netip.AddrPort, error) {
	var config net.ListenConfig
	for range 100 {
		l, err := config.Listen(ctx, "tcp4", "127.0.0.1:0")
		if err != nil {
			return netip.AddrPort{}, fmt.Errorf("find a free port: %w", err)
		}
		addr := netip.MustParseAddrPort(l.Addr().String())
		u, err := config.ListenPacket(ctx, "udp4", addr.String())
		_ = l.Close()
		if err == nil {
			_ = u.Close()
			return addr, nil
		}
	}
	return netip.AddrPort{}, fmt.Errorf("find a free port: each of 100 was taken over UDP")
}

// versions are tried in this order on what a program says of itself.
var versions = []*regexp.Regexp{
	regexp.MustCompile(`(?i)version:? (?:apache/|nginx/)?v?(\d+\.\d+(?:\.\d+)?)`),
	regexp.MustCompile(`(\d+\.\d+(?:\.\d+)?)`),
}

// Version asks a program for its version and returns the number in its answer.
func Version(ctx context.Context, argv ...string) string {
	out, err := exec.CommandContext(ctx, argv[0], argv[1:]...).CombinedOutput()
	for _, v := range versions {
		if m := v.FindSubmatch(out); m != nil {
			return string(m[1]) // some exit with 1 after they said it
		}
	}
	return fmt.Sprintf("of unknown version (%v)", err)
}

// LibraryVersion is that of a Go module that this program was built with.
func LibraryVersion(module string) string {
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, dep := range info.Deps {
			if dep.Path == module {
				return dep.Version
			}
		}
	}
	return "of unknown version"
}
