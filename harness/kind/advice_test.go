package kind

import (
	"fmt"
	"testing"

	. "github.com/onsi/gomega"
)

// The words are those of real proxies (nginx 1.26.3, Apache 2.4.71, HAProxy 3.2, Caddy 2.11).
func TestAdvice(t *testing.T) {
	for words, tc := range map[string]struct {
		kind    Name
		version string
		want    string
	}{
		`[emerg] 1#1: invalid parameter "resolve" in default.conf:5`:                                                                                                                       {Nginx, "1.26.3", `"resolve" needs 1.27.3, this is 1.26.3: try RELEASE=testing`},
		`[emerg] 1#1: unknown directive "http2" in default.conf:5`:                                                                                                                         {Nginx, "1.22.1", `"http2 on" needs 1.25.1, this is 1.22.1: try RELEASE=stable`},
		`[emerg] 1#1: unknown directive "sticky" in default.conf:5`:                                                                                                                        {Nginx, "1.18.0", `"sticky" needs 1.29.6, this is 1.18.0: try RELEASE=testing`},
		`[emerg] 1#1: unknown directive "health_check" in default.conf:1`:                                                                                                                  {Nginx, "1.30.6", `"health_check" is of NGINX Plus or a module that the image lacks: NGINX_IMAGE= takes one of yours`},
		`[emerg] 1#1: unknown directive "least_time" in a.conf:4`:                                                                                                                          {Nginx, "1.26.3", `"least_time" is of NGINX Plus or a module that the image lacks: NGINX_IMAGE= takes one of yours`},
		`[emerg] 1#1: the closing bracket in "BACKEND" variable is missing in a.conf:4`:                                                                                                    {Nginx, "1.26.3", `envsubst, which renders templates, knows no default as in ${BACKEND:-...}: write ${BACKEND} alone, and give it with ENV='BACKEND=...'`},
		`[emerg] 1#1: invalid port in "${PORT:-8080}" of the "listen" directive in a.conf:2`:                                                                                               {Nginx, "1.26.3", `envsubst, which renders templates, knows no default as in ${PORT:-...}: write ${PORT} alone, and give it with ENV='PORT=...'`},
		`apache2: Syntax error on line 3 of conf/httpd.conf: Include/IncludeOptional: Could not open directory /etc/httpd/conf.modules.d: No such file or directory`:                       {Apache, "2.4.71", "/etc/httpd/conf.modules.d is not in CONFIG= and not in the image: give the folder that has it as CONFIG="},
		`[ALERT] (15) : config : parsing [a.cfg:16] : 'option httpchk' : hiding headers or body at the end of the version string is unsupported.Use 'http-check send' directive instead..`: {HAProxy, "3.0.11", `"http-check send hdr Host NAME" replaces what follows the version in "option httpchk"; RELEASE=oldstable is an HAProxy that still takes it`},
		`AH00526: Syntax error on line 3 of a.conf: / RewriteMap: file for map backends not found:/etc/httpd/maps/backends.map`:                                                            {Apache, "2.4.71", "/etc/httpd/maps/backends.map is not in CONFIG= and not in the image: give the folder that has it as CONFIG="},
		`[emerg] 14#14: no "events" section in configuration`:                                                                                                                              {Nginx, "1.26.3", `a whole nginx.conf needs the line "events {}"; a file of servers and upstreams alone needs no "http {" around it`},
		`[ALERT] (16) : [haproxy.main()] Cannot raise FD limit to 40032, limit is 20000.`:                                                                                                  {HAProxy, "3.0.11", `for its maxconn HAProxy wants 40032 open files, and the engine gives a container 20000: start the engine with more (dockerd --default-ulimit nofile=40032:40032), or run the config with a lower maxconn`},
		`[emerg] "daemon" directive is duplicate in nginx.conf:2`:                                                                                                                          {Nginx, "1.26.3", `the config has nginx leave the foreground, and a container ends with its first process: take "daemon on;" out, or say "daemon off;"`},
		`[emerg] 1#1: open() "/etc/nginx/snippets/a.conf" failed (2: No such file or directory) in a.conf:5`:                                                                               {Nginx, "1.26.3", "/etc/nginx/snippets/a.conf is not in CONFIG= and not in the image: give the folder that has it as CONFIG="},
		`[emerg] 1#1: cannot load certificate "/etc/ssl/a.pem": BIO_new_file() failed (SSL: error:80000002:system library::No such file or directory`:                                      {Nginx, "1.26.3", "/etc/ssl/a.pem is not in CONFIG= and not in the image: give the folder that has it as CONFIG="},
		`[emerg] 1#1: unknown "backend" variable`:                                                                                                                                          {Nginx, "1.26.3", `nginx has no "backend": if it is of the environment, for envsubst, call the file *.template and give the variable with ENV=`},
		`[error] 13#13: init_by_lua error: init_by_lua(nginx.conf:9):1: module 'balancer' not found:`:                                                                                      {Nginx, "1.26.3", "the Lua module balancer is neither where lua_package_path looks nor in the image: put it into the folder, or NGINX_IMAGE= takes an image of yours that has it"},
		`[ALERT] config : Lua runtime error: module 'acme' not found:`:                                                                                                                     {HAProxy, "3.2.26", "the Lua module acme is neither where package.path looks nor in the image: put it into the folder, or HAPROXY_IMAGE= takes an image of yours that has it"},
		`[emerg] 1#1: unknown directive "more_set_headers" in x:1`:                                                                                                                         {Nginx, "1.26.3", `"more_set_headers" is of a module that the image lacks: NGINX_IMAGE= takes one of yours; the Debian of a later RELEASE= may have it`},
		`[emerg] 1#1: unknown directive "MainRule" in x:1`:                                                                                                                                 {Nginx, "1.26.3", `"MainRule" is mistyped, of a later nginx (RELEASE=testing), or of a module that the image lacks: NGINX_IMAGE= takes one of yours`},
		`[emerg] 1#1: "modsecurity_rules_file" directive Rules error. File: /etc/nginx/modsec/main.conf. Line: 0. Column: 0. Failed to open the file: /etc/nginx/modsec/main.conf in x:5`:  {Nginx, "1.26.3", "/etc/nginx/modsec/main.conf is not in CONFIG= and not in the image: give the folder that has it as CONFIG="},
		`Error: adapting config using caddyfile: Caddyfile:2: unrecognized directive: gzip`:                                                                                                {Caddy, "2.11.4", `"gzip" is of Caddy 1, whose files Caddy 2 does not read: reverse_proxy replaces proxy, encode replaces gzip, php_fastcgi replaces fastcgi`},
		`Invalid command 'RewriteEngine', perhaps misspelled or defined by a module not included in the server configuration`:                                                              {Apache, "2.4.71", "RewriteEngine is of mod_rewrite: LoadModule rewrite_module modules/mod_rewrite.so"},
		`Invalid command 'Order', perhaps misspelled or defined by a module not included in the server configuration`:                                                                      {Apache, "2.4.71", "Order is of mod_access_compat: LoadModule access_compat_module modules/mod_access_compat.so"},
		`AH00534: apache2: Configuration error: No MPM loaded.`:                                                                                                                            {Apache, "2.4.71", "a whole httpd.conf needs to say how it runs its workers: LoadModule mpm_event_module modules/mod_mpm_event.so"},
		`ProxyPass unknown Worker parameter`:                                                                                                                                               {Apache, "2.4.58", `"addressttl=" needs 2.4.59, this is 2.4.58: try HTTPD_IMAGE=`},
		`Syntax error on line 3 of httpd.conf: SSLCertificateFile: file '/etc/pki/a.crt' does not exist or is empty`:                                                                       {Apache, "2.4.71", "/etc/pki/a.crt is not in CONFIG= and not in the image: give the folder that has it as CONFIG="},
		`[ALERT] (1) : config : parsing [haproxy.cfg:3] : unknown keyword 'guid' in 'frontend' section`:                                                                                    {HAProxy, "2.6.12", `a later HAProxy may know "guid": try RELEASE=testing, or an image of yours with HAPROXY_IMAGE=`},
		`Error: adapting config using caddyfile: parsing caddyfile tokens for 'reverse_proxy': Caddyfile:5 - Error during parsing: unrecognized srv option 'versions'`:                     {Caddy, "2.6.2", `"versions" is of a plugin, or of a later Caddy: the latest here is RELEASE=testing, CADDY_IMAGE= takes an image of yours`},
		`Error: Caddyfile:3: unrecognized transport "spdy"`:                                                                                                                                {Caddy, "2.11.4", `"spdy" is of a plugin, or of a later Caddy: the latest here is RELEASE=testing, CADDY_IMAGE= takes an image of yours`},
		`Error: adapting config using caddyfile: Caddyfile:2: unrecognized directive: rate_limit`:                                                                                          {Caddy, "2.11.4", `"rate_limit" is of a plugin, or of a later Caddy: the latest here is RELEASE=testing, CADDY_IMAGE= takes an image of yours`},
		`Error: adapting config using caddyfile: File to import not found: snippets/x, at Caddyfile:1 import chain []`:                                                                     {Caddy, "2.11.4", "snippets/x is not in CONFIG= and not in the image: give the folder that has it as CONFIG="},
		`Error: / Message from VCC-compiler: / Backend host "backend.example.com": resolves to too many addresses.`:                                                                        {Varnish, "7.7.0", "Varnish takes a name with one address only, and an ALB has two or more: give each address a backend of its own behind a director, or name a proxy on the same machine that follows the name"},
		`[emerg] 1#1: unknown directive "ssl" in a.conf:3`:                                                                                                                                 {Nginx, "1.26.3", `"listen ... ssl" replaces "ssl on"; 1.25.1 has removed it, this is 1.26.3: or try RELEASE=oldstable`},
		`[emerg] 2#2: unknown directive "ssl" in a.conf:3`:                                                                                                                                 {Nginx, "1.22.1", `"ssl" is mistyped, of a later nginx (RELEASE=testing), or of a module that the image lacks: NGINX_IMAGE= takes one of yours`},
		`[emerg] 1#1: cannot load certificate "ssl/a.crt": PEM_read_bio_X509_AUX() failed (SSL: error:0480006C:PEM routines::no start line:Expecting: TRUSTED CERTIFICATE)`:                {Nginx, "1.26.3", "ssl/a.crt is there, but is not a certificate or key in PEM: it may be encrypted, or a pointer of Git LFS. If you leave it out of CONFIG=, one is made"},
		`[emerg] 1#1: open() "/sys/nginx.pid" failed (30: Read-only file system)`:                                                                                                          {Nginx, "1.26.3", "/sys/nginx.pid cannot be written: name a path that can"},
		`[emerg] 1#1: bind() to 0.0.0.0:53 failed (98: Address already in use)`:                                                                                                            {Nginx, "1.26.3", "53 is the port of the testbed's resolver, at every address: take that listener out"},
		`[emerg] 1#1: bind() to 0.0.0.0:80 failed (98: Address already in use)`:                                                                                                            {Nginx, "1.26.3", ""},
		`Invalid command 'php_admin_value', perhaps misspelled or defined by a module not included in the server configuration`:                                                            {Apache, "2.4.71", "php_admin_value is of a module that httpd's distribution does not have: HTTPD_IMAGE= takes an image of yours"},
		`Invalid command 'JkMount', perhaps misspelled or defined by a module not included in the server configuration`:                                                                    {Apache, "2.4.71", "JkMount is of a module that httpd's distribution does not have: HTTPD_IMAGE= takes an image of yours"},
		`Invalid command 'AssignUserID', perhaps misspelled or defined by a module not included in the server configuration`:                                                               {Apache, "2.4.71", "AssignUserID is of a module that httpd's distribution does not have: HTTPD_IMAGE= takes an image of yours"},
		`AH00111: Config variable ${BACKEND} is not defined`:                                                                                                                               {Apache, "2.4.71", "give BACKEND, and whatever else the machine sets, with ENV='BACKEND=...', or a file of variables"},
		`[ALERT] (15) : config : parsing [a.cfg:27] : 'bind :443' in section 'frontend' : 'crt-list' : cannot open file '/etc/a.list' : No such file or directory`:                         {HAProxy, "3.0.11", "/etc/a.list is not in CONFIG= and not in the image: give the folder that has it as CONFIG="},
		`[ALERT] (9) : config : parsing [a.cfg:8] : error detected in frontend 'a' while parsing 'use_backend' rule : failed to open pattern file </etc/haproxy/hosts.map>.`:               {HAProxy, "3.0.11", "/etc/haproxy/hosts.map is not in CONFIG= and not in the image: give the folder that has it as CONFIG="},
		`Message from VCC-compiler: / Could not find VMOD dynamic`:                                                                                                                         {Varnish, "7.7.0", "the image has no module dynamic: VARNISH_IMAGE= takes one of yours"},
		`[emerg] 1#1: unexpected "}" in default.conf:5`:                                                                                                                                    {Nginx, "1.26.3", ""},
		`[emerg] 2#2: invalid parameter "resolve" in default.conf:5`:                                                                                                                       {Nginx, "1.30.6", ""},
	} {
		t.Run(words, func(t *testing.T) {
			NewWithT(t).Expect(kindOf(t, tc.kind).Advise(words, tc.version)).To(Equal(tc.want))
		})
	}
}

func TestVersions(t *testing.T) {
	g := NewWithT(t)
	g.Expect(CompareVersions("1.30", "1.27.3")).To(Equal(1))
	g.Expect(CompareVersions("1.27.3", "1.27.3")).To(Equal(0))
	g.Expect(CompareVersions("2.4", "2.4.59")).To(Equal(-1))
	g.Expect(CompareVersions("1.9.0", "1.10.0")).To(Equal(-1), "numbers, not letters")
}

func TestApacheCommentBehindArguments(t *testing.T) {
	c := Config{Files: []File{{Name: "conf.d/app.conf", Content: []byte(`<Proxy balancer://a>
  BalancerMember http://192.168.1.103:8080 loadfactor=5 # half of the others
  RequestHeader set X-A "1 # 2" # for HTTP
  # a comment
  RewriteRule ^/([^#]*)$ "/x # y"
  ProxyPass /a http://b/#c nonsense
</Proxy>`)}}}
	const said = "Apache takes a comment at the end of a line for arguments: put it on a line of its own"
	for number, want := range []string{"", said, said, "", "", "", "", ""} {
		words := fmt.Sprintf("AH00526: Syntax error on line %d of conf.d/app.conf: / Too many arguments", number+1)
		NewWithT(t).Expect(apacheComment(c, words)).To(Equal(want), "line %d", number+1)
	}
}
