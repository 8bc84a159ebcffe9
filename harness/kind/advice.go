package kind

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Advice is what to do about some words of a program that does not start.
type Advice struct {
	// Words finds them.
	Words *regexp.Regexp
	// Say is the advice. $1 and so on are what the groups of Words found.
	Say string
	// Since is the first version that knows what was refused. If it is set, the advice
	// holds for older ones only, and names the two versions.
	Since string
	// Until is the first version that knows it no more. If it is set, the advice holds for
	// that one and later ones.
	Until string
}

// Advise says what can be done about the words of a program of this version; empty if
// nothing is known.
func (k *Kind) Advise(words, version string) string {
	for _, a := range k.Advice {
		found := a.Words.FindStringSubmatchIndex(words)
		if found == nil || a.Since != "" && CompareVersions(version, a.Since) >= 0 || a.Until != "" && CompareVersions(version, a.Until) < 0 {
			continue
		}
		say := string(a.Words.ExpandString(nil, a.Say, words, found))
		switch {
		case a.Since != "":
			say = fmt.Sprintf("%s needs %s, this is %s: try %s", say, a.Since, version, k.with(a.Since))
		case a.Until != "":
			say = fmt.Sprintf("%s; %s has removed it, this is %s: or try %s", say, a.Until, version, k.before(a.Until))
		}
		return say
	}
	return ""
}

// with is how a user gets a version or a later one.
func (k *Kind) with(version string) string {
	for _, r := range k.Releases {
		_, tag, _ := strings.Cut(r.Official, ":")
		if tag != "" && CompareVersions(tag, version) >= 0 {
			return "RELEASE=" + r.Name
		}
	}
	return k.Image.Variable + "="
}

// before is how a user gets the latest version before another one.
func (k *Kind) before(version string) string {
	for _, r := range slices.Backward(k.Releases) {
		_, tag, _ := strings.Cut(r.Official, ":")
		if tag != "" && CompareVersions(tag, version) < 0 {
			return "RELEASE=" + r.Name
		}
	}
	return k.Image.Variable + "="
}

// CompareVersions is -1, 0 or 1 as version a is before, the same as, or after b. It compares
// the numbers between dots; what is no number counts as 0.
func CompareVersions(a, b string) int {
	of, other := strings.Split(a, "."), strings.Split(b, ".")
	for i := range max(len(of), len(other)) {
		var x, y int
		if i < len(of) {
			x, _ = strconv.Atoi(of[i])
		}
		if i < len(other) {
			y, _ = strconv.Atoi(other[i])
		}
		if c := cmp.Compare(x, y); c != 0 {
			return c
		}
	}
	return 0
}

// folderAdvice is for a file that is neither in the configuration nor in the image.
const folderAdvice = "$1 is not in CONFIG= and not in the image: give the folder that has it as CONFIG="

// newer is the advice for a word of a configuration that came with a version.
func newer(words, say, since string) Advice {
	return Advice{Words: regexp.MustCompile(words), Say: say, Since: since}
}

// about is the advice for words of any version.
func about(words, say string) Advice { return Advice{Words: regexp.MustCompile(words), Say: say} }

// nginxAdvice: the versions are those of nginx's CHANGES. That 1.26.3 refuses and 1.30.6
// takes each was tried.
var nginxAdvice = []Advice{
	about(`"daemon" directive is duplicate`, `the config has nginx leave the foreground, and a container ends with its first process: take "daemon on;" out, or say "daemon off;"`),
	about(`no "events" section in configuration`, `a whole nginx.conf needs the line "events {}"; a file of servers and upstreams alone needs no "http {" around it`),
	newer(`invalid parameter "(resolve|service=[^"]*)"`, `"$1"`, "1.27.3"),
	newer(`"resolver" directive is not allowed here`, `"resolver" in an upstream`, "1.27.3"),
	newer(`unknown directive "(http2)"`, `"$1 on"`, "1.25.1"),
	newer(`unknown directive "(http3|quic_\w+)"`, `"$1"`, "1.25.0"),
	newer(`invalid parameter "(quic)"`, `"listen ... $1"`, "1.25.0"),
	newer(`unknown directive "(proxy_pass_trailers)"`, `"$1"`, "1.27.2"),
	newer(`unknown directive "(keepalive_min_timeout|(?:proxy_)?ssl_certificate_cache)"`, `"$1"`, "1.27.4"),
	newer(`unknown directive "(early_hints)"`, `"$1"`, "1.29.0"),
	newer(`unknown directive "(add_(?:header|trailer)_inherit)"`, `"$1"`, "1.29.3"),
	newer(`unknown directive "(sticky)"`, `"$1"`, "1.29.6"),
	about(`unknown directive "(health_check|keyval\w*|zone_sync\w*|queue|state|status_zone|api|auth_jwt\w*|match|ntlm|session_log\w*|otel_\w+|least_time|mgmt|num_map|internal_redirect|f4f\w*|hls\w*|mqtt\w*)"|invalid parameter "(slow_start=[^"]*)"`, `"$1$2" is of NGINX Plus or a module that the image lacks: NGINX_IMAGE= takes one of yours`),
	about(`unknown directive "((?:more_(?:set|clear)_|brotli|lua_|\w+_by_lua|echo|geoip|js_|subs_filter|cache_purge|fancyindex|auth_pam|set_\w+|rtmp|nchan|modsecurity)\w*)"`, `"$1" is of a module that the image lacks: NGINX_IMAGE= takes one of yours; the Debian of a later RELEASE= may have it`),
	about(`dlopen\(\) "([^"]+)" failed|module "([^"]+)" (?:version \d+ instead|is not binary compatible)`, "the image cannot load $1$2: NGINX_IMAGE= takes one of yours"),
	about(`module '([^']+)' not found`, "the Lua module $1 is neither where lua_package_path looks nor in the image: put it into the folder, or NGINX_IMAGE= takes an image of yours that has it"),
	about(`the closing bracket in "([A-Z][A-Z0-9_]*)" variable is missing|[^\n]*\$\{([A-Z][A-Z0-9_]*):?[-=]`, `envsubst, which renders templates, knows no default as in ${$1$2:-...}: write ${$1$2} alone, and give it with ENV='$1$2=...'`),
	// nginx says the name in lower case.
	about(`unknown "(\w+)" variable`, `nginx has no "$1": if it is of the environment, for envsubst, call the file *.template and give the variable with ENV=`),
	{Words: regexp.MustCompile(`unknown directive "ssl"`), Say: `"listen ... ssl" replaces "ssl on"`, Until: "1.25.1"},
	about(`(?:GeoIP|MMDB)_open\("([^"]+)"\) failed`, folderAdvice),
	about(`Failed to open(?: the)? file:? ?"?([^\s"]+[^\s".,])`, folderAdvice), // ModSecurity
	about(`bind\(\) to \S+:(53|8600|5353) failed \(98: `, "$1 is the port of the testbed's resolver, at every address: take that listener out"),
	about(`cannot load certificate(?: key)? "([^"]+)": PEM_read_bio`, "$1 is there, but is not a certificate or key in PEM: it may be encrypted, or a pointer of Git LFS. If you leave it out of CONFIG=, one is made"),
	about(`(?:open|mkdir)\(\) "([^"]+)" failed \((?:13|30): `, "$1 cannot be written: name a path that can"),
	about(`(?:open\(\)|mkdir\(\)|fopen\(\)|cannot load certificate(?: key)?) "([^"]+)".*?(?i:no such file)`, folderAdvice),
	about(`unknown directive "(\w+)"`, `"$1" is mistyped, of a later nginx (RELEASE=testing), or of a module that the image lacks: NGINX_IMAGE= takes one of yours`),
}

var apacheAdvice = append(apacheModuleAdvice(), []Advice{
	about(`AH00534|No MPM loaded`, "a whole httpd.conf needs to say how it runs its workers: LoadModule mpm_event_module modules/mod_mpm_event.so"),
	newer(`unknown Worker parameter`, `"addressttl="`, "2.4.59"),
	about(`Cannot load (\S+) into server`, "the image has no $1: HTTPD_IMAGE= takes one of yours"),
	about(`file '([^']+)' does not exist or is empty`, folderAdvice),
	about(`file for map \S+ not found: ?(\S+)`, folderAdvice),
	about(`Could not open (?:configuration file|(?:config )?directory) ([^\s:]+)`, folderAdvice),
	about(`Invalid command '<?((?:php\d?_|Jk|WSGI|Sec[A-Z]|Passenger|OIDC|Shib|CAS|ModPagespeed|QS_|DOS|GeoIP|MaxMind|XSendFile|Pagespeed|AssignUserID|Limit[UG]IDRange|MaxClientsVHost|NiceValue|RPAF|Mellon|Gssapi|Krb|Perl|Fcgid|FastCgi|SVN|AuthzSVN|AuthMySQL|BandWidth|CloudFlare|lsapi|Mono[A-Z])\w*)'`, "$1 is of a module that httpd's distribution does not have: HTTPD_IMAGE= takes an image of yours"),
	about(`no matches for the wildcard '([^']+)' in '([^']+)'`, "nothing in CONFIG= is $2/$1: give the folder that has it as CONFIG="),
	about(`Config variable \$\{(\w+)\} is not defined`, "give $1, and whatever else the machine sets, with ENV='$1=...', or a file of variables"),
}...)

// apacheModuleAdvice names the module of a directive that a whole configuration does not
// load.
func apacheModuleAdvice() []Advice {
	var all []Advice
	for _, m := range append([]apacheModule{
		{"rewrite", "rewriteengine rewriterule rewritecond rewritemap rewritebase rewriteoptions", nil},
		{"headers", "header requestheader", nil},
		{"setenvif", "setenvif setenvifnocase setenvifexpr browsermatch browsermatchnocase", nil},
		{"proxy_balancer", "balancergrowth balancerpersist balancernonce", nil},
		{"proxy", "proxypass proxypassmatch proxypassreverse proxypassreversecookiedomain proxypassreversecookiepath proxypreservehost proxyrequests proxyset proxytimeout proxyvia proxyerroroverride proxyaddheaders proxybadheader proxyiobuffersize proxyreceivebuffersize proxymaxforwards balancermember", nil},
		{"ssl", "sslengine sslprotocol sslciphersuite sslcertificatefile sslcertificatekeyfile sslcertificatechainfile sslproxyengine sslproxyverify sslproxycheckpeername sslproxycheckpeercn sslproxycacertificatefile sslhonorcipherorder ssloptions", nil},
		{"unixd", "user group chrootdir", nil},
	}, apacheModules...) {
		names := strings.ReplaceAll(strings.Join(strings.Fields(m.directives), "|"), "<", "")
		if names == "" {
			continue
		}
		all = append(all, about(`(?i)Invalid command '<?(`+names+`)'`, fmt.Sprintf("$1 is of mod_%[1]s: LoadModule %[1]s_module modules/mod_%[1]s.so", m.name)))
	}
	return all
}

var haproxyAdvice = []Advice{
	about(`unable to stat SSL certificate from file '([^']+)'|(?:error opening|failed to open pattern) file <([^>]+)>|cannot open file '([^']+)'|cannot open (/\S+)`, strings.ReplaceAll(folderAdvice, "$1", "$1$2$3$4")),
	about(`Cannot raise FD limit to (\d+), limit is (\d+)`, `for its maxconn HAProxy wants $1 open files, and the engine gives a container $2: start the engine with more (dockerd --default-ulimit nofile=$1:$1), or run the config with a lower maxconn`),
	about(`cannot bind socket \(Address already in use\) for \[\S+:(53|8600|5353)\]`, "$1 is the port of the testbed's resolver, at every address: take that listener out"),
	about(`module '([^']+)' not found`, "the Lua module $1 is neither where package.path looks nor in the image: put it into the folder, or HAPROXY_IMAGE= takes an image of yours that has it"),
	about(`hiding headers or body at the end of the version string is unsupported`, `"http-check send hdr Host NAME" replaces what follows the version in "option httpchk"; RELEASE=oldstable is an HAProxy that still takes it`),
	about(`unknown keyword '([^']+)'`, `a later HAProxy may know "$1": try RELEASE=testing, or an image of yours with HAPROXY_IMAGE=`),
}

var caddyAdvice = []Advice{
	about(`File to import not found: ([^\s,"]+)`, folderAdvice),
	about(`unrecognized directive: (proxy|gzip|fastcgi|errors|expires|internal|mime|ext|status|markdown|websocket|browse|startup|shutdown)\b`,
		`"$1" is of Caddy 1, whose files Caddy 2 does not read: reverse_proxy replaces proxy, encode replaces gzip, php_fastcgi replaces fastcgi`),
	about(`(?:(?:unrecognized|unknown|unsupported) (?:[\w-]+ ){0,2}?(?:directive|subdirective|option|parameter|property|transport|policy|module)s?|module not registered)[:\s'"]+([\w.-]+)`, `"$1" is of a plugin, or of a later Caddy: the latest here is RELEASE=testing, CADDY_IMAGE= takes an image of yours`),
}
