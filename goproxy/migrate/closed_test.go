package migrate

import (
	"context"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	crossplane "github.com/nginxinc/nginx-go-crossplane"

	"github.com/proxychaos/proxychaos/goproxy"
)

// reaches serves the draft and returns for each "host/path" the upstream that
// was asked, or "" if the draft answers by itself.
func reaches(t *testing.T, cfg goproxy.Config, targets []string) map[string]string {
	t.Helper()
	out := map[string]string{}
	for target, header := range answers(t, cfg, targets) {
		out[target] = header.Get("Reached")
	}
	return out
}

// answers serves the draft and returns for each "host/path" the header of the answer. If
// an upstream was asked, it has its name in Reached, and in Asked what it was asked for.
func answers(t *testing.T, cfg goproxy.Config, targets []string) map[string]http.Header {
	t.Helper()
	backend := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Reached", r.Header.Get("Reached"))
		w.Header().Set("Asked", r.RequestURI)
	}))
	t.Cleanup(backend.Close)
	cfg.Listen, cfg.TLS, cfg.AccessLog, cfg.Resolvers = "127.0.0.1:0", nil, "off", nil
	ups := map[string]goproxy.Upstream{}
	for name := range cfg.Upstreams {
		ups[name] = goproxy.Upstream{URL: backend.URL}
	}
	cfg.Upstreams = ups
	for i, r := range cfg.Routes {
		if r.Status == 0 {
			cfg.Routes[i].Headers = goproxy.Headers{Request: goproxy.HeaderChange{Set: map[string]string{"Reached": r.Upstream}}}
		}
	}
	p, err := goproxy.New(cfg, goproxy.Options{})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- p.Run(ctx) }()
	client := &http.Client{Transport: &http.Transport{}}
	defer func() {
		client.CloseIdleConnections()
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	}()
	out := map[string]http.Header{}
	for _, target := range targets {
		host, path, _ := strings.Cut(target, "/")
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+p.Addr().String()+"/"+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Host = host
		resp, err := client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		out[target] = resp.Header
	}
	return out
}

func parse(t *testing.T, kind, text string) (goproxy.Config, []Note, error) {
	t.Helper()
	if kind == "apache" {
		return parseApache("f", text, false)
	}
	return parseNginx("f", text, crossplane.ParseOptions{
		SingleFile: true,
		Open:       func(string) (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(text)), nil },
	})
}

const (
	nginxOpen  = "location / { proxy_pass http://a; } "
	apacheOpen = "ProxyPass / http://a/\n"
	webSocket  = "RewriteEngine On\nRewriteCond %{HTTP:Upgrade} websocket [NC]\nRewriteCond %{HTTP:Connection} upgrade [NC]\n"
	balanced   = "<Proxy balancer://a>\nBalancerMember http://b:81\n</Proxy>\nProxyPass / balancer://a/\n"
)

// What is closed in the file reaches no upstream; what is open does.
func TestClosedStaysClosed(t *testing.T) {
	for name, test := range map[string]struct {
		kind, text   string
		open, closed []string // host/path
		upstream     string   // of open
		whole        bool     // nothing is missing
	}{
		"deny":               {kind: "nginx", text: "server { " + nginxOpen + "location /x { deny all; proxy_pass http://a; } }", open: []string{"h/", "h/y"}, closed: []string{"h/x", "h/x/y", "h/xy", "h//x", "h/%78"}},
		"auth_basic":         {kind: "nginx", text: "server { " + nginxOpen + "location /x/ { auth_basic a; proxy_pass http://a; } }", open: []string{"h/"}, closed: []string{"h/x/", "h/x/.", "h/x/y/.."}},
		"auth_request":       {kind: "nginx", text: "server { " + nginxOpen + "location /x { auth_request /auth; proxy_pass http://a; } }", open: []string{"h/"}, closed: []string{"h/x"}},
		"internal":           {kind: "nginx", text: "server { " + nginxOpen + "location /x { internal; proxy_pass http://a; } }", open: []string{"h/"}, closed: []string{"h/x"}},
		"limit_except":       {kind: "nginx", text: "server { " + nginxOpen + "location /x { limit_except GET { deny all; } proxy_pass http://a; } }", open: []string{"h/"}, closed: []string{"h/x"}},
		"valid_referers":     {kind: "nginx", text: "server { " + nginxOpen + "location /x { valid_referers none; proxy_pass http://a; } }", open: []string{"h/"}, closed: []string{"h/x"}},
		"secure_link":        {kind: "nginx", text: "server { " + nginxOpen + "location /x { secure_link $arg_md5; proxy_pass http://a; } }", open: []string{"h/"}, closed: []string{"h/x"}},
		"satisfy":            {kind: "nginx", text: "server { " + nginxOpen + "location /x { satisfy any; proxy_pass http://a; } }", open: []string{"h/"}, closed: []string{"h/x"}},
		"unknown directive":  {kind: "nginx", text: "server { " + nginxOpen + "location /x { waf on; proxy_pass http://a; } }", open: []string{"h/"}, closed: []string{"h/x"}},
		"if":                 {kind: "nginx", text: "server { " + nginxOpen + "location /x { if ($a) { return 403; } proxy_pass http://a; } }", open: []string{"h/"}, closed: []string{"h/x"}},
		"inherited":          {kind: "nginx", text: "server { " + nginxOpen + "location /x { deny all; location /x/y { proxy_pass http://a; } } }", open: []string{"h/"}, closed: []string{"h/x", "h/x/y"}},
		"of the server":      {kind: "nginx", text: "server { server_name s; ssl_verify_client on; " + nginxOpen + "} server { server_name o; " + nginxOpen + "}", open: []string{"o/"}, closed: []string{"s/", "foreign/"}},
		"of http":            {kind: "nginx", text: "http { deny all; server { " + nginxOpen + "} }", closed: []string{"h/"}},
		"return in a regex":  {kind: "nginx", text: "server { " + nginxOpen + `location ~ /\.git { return 403; } }`, open: []string{"h/"}, closed: []string{"h/.git", "h/a/%2egit/x"}, whole: true},
		"files":              {kind: "nginx", text: "server { " + nginxOpen + "location /s/ { root /srv; } }", open: []string{"h/"}, closed: []string{"h/s/x"}, whole: true},
		"foreign regex":      {kind: "nginx", text: "server { " + nginxOpen + "location ~ ^/(?!a) { deny all; } }", closed: []string{"h/", "h/b"}},
		"before expressions": {kind: "nginx", text: `server { location ~ \.php$ { proxy_pass http://a; } location ^~ /x/ { deny all; } }`, open: []string{"h/a.php"}, closed: []string{"h/x/a.php"}},
		"nested expression":  {kind: "nginx", text: `server { location /y/ { location ~ \.php$ { proxy_pass http://a; } } location /x/ { deny all; } ` + nginxOpen + "}", open: []string{"h/z"}, closed: []string{"h/x/a.php", "h/y/a.php"}},
		"missing include":    {kind: "nginx", text: "server { " + nginxOpen + "location /x { include acl.conf; proxy_pass http://a; } }", open: []string{"h/"}, closed: []string{"h/x"}},
		"harmless include":   {kind: "nginx", text: "server { location / { include proxy_params; proxy_pass http://a; } }", open: []string{"h/"}, whole: true},
		"default server":     {kind: "nginx", text: "server { server_name s; " + nginxOpen + "} server { listen 80 default_server; return 444; }", open: []string{"s/"}, closed: []string{"foreign/"}, whole: true},
		"first server":       {kind: "nginx", text: "server { return 404; } server { server_name s; " + nginxOpen + "}", open: []string{"s/"}, closed: []string{"foreign/"}, whole: true},
		"expression as name": {kind: "nginx", text: "server { server_name s; " + nginxOpen + "} server { server_name ~^secret; deny all; " + nginxOpen + "}", open: []string{"s/"}, closed: []string{"secret1/"}},
		"undefined name":     {kind: "nginx", text: "server { server_name ${SITE}; location / { proxy_pass http://b; } } server { listen 80 default_server; server_name s; " + nginxOpen + "}", open: []string{"s/"}, closed: []string{"other/"}},
		"undefined upstream": {kind: "nginx", text: "server { set $b b; location /x/ { proxy_pass http://$b_other; } " + nginxOpen + "}", open: []string{"h/"}, closed: []string{"h/x/"}},
		"unix":               {kind: "nginx", text: "server { location /x/ { proxy_pass http://unix:/a.sock:/x/; } " + nginxOpen + "}", open: []string{"h/"}, closed: []string{"h/x/"}},
		"other port":         {kind: "nginx", text: "server { server_name s; " + nginxOpen + "} server { listen 127.0.0.1:8081; server_name i; location / { proxy_pass http://b; } }", open: []string{"s/"}, closed: []string{}},
		"host without rest":  {kind: "nginx", text: "server { server_name d; " + nginxOpen + "} server { server_name s; location /x/ { proxy_pass http://a; } }", open: []string{"d/", "s/x/"}, closed: []string{"s/", "s/y"}, whole: true},
		"in an expression":   {kind: "nginx", text: "server { location ~ ^/(x|y)/ { proxy_pass http://a; location /x/z/ { deny all; proxy_pass http://a; } location /w/ { proxy_pass http://a; } } location /o/ { proxy_pass http://a; } }", open: []string{"h/o/"}, closed: []string{"h/x/z/", "h/x/", "h/w/"}},
		"query in a url":     {kind: "nginx", text: "server { " + nginxOpen + "location /x/ { proxy_pass http://a/p?q=; } }", open: []string{"h/"}, closed: []string{"h/x/"}},
		"user in a url":      {kind: "nginx", text: "server { " + nginxOpen + "location /x/ { proxy_pass http://a:b@c/; } }", open: []string{"h/"}, closed: []string{"h/x/"}},
		"loopback and TLS":   {kind: "nginx", text: "server { listen 127.0.0.1:80; server_name i; location / { proxy_pass http://b; } } server { listen 127.0.0.1:80; listen 443 ssl; ssl_certificate c; ssl_certificate_key k; server_name s; " + nginxOpen + "}", open: []string{"s/"}, closed: []string{"i/"}},
		"TLS of loopback":    {kind: "nginx", text: "server { listen 80; server_name s; " + nginxOpen + "} server { listen 127.0.0.1:443 ssl; ssl_certificate c; ssl_certificate_key k; server_name i; location / { proxy_pass http://b; } }", open: []string{"s/"}, closed: []string{"i/"}},
		"hidden TLS":         {kind: "nginx", text: "server { listen 10.0.0.1:80; listen 443 ssl; ssl_certificate c; ssl_certificate_key k; server_name o; " + nginxOpen + "} server { listen 443 ssl; ssl_certificate c; ssl_certificate_key k; server_name s; " + nginxOpen + "} server { listen 10.0.0.1:443 ssl; server_name j; return 404; }", open: []string{"o/"}, closed: []string{"s/"}},
		"PROXY protocol":     {kind: "nginx", text: "server { listen 80 proxy_protocol; " + nginxOpen + "}", open: []string{"h/"}},
		"another Host":       {kind: "nginx", text: "server { location / { proxy_set_header Host other; proxy_pass http://a; } }", open: []string{"h/"}},
		"^~ with a longer":   {kind: "nginx", text: `server { location ^~ /x/ { proxy_pass http://a; } location /x/y/ { proxy_pass http://a; } location ~ \.php$ { proxy_pass http://b; } location /o/ { proxy_pass http://a; } }`, open: []string{"h/o/"}, closed: []string{"h/x/", "h/x/a.php", "h/x/y/a.php"}},
		"^~ with a path":     {kind: "nginx", text: `server { location ^~ /x/ { proxy_pass http://a/z/; } location ~ \.php$ { proxy_pass http://b; } location /o/ { proxy_pass http://a; } }`, open: []string{"h/o/"}, closed: []string{"h/x/", "h/x/a.php"}},
		"redirected slash":   {kind: "nginx", text: "server { " + nginxOpen + "location /x/ { deny all; proxy_pass http://a; } }", open: []string{"h/", "h/xy"}, closed: []string{"h/x", "h/x/", "h/x/y"}},
		"^~ redirected":      {kind: "nginx", text: "server { " + nginxOpen + "location ^~ /x/ { auth_basic a; fastcgi_pass b; } }", open: []string{"h/", "h/xy"}, closed: []string{"h/x", "h/x/"}},
		"no redirect":        {kind: "nginx", text: "server { " + nginxOpen + "location /x/ { deny all; } }", open: []string{"h/", "h/x"}, closed: []string{"h/x/"}},
		"slash with its own": {kind: "nginx", text: "server { " + nginxOpen + "location = /x { proxy_pass http://a; } location /x/ { deny all; proxy_pass http://a; } }", open: []string{"h/x"}, closed: []string{"h/x/"}},
		"slash and shorter":  {kind: "nginx", text: "server { " + nginxOpen + "location /x { proxy_pass http://a; } location /x/ { deny all; proxy_pass http://a; } }", open: []string{"h/x"}, closed: []string{"h/x/"}},
		"limit_req":          {kind: "nginx", text: "server { location / { limit_req zone=a; proxy_pass http://a; } }", open: []string{"h/"}},
		"limit_conn":         {kind: "nginx", text: "limit_conn a 1; server { " + nginxOpen + "}", open: []string{"h/"}},
		"cookie attributes":  {kind: "nginx", text: `server { proxy_cookie_path / "/; Secure; HttpOnly"; ` + nginxOpen + "}", open: []string{"h/"}},
		"cookie path":        {kind: "nginx", text: `server { proxy_cookie_path /a /b; ` + nginxOpen + "}", open: []string{"h/"}, whole: true},

		"Require in Location":   {kind: "apache", text: apacheOpen + "ProxyPass /x/y http://a/\n<Location /x>\nRequire ip 10.0.0.0/8\n</Location>\n", open: []string{"h/", "h/xy"}, closed: []string{"h/x", "h/x/y", "h/%78/y"}},
		"LocationMatch":         {kind: "apache", text: apacheOpen + "<LocationMatch ^/(x|y)>\nRequire all denied\n</LocationMatch>\n", open: []string{"h/"}, closed: []string{"h/x", "h/y/z"}},
		"RequireAny":            {kind: "apache", text: apacheOpen + "<Location /x>\n<RequireAny>\nRequire host a\n</RequireAny>\n</Location>\n", open: []string{"h/"}, closed: []string{"h/x"}},
		"Order":                 {kind: "apache", text: apacheOpen + "<Location /x>\nOrder deny,allow\nDeny from all\nAllow from 10\n</Location>\n", open: []string{"h/"}, closed: []string{"h/x"}},
		"AuthType":              {kind: "apache", text: apacheOpen + "<Location /x>\nAuthType Basic\nRequire valid-user\n</Location>\n", open: []string{"h/"}, closed: []string{"h/x"}},
		"LimitExcept":           {kind: "apache", text: apacheOpen + "<Location /x>\n<LimitExcept GET>\nRequire all denied\n</LimitExcept>\n</Location>\n", open: []string{"h/"}, closed: []string{"h/x"}},
		"exception":             {kind: "apache", text: "ProxyPass /x !\n" + apacheOpen, open: []string{"h/"}, closed: []string{"h/x", "h/x/y"}, whole: true},
		"SSLVerifyClient":       {kind: "apache", text: "SSLVerifyClient require\n" + apacheOpen, closed: []string{"h/"}},
		"forbidding rewrite":    {kind: "apache", text: apacheOpen + "RewriteRule ^/x - [F]\n", closed: []string{"h/x"}},
		"Proxy":                 {kind: "apache", text: apacheOpen + "<Proxy *>\nRequire ip 10\n</Proxy>\n", closed: []string{"h/"}},
		"open Proxy":            {kind: "apache", text: apacheOpen + "<Proxy *>\nOrder deny,allow\nAllow from all\n</Proxy>\n", open: []string{"h/"}, whole: true},
		"wildcard Location":     {kind: "apache", text: apacheOpen + "<Location /*/x>\nRequire all denied\n</Location>\n", closed: []string{"h/", "h/a/x"}},
		"missing Include":       {kind: "apache", text: apacheOpen + "Include acl.conf\n", closed: []string{"h/"}},
		"first vhost":           {kind: "apache", text: "<VirtualHost *:80>\nServerName d\n</VirtualHost>\n<VirtualHost *:80>\nServerName s\n" + apacheOpen + "</VirtualHost>\n", open: []string{"s/"}, closed: []string{"foreign/"}, whole: true},
		"inherited Location":    {kind: "apache", text: "<Location /x>\nRequire all denied\n</Location>\n<VirtualHost *:80>\nServerName s\n" + apacheOpen + "</VirtualHost>\n", open: []string{"s/"}, closed: []string{"s/x"}},
		"undefined vhost":       {kind: "apache", text: "<VirtualHost *:80>\nServerName s\n" + apacheOpen + "</VirtualHost>\n<VirtualHost *:80>\nServerName ${NAME}\nProxyPass / http://b/\n</VirtualHost>\n", open: []string{"s/"}, closed: []string{"other/"}},
		"undefined target":      {kind: "apache", text: "ProxyPass /x http://${B}/\n" + apacheOpen, closed: []string{"h/x"}},
		"rewrite elsewhere":     {kind: "apache", text: apacheOpen + "RewriteRule ^/x/(.*)$ http://guard/x/$1 [P,L]\n", open: []string{"h/"}, closed: []string{"h/x/y", "h/%78/y"}},
		"rewrite by a cond":     {kind: "apache", text: apacheOpen + "RewriteCond %{HTTP:Upgrade} websocket [NC]\nRewriteRule /(.*) ws://a/$1 [P,L]\n", open: []string{"h/", "h/x"}, whole: true},
		"rewrite of the rest":   {kind: "apache", text: apacheOpen + "RewriteRule !^/x http://guard/ [P]\n", closed: []string{"h/", "h/x"}},
		"query of a target":     {kind: "apache", text: "ProxyPass /x http://a/?q=\n" + apacheOpen, open: []string{"h/"}, closed: []string{"h/x"}},
		"wildcard first":        {kind: "apache", text: "<VirtualHost *:80>\nServerName s.e\nServerAlias *.s.e\n" + apacheOpen + "</VirtualHost>\n<VirtualHost *:80>\nServerName i.s.e\nProxyPass / http://b/\n</VirtualHost>\n", open: []string{"s.e/", "i.s.e/"}, whole: true},
		"IfDefine":              {kind: "apache", text: "<IfDefine DEBUG>\nProxyPass /x http://a/\n</IfDefine>\n" + apacheOpen, open: []string{"h/"}},
		"IfDefine not":          {kind: "apache", text: "Define LIVE\n<IfDefine !LIVE>\nProxyPass /x http://b/\n</IfDefine>\n" + apacheOpen, open: []string{"h/", "h/x"}, whole: true},
		"IfModule not":          {kind: "apache", text: "<IfModule !mod_x.c>\nProxyPass /x http://a/\n</IfModule>\n" + apacheOpen, open: []string{"h/"}},
		"before ProxyPassMatch": {kind: "apache", text: "ProxyPass /x/ http://a/z/\nProxyPassMatch \\.php$ http://b\n" + apacheOpen, open: []string{"h/"}, closed: []string{"h/x/a.php", "h/x/a"}},
		"edited response":       {kind: "apache", text: "Header always edit Set-Cookie ^(.*)$ $1;Secure\n" + apacheOpen, open: []string{"h/"}},
		"Header in Location":    {kind: "apache", text: apacheOpen + "<Location /x>\nHeader set X-Frame-Options DENY\n</Location>\n", open: []string{"h/", "h/x"}},
		"attributes of cookies": {kind: "apache", text: "ProxyPassReverseCookiePath / \"/; Secure\"\n" + apacheOpen, open: []string{"h/"}},
		"path of cookies":       {kind: "apache", text: "ProxyPassReverseCookiePath /a /b\n" + apacheOpen, open: []string{"h/"}, whole: true},
		"rewrite to one path":   {kind: "apache", text: apacheOpen + "RewriteCond %{REMOTE_ADDR} !^10\nRewriteRule ^/x http://a/denied [P,L]\n", open: []string{"h/"}, closed: []string{"h/x", "h/x/y"}},
		"rewrite to another":    {kind: "apache", text: apacheOpen + "RewriteCond %{REMOTE_ADDR} !^10\nRewriteRule ^/x(.*) http://a/denied$1 [P,L]\n", open: []string{"h/"}, closed: []string{"h/x", "h/x/y"}},
		"rewrite to itself":     {kind: "apache", text: apacheOpen + "RewriteCond %{HTTP:Upgrade} websocket\nRewriteRule .* ws://a%{REQUEST_URI} [P]\nRewriteRule ^/x/(.*) ws://a/x/$1 [P]\n", open: []string{"h/", "h/x/y"}, whole: true},
		"edited header":         {kind: "apache", text: "RequestHeader edit X-A b c\n" + apacheOpen, open: []string{"h/"}},
		"unix target":           {kind: "apache", text: "ProxyPass /x unix:/a.sock|http://localhost/\n" + apacheOpen, open: []string{"h/"}, closed: []string{"h/x"}},

		"WebSocket":                  {kind: "apache", text: "ProxyPass / http://a:81/\n" + webSocket + "RewriteRule ^/?(.*) \"ws://a:81/$1\" [P,L]\n", open: []string{"h/", "h/x"}, whole: true},
		"WebSocket with its query":   {kind: "apache", text: apacheOpen + webSocket + "RewriteRule ^/(.*)$ ws://a/$1?%{QUERY_STRING} [proxy,last]\n", open: []string{"h/", "h/x"}, whole: true},
		"WebSocket in any case":      {kind: "apache", text: "ProxyPass /ws/ http://b/ws/\n" + apacheOpen + webSocket + "RewriteRule ^/ws/(.*) ws://b/ws/$1 [P,NC]\n", open: []string{"h/"}, closed: []string{"h/ws/x", "h/WS/x"}},
		"WebSocket of all, any case": {kind: "apache", text: apacheOpen + webSocket + "RewriteRule ^/?(.*) ws://a/$1 [P,NC]\n", open: []string{"h/", "h/x"}, whole: true},
		"WebSocket of a path":        {kind: "apache", text: "ProxyPass /app http://a/in\n" + webSocket + "RewriteRule ^/app/(.*) ws://a/in/$1 [P,L]\n", open: []string{"h/app/x"}, whole: true},
		"WebSocket of more paths":    {kind: "apache", text: "ProxyPass /app/ http://a/app/\n" + webSocket + "RewriteRule ^/?(.*) ws://a/$1 [P,L]\n", open: []string{"h/app/x"}},
		"WebSocket of two":           {kind: "apache", text: "ProxyPass /x/ http://a/y/\n" + apacheOpen + webSocket + "RewriteRule ^/?(.*) ws://a/$1 [P,L]\n", open: []string{"h/"}},
		"WebSocket of two alike":     {kind: "apache", text: "ProxyPass /x/ http://a/x/\n" + apacheOpen + webSocket + "RewriteRule ^/?(.*) ws://a/$1 [P,L]\n", open: []string{"h/"}, whole: true},
		"WebSocket elsewhere":        {kind: "apache", text: apacheOpen + webSocket + "RewriteRule ^/?(.*) ws://b/$1 [P,L]\n", closed: []string{"h/", "h/x"}},
		"WebSocket to another port":  {kind: "apache", text: apacheOpen + webSocket + "RewriteRule ^/?(.*) ws://a:81/$1 [P,L]\n", closed: []string{"h/", "h/x"}},
		"WebSocket to another path":  {kind: "apache", text: apacheOpen + webSocket + "RewriteRule ^/ws/(.*) ws://a/socket/$1 [P,L]\n", open: []string{"h/"}, closed: []string{"h/ws/x"}},
		"WebSocket in the middle":    {kind: "apache", text: apacheOpen + webSocket + "RewriteRule /ws/(.*) ws://a/ws/$1 [P,L]\n", open: []string{"h/"}},
		"WebSocket with a literal":   {kind: "apache", text: apacheOpen + webSocket + "RewriteRule ^/ws/(.*) ws://a/ws/x [P,L]\n", open: []string{"h/"}, closed: []string{"h/ws/x"}},
		"WebSocket by an expression": {kind: "apache", text: "ProxyPassMatch ^/(.*)$ http://a/$1\n" + webSocket + "RewriteRule ^/?(.*) ws://a/$1 [P,L]\n", open: []string{"h/"}},
		"WebSocket of a balancer":    {kind: "apache", text: balanced + webSocket + "RewriteRule ^/?(.*) balancer://ws/$1 [P,L]\n<Proxy balancer://ws>\nBalancerMember ws://b:81\n</Proxy>\n", open: []string{"h/"}, whole: true},
		"WebSocket of other members": {kind: "apache", text: balanced + webSocket + "RewriteRule ^/?(.*) balancer://ws/$1 [P,L]\n<Proxy balancer://ws>\nBalancerMember ws://b:82\n</Proxy>\n", closed: []string{"h/"}},
		"WebSocket of no balancer":   {kind: "apache", text: balanced + webSocket + "RewriteRule ^/?(.*) balancer://ws/$1 [P,L]\n", closed: []string{"h/"}},
		"WebSocket and an exception": {kind: "apache", text: "ProxyPass /x !\n" + apacheOpen + webSocket + "RewriteRule ^/?(.*) ws://a/$1 [P,L]\n", open: []string{"h/"}, closed: []string{"h/x"}, whole: true},
		"WebSocket by nginx's map":   {kind: "nginx", text: "map $http_upgrade $connection_upgrade { default upgrade; '' close; }\nserver { location / { proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection $connection_upgrade; proxy_pass http://a; } }", open: []string{"h/"}, whole: true},
		"WebSocket by nginx's if":    {kind: "nginx", text: "server { location /x/ { if ($http_upgrade = websocket) { proxy_pass http://b; } proxy_pass http://a; } " + nginxOpen + "}", open: []string{"h/"}, closed: []string{"h/x/"}},
		"WebSocket to a map's":       {kind: "nginx", text: "map $http_upgrade $to { default a; websocket b; }\nserver { location /x/ { proxy_pass http://$to; } " + nginxOpen + "}", open: []string{"h/"}, closed: []string{"h/x/"}},
	} {
		t.Run(name, func(t *testing.T) {
			cfg, notes, err := parse(t, test.kind, test.text)
			if err != nil {
				if len(test.open) > 0 {
					t.Fatalf("%v\n%v", err, notes)
				}
				return // no draft opens nothing
			}
			if missing := missesSomething(notes); missing == test.whole {
				t.Errorf("whole: %v, want %v: %v", !missing, test.whole, notes)
			}
			got := reaches(t, cfg, append(append([]string{}, test.open...), test.closed...))
			for _, target := range test.open {
				if got[target] != "a" {
					t.Errorf("%s reaches %q, want a", target, got[target])
				}
			}
			for _, target := range test.closed {
				if got[target] != "" {
					t.Errorf("%s reaches %q", target, got[target])
				}
			}
		})
	}
}

// A path goes to the upstream to which it goes in the file.
func TestOrderIsKept(t *testing.T) {
	for name, test := range map[string]struct {
		kind, text string
		want       map[string]string // host/path: upstream
	}{
		"^~ before expressions": {"nginx", `server { location ~ \.php$ { proxy_pass http://b; } location ^~ /x/ { proxy_pass http://a; } location ^~ /y/ { proxy_pass http://c/y/; } location / { proxy_pass http://d; } }`, map[string]string{"h/x/a.php": "a", "h/y/a.php": "c", "h/a.php": "b", "h/z": "d"}},
		"= before expressions":  {"nginx", `server { location ~ ^/x { proxy_pass http://b; } location = /x/y { proxy_pass http://a; } location ^~ /x/ { proxy_pass http://c; } }`, map[string]string{"h/x/y": "a", "h/x/z": "c", "h/xz": "b"}},
		"ProxyPass first":       {"apache", "ProxyPass /x http://a/x\nProxyPassMatch \\.php$ http://b\nProxyPass / http://c/\n", map[string]string{"h/x/a.php": "a", "h/x": "a", "h/xa": "c", "h/a.php": "b", "h/y": "c"}},
		"all of it first":       {"apache", "ProxyPass / http://a/\nProxyPassMatch \\.php$ http://b\n", map[string]string{"h/a.php": "a"}},
		"last Location wins":    {"apache", "ProxyPass /y http://c/\n<Location />\nProxyPass http://a/\n</Location>\n<Location /x>\nProxyPass http://b/\n</Location>\n", map[string]string{"h/x": "b", "h/x/y": "b", "h/z": "a", "h/y": "a"}},
		"last Location hides":   {"apache", "<Location /x>\nProxyPass http://b/\n</Location>\n<Location />\nProxyPass http://a/\n</Location>\n", map[string]string{"h/x": "a", "h/z": "a"}},
		"vhost before server":   {"apache", "<Location /x>\nProxyPass http://b/\n</Location>\n<VirtualHost *:80>\nServerName s\n<Location /x>\nProxyPass http://a/\n</Location>\n</VirtualHost>\n", map[string]string{"s/x": "a"}},
		"Define anew":           {"apache", "Define S one\nDefine B a\n<VirtualHost *:80>\nServerName ${S}\nProxyPass / http://${B}/\n</VirtualHost>\nDefine S two\nDefine B b\n<VirtualHost *:80>\nServerName ${S}\nProxyPass / http://${B}/\n</VirtualHost>\n", map[string]string{"one/": "a", "two/": "b"}},
	} {
		t.Run(name, func(t *testing.T) {
			cfg, notes, err := parse(t, test.kind, test.text)
			if err != nil {
				t.Fatalf("%v\n%v", err, notes)
			}
			got := reaches(t, cfg, slices.Collect(maps.Keys(test.want)))
			for target, want := range test.want {
				if got[target] != want {
					t.Errorf("%s reaches %q, want %q: %v", target, got[target], want, notes)
				}
			}
		})
	}
}

// HTTP/3 is no listener of goproxy's: its port is not served without TLS.
func TestQUICIsNoListener(t *testing.T) {
	cfg, notes, err := parse(t, "nginx", "server { listen 443 quic; listen 443 ssl; listen 80; ssl_certificate c; ssl_certificate_key k; server_name s; "+nginxOpen+"}")
	if err != nil || cfg.Listen != "0.0.0.0:80" || cfg.TLS == nil || cfg.TLS.Listen != "0.0.0.0:443" {
		t.Errorf("listen %s, tls %v, %v, %v", cfg.Listen, cfg.TLS, err, notes)
	}
}

// What clients may say of themselves is what they may say in the file.
func TestHeadersThatNginxReplaces(t *testing.T) {
	cfg, notes, err := parse(t, "nginx", `server { location / { proxy_pass http://a;
proxy_set_header X-Forwarded-For $remote_addr; proxy_set_header X-Forwarded-Proto https; proxy_set_header X-Forwarded-Host $server_name; } location /x/ { proxy_pass http://a;
proxy_set_header X-Forwarded-For $proxy_protocol_addr; proxy_set_header X-Forwarded-Proto $scheme; proxy_set_header X-Forwarded-Host ""; } location /y/ { proxy_pass http://a/api$request_uri;
proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for; } }`)
	if err != nil {
		t.Fatalf("%v\n%v", err, notes)
	}
	for path, want := range map[string]goproxy.HeaderChange{
		"":    {Set: map[string]string{"X-Forwarded-For": "%{client_ip}", "X-Forwarded-Proto": "https"}},
		"/x/": {Set: map[string]string{"X-Forwarded-For": "%{client_ip}"}, Remove: []string{"X-Forwarded-Host"}},
		"/y/": {},
	} {
		i := slices.IndexFunc(cfg.Routes, func(r goproxy.Route) bool { return r.Path == path })
		if got := cfg.Routes[i].Headers.Request; !reflect.DeepEqual(got, want) {
			t.Errorf("%q: %v, want %v: %v", path, got, want, notes)
		}
		if want := map[string]string{"/y/": "/api/y/"}[path]; cfg.Routes[i].RewritePath != want {
			t.Errorf("%q: rewrite_path %s, want %s", path, cfg.Routes[i].RewritePath, want)
		}
	}
}

// What clients must not say for themselves is taken away.
func TestRequestHeadersOfApache(t *testing.T) {
	cfg, notes, err := parse(t, "apache", apacheOpen+`RequestHeader unset Proxy early
RequestHeader unset X-A env=!ok
RequestHeader set X-User "%{USER}e" env=USER
RequestHeader set X-B c early
RequestHeader set X-Forwarded-Proto https
`)
	if err != nil {
		t.Fatalf("%v\n%v", err, notes)
	}
	want := goproxy.HeaderChange{Remove: []string{"Proxy", "X-A", "X-User"}, Set: map[string]string{"X-B": "c", "X-Forwarded-Proto": "https"}}
	if got := cfg.Routes[0].Headers.Request; !reflect.DeepEqual(got, want) {
		t.Errorf("%v, want %v: %v", got, want, notes)
	}
}

// A virtual host has TLS where the server around it switches it on.
func TestSSLEngineOfTheServer(t *testing.T) {
	cfg, notes, err := parse(t, "apache", "SSLEngine on\nSSLCertificateFile c\nSSLCertificateKeyFile k\n<VirtualHost *:443>\nServerName s\n"+apacheOpen+"</VirtualHost>\n")
	if err != nil || cfg.Listen != loopbackPlain || cfg.TLS == nil || cfg.TLS.Listen != ":443" {
		t.Errorf("listen %s, tls %v, %v, %v", cfg.Listen, cfg.TLS, err, notes)
	}
}

// Files of a whole nginx are elsewhere: those that are here are read.
func TestIncludes(t *testing.T) {
	out, notes, err := run(t, "testdata/includes/nginx.conf", "--from", "nginx")
	if err != nil {
		t.Fatalf("%v\n%s", err, notes)
	}
	for _, want := range []string{"host: one.example.org", "host: two.example.org"} {
		if !strings.Contains(out, want) {
			t.Errorf("no %s in\n%s", want, out)
		}
	}
	for _, want := range []string{"proxy_params is not here", "options-ssl-nginx.conf is not here"} {
		if !strings.Contains(notes, want) {
			t.Errorf("no %q in\n%s", want, notes)
		}
	}
}

// A site that nginx redirects to HTTPS is not served without TLS, and the
// command says so at the top and in its exit code.
func TestRedirectToHTTPS(t *testing.T) {
	file := filepath.Join(t.TempDir(), "nginx.conf")
	text := `server { listen 443 ssl; server_name s; ssl_certificate c; ssl_certificate_key k; ` + nginxOpen + `}
server { listen 80 default_server; listen 443 ssl default_server; server_name _; ssl_certificate c; ssl_certificate_key k; return 444; }
server { listen 80; server_name s; return 301 https://$host$request_uri; }`
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	out, _, err := run(t, file, "--from", "nginx")
	if err == nil || !strings.HasPrefix(out, "# THIS DRAFT IS NOT THE WHOLE") || !strings.Contains(out, "listen: "+loopbackPlain) {
		t.Errorf("%v\n%s", err, out)
	}
	if strings.Count(out, "upstream:") != 1 || !strings.Contains(out, "- host: s\n") {
		t.Errorf("want one route, for s:\n%s", out)
	}
	if _, _, err := run(t, file, "--from", "nginx", "--force"); err != nil {
		t.Error(err)
	}
}

// nesting writes random nested locations and the paths that must be closed.
type nesting struct {
	random *rand.Rand
	text   strings.Builder
	closed []string
	next   int
}

var protections = []string{
	"deny all;", "auth_basic x;", "internal;", "satisfy any;", "auth_request /a;", "if ($x) { return 403; }",
	"limit_except GET { deny all; }", "valid_referers none;", "secure_link x;", "include gone.conf;", "return 403;", "odd_module on;",
}

func (n *nesting) block(prefix string, depth int, closed bool) {
	for range 1 + n.random.IntN(3) {
		n.next++
		path := fmt.Sprintf("%s/p%d", prefix, n.next)
		modifier := []string{"", "", "^~ ", "~ ^", "= "}[n.random.IntN(5)]
		fmt.Fprintf(&n.text, "location %s%s { proxy_pass http://a; ", modifier, path)
		own, inner := closed, closed
		if n.random.IntN(3) == 0 {
			protection := protections[n.random.IntN(len(protections))]
			n.text.WriteString(protection)
			own = true
			inner = closed || protection != "return 403;" // which counts for its own block
		}
		if own {
			n.closed = append(n.closed, "h"+path)
			if modifier != "= " {
				n.closed = append(n.closed, "h"+path+"/zz")
			}
		}
		if depth > 0 && modifier != "= " {
			n.block(path, depth-1, inner)
		}
		n.text.WriteString("} ")
	}
}

func FuzzNoClosedRouteProxies(f *testing.F) {
	for seed := range uint64(30) {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, seed uint64) {
		n := &nesting{random: rand.New(rand.NewPCG(seed, 1))}
		n.text.WriteString("server { location /open/ { proxy_pass http://a; } " + nginxOpen)
		n.block("", 2, false)
		n.text.WriteString("}")
		cfg, notes, err := parse(t, "nginx", n.text.String())
		if err != nil {
			t.Fatalf("%v\n%s", err, n.text.String())
		}
		requireSound(t, cfg, notes, err)
		for target, upstream := range reaches(t, cfg, append(n.closed, "h/open/")) {
			if (upstream != "") != (target == "h/open/") {
				t.Errorf("%s reaches %q:\n%s", target, upstream, n.text.String())
			}
		}
	})
}

// What an inner block has of its own, and what it does not have of the outer ones, is as
// nginx does it (1.22.1).
func TestWhatNginxDoesNotInherit(t *testing.T) {
	cfg, notes, err := parse(t, "nginx", `server { set $b public; add_header Access-Control-Allow-Origin *; location / { set $b secret; proxy_pass http://$b; location /x/ { proxy_pass http://$b; } }
location /y/ { add_header X-Inner 1; proxy_pass http://$b; } }`)
	if err != nil {
		t.Fatalf("%v\n%v", err, notes)
	}
	for path, want := range map[string]goproxy.Route{
		"":    {Upstream: "secret", Headers: goproxy.Headers{Response: goproxy.HeaderChange{Add: map[string]string{"Access-Control-Allow-Origin": "*"}}}},
		"/x/": {Upstream: "public", Headers: goproxy.Headers{Response: goproxy.HeaderChange{Add: map[string]string{"Access-Control-Allow-Origin": "*"}}}},
		"/y/": {Upstream: "public", Headers: goproxy.Headers{Response: goproxy.HeaderChange{Add: map[string]string{"X-Inner": "1"}}}},
	} {
		want.Path = path
		i := slices.IndexFunc(cfg.Routes, func(r goproxy.Route) bool { return r.Path == path })
		if got := cfg.Routes[i]; !reflect.DeepEqual(got, want) {
			t.Errorf("%+v, want %+v", got, want)
		}
	}
}

// Files that include themselves end, and nothing is open that they may close.
func TestIncludesThatGoRound(t *testing.T) {
	for kind, text := range map[string]string{
		"apache": "ProxyPass / http://a/\nInclude other.conf\nInclude other.conf\nInclude other.conf\n",
		"nginx":  "server { location / { proxy_pass http://a; } include other.conf; }",
	} {
		dir := t.TempDir()
		for _, name := range []string{"main.conf", "other.conf"} {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		out, _, err := run(t, filepath.Join(dir, "main.conf"), "--from", kind)
		if err == nil || strings.Contains(out, "upstream:") {
			t.Errorf("%s: %v\n%s", kind, err, out)
		}
	}
}
