package migrate

import (
	"net/http"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/proxychaos/proxychaos/goproxy"
)

// harmlessApache are directives and sections that close nothing when they are
// left out. All others do, for all that is known.
var harmlessApache = regexp.MustCompile(`(?i)^(ServerAdmin|ErrorLog\w*|CustomLog|TransferLog|LogLevel|LogFormat|DocumentRoot|ServerRoot|ServerTokens|ServerSignature|PidFile|User|Group|Mutex|TypesConfig|AddType|AddEncoding|AddDefaultCharset|AddOutputFilterByType|Options|AllowOverride|Max\w+|Min\w+|Threads\w*|StartServers|ServerLimit|DirectoryIndex|KeepAlive\w*|Timeout|RequestReadTimeout|HostnameLookups|UseCanonicalName|LoadModule|Protocols|H2\w+|Expires\w+|Deflate\w+|EnableSendfile|EnableMMAP|FileETag|TraceEnable|LimitRequest\w+|ErrorDocument|Define|ProxyVia|ProxyErrorOverride|ProxyIOBufferSize|ProxyReceiveBufferSize|ProxyBadHeader|ProxyStatus|ProxyAddHeaders|RewriteEngine|RewriteCond|SSLProtocol|SSLCipherSuite|SSLHonorCipherOrder|SSLSession\w+|SSLCertificateChainFile|SSLCACertificate(File|Path)|SSLUseStapling|SSLStapling\w+|SSLCompression|SSLRandomSeed|SSLProxy\w+|Alias|<Directory>|<DirectoryMatch>)$`)

// opens reports whether a directive of access control lets everybody in.
func opens(d directive) bool {
	text := strings.ToLower(d.name + " " + strings.Join(d.args, " "))
	return slices.Contains([]string{"require all granted", "allow from all", "order deny,allow", "sslverifyclient none", "authtype none"}, text)
}

// hasUndefined reports whether a value has a variable that no Define gives.
func hasUndefined(d directive) bool {
	return slices.ContainsFunc(d.args, func(arg string) bool { return strings.Contains(arg, "${") })
}

// segments is the expression for whole segments at the start of a path, which
// is how Apache reads <Location> and ProxyPass.
func segments(prefix string) string {
	if strings.HasSuffix(prefix, "/") {
		return "^" + regexp.QuoteMeta(prefix)
	}
	return "^" + regexp.QuoteMeta(prefix) + "(/|$)"
}

// closePath closes a path, or everything if goproxy cannot tell which it is.
func (v *vhost) closePath(p string, regex bool) (whole bool) {
	if !regex {
		if !strings.HasPrefix(p, "/") || strings.ContainsAny(p, `*?[\`) || strings.Contains(p, "${") {
			v.barred = true
			return true
		}
		p = segments(p)
	}
	if _, err := regexp.Compile(p); err != nil || p == "" || strings.Contains(p, "${") {
		v.barred = true
		return true
	}
	v.closed = append(v.closed, goproxy.Route{PathRegex: p, Status: http.StatusForbidden})
	return false
}

// unknown decides about a directive that is not carried over: unless it is
// known to be harmless, nothing that it counts for is open.
func (a *apache) unknown(d directive) (closes bool) {
	name := strings.ToLower(d.name)
	switch {
	case opens(d):
	case harmlessApache.MatchString(d.name):
		a.note(d.place, "goproxy has nothing for it, and it closes nothing")
	case strings.HasPrefix(name, "include") && len(d.args) == 1 && slices.Contains(harmlessFiles, path.Base(d.args[0])):
		a.note(d.place, "%s is not here: what stands in it is not in the draft", d.args[0])
	default:
		return true
	}
	return false
}

// bar closes the whole of v for a directive.
func (a *apache) bar(d directive, v *vhost) {
	reason := "goproxy has nothing for it"
	if strings.HasPrefix(strings.ToLower(d.name), "include") {
		reason = "the file is not here, or includes itself, and what it closes is unknown"
	} else if hasUndefined(d) {
		reason = "it has a variable that is not defined in the file"
	}
	a.close(d.place, "everything that it counts for answers 403 in this draft: %s (%s)", reason, strings.Join(d.args, " "))
	v.barred = true
}

// include reads the files that an Include names, relative to that with the
// directive. None means that they are not here, or that one includes itself.
func (a *apache) include(d directive) []directive {
	if len(d.args) != 1 || !a.files {
		return nil
	}
	pattern := d.args[0]
	if !filepath.IsAbs(pattern) {
		pattern = filepath.Join(filepath.Dir(d.file), pattern)
	}
	names, err := filepath.Glob(pattern)
	if err != nil {
		return nil
	}
	if slices.ContainsFunc(names, func(name string) bool { return slices.Contains(a.including, name) }) {
		return nil
	}
	a.including = slices.Concat(a.including, names)
	var all []directive
	for _, name := range names {
		data, err := os.ReadFile(name)
		if err != nil || checkText(name, string(data)) != nil {
			return nil
		}
		inner, err := readApache(name, string(data))
		if err != nil {
			return nil
		}
		all = append(all, inner...)
	}
	return all
}
