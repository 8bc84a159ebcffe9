package peer

import (
	"context"
	"fmt"
	"net/netip"
	"os"
)

// Job is what every proxy is to do: pass everything on to one backend over
// HTTP/1.1, with kept connections on both sides and without an access log. At most one
// of TLS, HTTP2 and Calls is set.
type Job struct {
	Name    string // starts the names of the configs
	Backend netip.AddrPort
	TLS     *Identity // HTTPS to clients, and to the backend, which is verified; nil is plain HTTP
	HTTP2   *Identity // HTTP/2 over TLS to clients; the backend is plain HTTP. Not for Apache
	// Calls makes both sides HTTP/2 without TLS, which is how gRPC is spoken within a
	// network. goproxy and HAProxy have it.
	Calls bool
	// Log makes HAProxy write an access log.
	Log bool
}

// Nginx starts nginx as a proxy.
func (s *Shop) Nginx(ctx context.Context, job Job) (*Server, error) {
	server, err := s.peer(ctx, "nginx", "nginx", "-v")
	if err != nil {
		return nil, err
	}
	listen, scheme, verify := "", "http", ""
	if t := job.TLS; t != nil {
		listen, scheme = fmt.Sprintf(" ssl;\n ssl_certificate %s;\n ssl_certificate_key %s", t.Cert, t.Key), "https"
		verify = fmt.Sprintf("\n  proxy_ssl_verify on; proxy_ssl_trusted_certificate %s; proxy_ssl_name localhost; proxy_ssl_server_name on;", t.CA)
	}
	if t := job.HTTP2; t != nil {
		listen = fmt.Sprintf(" ssl http2;\n ssl_certificate %s;\n ssl_certificate_key %s", t.Cert, t.Key)
	}
	config := s.nginxHead("off") + fmt.Sprintf(`
 upstream backend { server %s; keepalive 256; keepalive_requests 1000000000; }
 server {
 listen %s%s;
 location / {
  proxy_pass %s://backend;
  proxy_http_version 1.1; proxy_set_header Connection "";%s
 }}
}
`, job.Backend, server.Addr, listen, scheme, verify)
	return s.nginx(ctx, server, job.Name+"-nginx.conf", config)
}

// HAProxy starts HAProxy.
func (s *Shop) HAProxy(ctx context.Context, job Job) (*Server, error) {
	server, err := s.peer(ctx, "haproxy", "haproxy", "-v")
	if err != nil {
		return nil, err
	}
	bind, verify, log := "", "", ""
	if t := job.TLS; t != nil {
		bind = " ssl crt " + t.Both
		verify = " ssl verify required ca-file " + t.CA + " sni str(localhost) verifyhost localhost"
	}
	if t := job.HTTP2; t != nil {
		bind = " ssl crt " + t.Both + " alpn h2"
	}
	if job.Calls {
		bind, verify = " proto h2", " proto h2"
	}
	if job.Log {
		log = "\n log stdout format raw local0\n option httplog"
	}
	// HAProxy refuses a maxconn for which it may not open files enough on both
	// sides; idle clients need one side only.
	config := fmt.Sprintf(`global
 maxconn 12000
 no strict-limits
defaults
 mode http
 timeout connect 5s
 timeout client 1h
 timeout server 1h
 timeout http-keep-alive 1h
 http-reuse always%s
frontend front
 bind %s%s
 default_backend back
backend back
 server one %s%s
`, log, server.Addr, bind, job.Backend, verify)
	file, err := s.file(job.Name+"-haproxy.cfg", config)
	if err != nil {
		return nil, err
	}
	return s.launch(ctx, server, "haproxy", "-db", "-f", file)
}

// Caddy starts Caddy.
func (s *Shop) Caddy(ctx context.Context, job Job) (*Server, error) {
	program, err := s.install(ctx, Caddy)
	if err != nil {
		return nil, err
	}
	addr, err := FreeAddr(ctx)
	if err != nil {
		return nil, err
	}
	server := &Server{Name: "caddy", Version: Caddy.Version, Addr: addr}
	tls, upstream := "", ""
	if t := job.TLS; t != nil {
		tls = fmt.Sprintf("\n tls %s %s", t.Cert, t.Key)
		upstream = fmt.Sprintf("\n   tls\n   tls_trust_pool file %s\n   tls_server_name localhost", t.CA)
	}
	if t := job.HTTP2; t != nil {
		tls = fmt.Sprintf("\n tls %s %s", t.Cert, t.Key)
	}
	config := fmt.Sprintf(`{
 admin off
 auto_https off
 persist_config off
 servers {
  protocols h1 h2
 }
}
:%d {
 bind %s%s
 reverse_proxy %s {
  transport http {
   versions 1.1
   keepalive_idle_conns 1024
   keepalive_idle_conns_per_host 1024%s
  }
 }
}
`, addr.Port(), addr.Addr(), tls, job.Backend, upstream)
	file, err := s.file(job.Name+"-Caddyfile", config)
	if err != nil {
		return nil, err
	}
	return s.launch(ctx, server, program, "run", "--adapter", "caddyfile", "--config", file)
}

// Apache starts Apache httpd with the event MPM.
func (s *Shop) Apache(ctx context.Context, job Job) (*Server, error) {
	server, err := s.peer(ctx, "apache", "apache2", "-v")
	if err != nil {
		return nil, err
	}
	scheme, tls := "http", ""
	if t := job.TLS; t != nil {
		scheme = "https"
		tls = fmt.Sprintf(`LoadModule ssl_module modules/mod_ssl.so
SSLSessionCache none
SSLEngine on
SSLCertificateFile %s
SSLCertificateKeyFile %s
SSLProxyEngine on
SSLProxyVerify require
SSLProxyCACertificateFile %s
`, t.Cert, t.Key, t.CA)
	}
	// The name localhost is what the certificate is checked for.
	config := fmt.Sprintf(`ServerRoot /usr/lib/apache2
ServerName localhost
PidFile %[1]s/%[2]s-apache.pid
DefaultRuntimeDir %[1]s
ErrorLog /dev/stderr
LoadModule mpm_event_module modules/mod_mpm_event.so
LoadModule authz_core_module modules/mod_authz_core.so
LoadModule proxy_module modules/mod_proxy.so
LoadModule proxy_http_module modules/mod_proxy_http.so
%[3]sUser nobody
Group nogroup
Listen %[4]s
StartServers 2
ThreadsPerChild 64
MinSpareThreads 64
MaxSpareThreads 256
MaxRequestWorkers 256
AsyncRequestWorkerFactor 50
MaxKeepAliveRequests 0
KeepAliveTimeout 3600
ProxyPass / %[5]s://localhost:%[6]d/ enablereuse=on
`, s.Dir, job.Name, tls, server.Addr, scheme, job.Backend.Port())
	file, err := s.file(job.Name+"-apache.conf", config)
	if err != nil {
		return nil, err
	}
	return s.launch(ctx, server, "apache2", "-DFOREGROUND", "-f", file)
}

// peer is a server of a name on a free address, with the version it says it has.
func (s *Shop) peer(ctx context.Context, name string, version ...string) (*Server, error) {
	addr, err := FreeAddr(ctx)
	if err != nil {
		return nil, err
	}
	return &Server{Name: name, Version: Version(ctx, version...), Addr: addr}, nil
}

// nginxHead begins a config, up to the inside of http.
func (s *Shop) nginxHead(accessLog string) string {
	return fmt.Sprintf(`user root;
daemon off;
worker_processes auto;
pid nginx-%[2]d.pid;
error_log stderr;
events { worker_connections 16384; }
http {
 access_log %[1]s;
 keepalive_requests 1000000000; keepalive_timeout 1h;
 client_body_temp_path %[3]s; proxy_temp_path %[3]s; fastcgi_temp_path %[3]s; uwsgi_temp_path %[3]s; scgi_temp_path %[3]s;
 ssl_protocols TLSv1.2 TLSv1.3;
`, accessLog, len(s.started), s.Dir+"/nginx-temp")
}

func (s *Shop) nginx(ctx context.Context, server *Server, name, config string) (*Server, error) {
	if err := os.MkdirAll(s.Dir+"/nginx-temp", 0o755); err != nil {
		return nil, fmt.Errorf("folder for nginx: %w", err)
	}
	file, err := s.file(name, config)
	if err != nil {
		return nil, err
	}
	return s.launch(ctx, server, "nginx", "-p", s.Dir, "-c", file)
}
