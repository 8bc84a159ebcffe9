package peer

import (
	"context"
	"fmt"
	"net/netip"
	"strings"
)

// Large is the path of a body of 100 KiB, from a file.
const Large = "100k"

// Answers is nginx that answers every request itself with a small body, and
// [Large] from a file. accessLog is a path or "off". With an identity it also
// listens with TLS, on the address returned beside it.
func (s *Shop) Answers(ctx context.Context, accessLog string, id *Identity) (server *Server, tls netip.AddrPort, err error) {
	if server, err = s.peer(ctx, "nginx", "nginx", "-v"); err != nil {
		return nil, tls, err
	}
	secure := ""
	if id != nil {
		if tls, err = FreeAddr(ctx); err != nil {
			return nil, tls, err
		}
		secure = fmt.Sprintf("\n listen %s ssl; ssl_certificate %s; ssl_certificate_key %s;", tls, id.Cert, id.Key)
	}
	if _, err = s.file(Large, strings.Repeat("0123456789abcde\n", 100<<10/16)); err != nil {
		return nil, tls, err
	}
	config := s.nginxHead(accessLog) + fmt.Sprintf(` sendfile on; tcp_nopush on;
 server {
 listen %s;%s
 root %s;
 location / { return 200 "proxychaos benchmark backend\n"; }
 location = /%s { }
 }
}
`, server.Addr, secure, s.Dir, Large)
	server, err = s.nginx(ctx, server, fmt.Sprintf("answers-%d.conf", server.Addr.Port()), config)
	return server, tls, err
}

// HTTPBin starts go-httpbin, whose log goes to a file.
func (s *Shop) HTTPBin(ctx context.Context) (*Server, error) {
	program, err := s.install(ctx, GoHTTPBin)
	if err != nil {
		return nil, err
	}
	addr, err := FreeAddr(ctx)
	if err != nil {
		return nil, err
	}
	server := &Server{Name: "go-httpbin", Version: GoHTTPBin.Version, Addr: addr}
	return s.launch(ctx, server, program, "-host", addr.Addr().String(), "-port", fmt.Sprint(addr.Port()))
}

// Toxiproxy starts toxiproxy without proxies.
func (s *Shop) Toxiproxy(ctx context.Context) (*Server, error) {
	program, err := s.install(ctx, Toxiproxy)
	if err != nil {
		return nil, err
	}
	addr, err := FreeAddr(ctx)
	if err != nil {
		return nil, err
	}
	server := &Server{Name: "toxiproxy", Version: Toxiproxy.Version, Addr: addr, Control: "http://" + addr.String()}
	return s.launch(ctx, server, program, "-host", addr.Addr().String(), "-port", fmt.Sprint(addr.Port()))
}
