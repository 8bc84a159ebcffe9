package kind

import (
	"embed"
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"
)

// Paths of the official image.
const (
	nginxMain      = "/etc/nginx/nginx.conf"
	nginxFragment  = "/etc/nginx/conf.d/default.conf"
	nginxFolder    = "/etc/nginx"
	nginxFragments = "/etc/nginx/conf.d"
	// nginxStreams is the folder of rendered templates of streams.
	nginxStreams = "stream-conf.d"
)

// nginxShipped are files that a distribution has beside its nginx and its users include,
// and the official image does not have.
//
//go:embed files/shipped/nginx
var nginxShipped embed.FS

// nginxWhole is what only a whole configuration has.
var nginxWhole = regexp.MustCompile(`(?m)(?:^|[;}])[ \t]*(events|http|stream|mail)\s*\{`)

// nginxLayout puts a configuration into the official image. A file or a folder without
// events { } goes beside the image's own nginx.conf, whose default.conf is out of the way.
func nginxLayout(c Config) (Layout, error) {
	c, begun := c.fromDockerfile(nginxFolder)
	if begun.From == "" {
		c, begun = c.nginxDump()
	}
	all := nginxRead(c, begun.Files)
	l := Layout{}
	main, err := nginxMainOf(c)
	switch {
	case err != nil:
		return l, err
	case main != "" && c.single():
		l.Files = []Placed{c.at(nginxMain, main)}
		l.nginxDefault(nil)
	case c.single():
		l.Files = []Placed{c.at(nginxFragment, c.Files[0].Name)}
	case main != "":
		l.Files = c.below(nginxFolder)
		for i, name := range c.names() {
			if name == main {
				l.Files[i].Path = nginxMain
			}
		}
		l.nginxDefault(nil)
	default:
		if err := l.nginxParts(c, all); err != nil {
			return l, err
		}
	}
	off := func(d nginxDirective) bool {
		return d.block == "" && d.name == "daemon" && slices.Equal(d.args, []string{"off"})
	}
	global := "daemon off;"
	if slices.ContainsFunc(all, off) { // nginx refuses to hear it twice
		global = ""
	}
	l.nginxLoads(c, all)
	l.Files, l.From = append(l.Files, begun.Files...), begun.From
	l.nginxStart(global, all)
	l.home(c, nginxFolder)
	l.nginxModuleLinks()
	own := len(l.Files)
	if err := l.nginxSpares(c); err != nil {
		return l, err
	}
	l.nginxPlaces(c, nginxRead(c, slices.Concat(begun.Files, l.Files[own:])))
	return l, nil
}

// nginxMainOf is the name of the whole configuration: nginx.conf, or the one file of
// another name that is one. It is empty if there is none. The error names several.
func nginxMainOf(c Config) (string, error) {
	var whole []string
	for _, f := range c.Files {
		if path.Dir(f.Name) != "." || !nginxWhole.Match(comment.ReplaceAll(f.Content, nil)) {
			continue
		}
		if f.Name == "nginx.conf" {
			return f.Name, nil
		}
		whole = append(whole, f.Name)
	}
	switch len(whole) {
	case 0:
		return "", nil
	case 1:
		return whole[0], nil
	}
	return "", fmt.Errorf("%s: %s are each a whole configuration of nginx, and none is called nginx.conf: give one of them, CONFIG=%s",
		c.Path, strings.Join(whole, " and "), path.Join(c.Path, whole[0]))
}

// nginxDefault puts a file in the place of the image's default.conf, which would answer
// before the configuration's own servers.
func (l *Layout) nginxDefault(content []byte) {
	if !l.places(nginxFragment) {
		l.Files = append(l.Files, Placed{Path: nginxFragment, Content: content})
	}
}

// nginxParts lays out a folder without a main file: as it lies below /etc/nginx, with the
// folders conf.d and sites-enabled, or else the files themselves, in force.
func (l *Layout) nginxParts(c Config, all []nginxDirective) error {
	included := map[string]bool{}
	for _, d := range all {
		if d.name == "include" && len(d.args) == 1 {
			included[strings.TrimPrefix(d.args[0], nginxFolder+"/")] = true
		}
	}
	fragments := slices.DeleteFunc(nginxTop(c), func(name string) bool { return included[name] })
	inForce := map[string]bool{}
	for _, name := range fragments {
		inForce[name] = true
		where := path.Join(nginxFragments, name)
		if path.Ext(name) != ".conf" {
			where += ".conf" // what nginx.conf includes
		}
		l.Files = append(l.Files, c.at(where, name))
	}
	more := nginxSites(c, all)
	isConfD := !c.hasFolder("conf.d") && !c.hasFolder("sites-enabled") && len(more) == 0
	for _, name := range c.names() {
		if inForce[name] {
			continue
		}
		if isConfD && !included[name] {
			l.Files = append(l.Files, c.at(path.Join(nginxFragments, name), name))
		}
		l.Files = append(l.Files, c.at(path.Join(nginxFolder, name), name))
	}
	here := len(fragments) + len(c.in("conf.d", "*.conf")) + len(c.in(nginxStreams, "*.conf"))
	if sites := c.sites(); len(c.in(sites, "*")) > 0 && (sites == "sites-enabled" || here+len(more) == 0) {
		more = append([]string{sites + "/*"}, more...)
	}
	switch {
	case len(more) > 0:
		include := []byte("include " + nginxFolder + "/" + strings.Join(more, ";\ninclude "+nginxFolder+"/") + ";\n")
		if l.places(nginxFragment) {
			l.Files = append(l.Files, Placed{Path: path.Join(nginxFragments, path.Dir(more[0])+".conf"), Content: include})
			break
		}
		l.nginxDefault(include)
	case here == 0:
		return fmt.Errorf("%s: nginx would load nothing from this folder: want nginx.conf, or files *.conf, conf.d/*.conf, http.d/*.conf or sites-enabled/*; it has %s%s",
			c.Path, c.someNames(), c.deeper("nginx.conf", "default.conf"))
	}
	l.nginxDefault(nil)
	l.nginxStreams(c)
	return nil
}

// nginxSiteFolders are those in which distributions and images have their sites, besides
// conf.d and sites-enabled: Alpine, SUSE, Bitnami, linuxserver.io, Homebrew, panels.
var nginxSiteFolders = []string{"http.d", "vhosts.d", "server_blocks", "site-confs", "servers", "vhosts", "vhost"}

// nginxSites are patterns of the files in such folders that no file includes by itself.
func nginxSites(c Config, all []nginxDirective) []string {
	var found []string
	for _, folder := range nginxSiteFolders {
		included := slices.ContainsFunc(all, func(d nginxDirective) bool {
			return d.name == "include" && len(d.args) == 1 && strings.Contains("/"+d.args[0], "/"+folder+"/")
		})
		if len(c.in(folder, "*.conf")) > 0 && !included {
			found = append(found, folder+"/*.conf")
		}
	}
	return found
}

// nginxStreams adds a stream block for rendered templates of streams to the image's
// nginx.conf, as its entrypoint does.
func (l *Layout) nginxStreams(c Config) {
	rendered := slices.ContainsFunc(c.Files, func(f File) bool { return f.Template != nil && path.Dir(f.Name) == nginxStreams })
	if !rendered || l.places(nginxMain) {
		return
	}
	main, err := fs.ReadFile(nginxFiles, "files/nginx"+nginxMain)
	if err != nil {
		panic(err) // the name is the program's own
	}
	l.Files = append(l.Files, Placed{Path: nginxMain, Content: append(main, "\nstream {\n    include "+nginxFolder+"/"+nginxStreams+"/*.conf;\n}\n"...)})
}

// notNginx are the names of files that lie in folders of configuration and are none.
var notNginx = regexp.MustCompile(`(?i)(?:^(?:dockerfile|makefile|license|readme|mime\.types|.*_params|koi-.*|win-utf)$|\.(?:pem|crt|cer|key|csr|md|txt|sh|html?|ya?ml|json|lua|js|template|bak|orig|env|log|dockerfile)$)`)

// nginxTop are the files of the folder itself that are meant to be in force: those named
// *.conf, as nginx.conf includes them; in a folder sites-enabled, or if none is named so,
// all that can be configuration.
func nginxTop(c Config) []string {
	conf := c.in(".", "*.conf")
	if path.Base(c.Path) != "sites-enabled" && (len(conf) > 0 || c.hasFolder("conf.d") || c.hasFolder("sites-enabled")) {
		return conf
	}
	return slices.DeleteFunc(c.in(".", "*"), notNginx.MatchString)
}

// nginxPlaces notes where the configuration has nginx write, and as whom it runs.
func (l *Layout) nginxPlaces(c Config, all []nginxDirective) {
	half := map[string]string{} // the last certificate, whose key comes next
	hosts := nginxNamed(c)
	for _, d := range all {
		if len(d.args) == 0 {
			continue
		}
		switch d.name {
		case "access_log", "error_log", "pid", "lock_file", "proxy_cache_path", "fastcgi_cache_path", "uwsgi_cache_path", "scgi_cache_path",
			"proxy_temp_path", "client_body_temp_path", "fastcgi_temp_path", "uwsgi_temp_path", "scgi_temp_path":
			for _, name := range nginxWritten(d.args[0]) {
				l.folder(path.Dir(name)) // nginx makes the last folder of a cache itself
			}
		case "listen":
			if socket, is := strings.CutPrefix(d.args[0], "unix:"); is {
				l.folder(path.Dir(socket))
			}
		case "include":
			l.nginxShippedElsewhere(d.args[0])
		case "load_module":
			l.nginxModulesElsewhere(d.args[0])
		case "user":
			l.user(d.args[0])
			l.user(d.args[len(d.args)-1]) // its group may have another name
		case "ssl_certificate", "proxy_ssl_certificate", "grpc_ssl_certificate", "uwsgi_ssl_certificate":
			for _, file := range byHost(nginxFile(d.args[0]), hosts) {
				l.pair(file)
			}
			half[d.name] = nginxFile(d.args[0])
		case "ssl_certificate_key", "proxy_ssl_certificate_key", "grpc_ssl_certificate_key", "uwsgi_ssl_certificate_key":
			for _, file := range byHost(nginxFile(d.args[0]), hosts) {
				l.pair(file)
			}
			l.couple(half[strings.TrimSuffix(d.name, "_key")], nginxFile(d.args[0]))
		case "ssl_client_certificate", "ssl_trusted_certificate", "ssl_crl": // a list without revocations
			l.pair(nginxFile(d.args[0]))
		case "ssl_password_file", "proxy_ssl_password_file":
			l.spare(nginxFile(d.args[0]), []byte("none\n")) // a key that is made has no passphrase
		case "ssl_session_ticket_key":
			l.spare(nginxFile(d.args[0]), ticketKey)
		case "proxy_ssl_trusted_certificate", "grpc_ssl_trusted_certificate", "uwsgi_ssl_trusted_certificate":
			l.authority(nginxFile(d.args[0]))
		case "ssl_dhparam":
			l.spare(nginxFile(d.args[0]), dhParameters)
		}
	}
}

// byHost are the files of a certificate whose path has the host's name in it, one for each
// host; else the file itself.
func byHost(file string, hosts []string) []string {
	var files []string
	for _, variable := range []string{"$ssl_server_name", "${ssl_server_name}"} {
		for _, host := range hosts {
			if strings.Contains(file, variable) {
				files = append(files, strings.ReplaceAll(file, variable, host))
			}
		}
	}
	if files == nil {
		return []string{file}
	}
	return files
}

// nginxNamed are the hosts that the configuration names, patterns left out, and the one that
// is asked for first.
func nginxNamed(c Config) []string {
	hosts := []string{anyHost}
	for _, host := range nginxServes(c).Hosts {
		if !strings.ContainsAny(host, "*~$_/") && !strings.HasPrefix(host, ".") && !slices.Contains(hosts, host) {
			hosts = append(hosts, host)
		}
	}
	return hosts
}

// nginxTypes are files that every nginx has beside its nginx.conf.
var nginxTypes = []string{"mime.types", "fastcgi_params", "fastcgi.conf", "scgi_params", "uwsgi_params", "proxy_params"}

// nginxShippedElsewhere has such a file found under the path that it has on another machine.
func (l *Layout) nginxShippedElsewhere(file string) {
	where := l.target(nginxFile(file))
	if base := path.Base(file); slices.Contains(nginxTypes, base) && path.Dir(where) != nginxFolder && l.wanted(where) {
		l.Files = append(l.Files, spareLink(where, path.Join(nginxFolder, base)))
	}
}

// nginxPrefixes are where paths of logs and caches begin that are relative: in the official
// image, and in Debian's nginx.
var nginxPrefixes = []string{nginxFolder, "/usr/share/nginx"}

// nginxWritten are the places that a file to write to may have.
func nginxWritten(name string) []string {
	if path.IsAbs(name) || nginxScheme.MatchString(name) || !strings.Contains(name, "/") {
		return []string{name}
	}
	var all []string
	for _, prefix := range nginxPrefixes {
		all = append(all, path.Join(prefix, name))
	}
	return all
}

// nginxScheme begins what is no file: syslog:, memory:, data:, engine:. The drive of a path of
// Windows is none: nginx for Linux takes C:/logs for a folder called C: below its prefix.
var nginxScheme = regexp.MustCompile(`^[a-z]{2,}:`)

// nginxFile is a file that nginx finds beside nginx.conf unless its name is absolute.
func nginxFile(name string) string {
	if path.IsAbs(name) || nginxScheme.MatchString(name) {
		return name
	}
	return path.Join(nginxFolder, name)
}

// nginxSpares adds what a distribution ships and the configuration names.
func (l *Layout) nginxSpares(c Config) error {
	return fs.WalkDir(below(nginxShipped, "files/shipped/nginx"), ".", func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		content, err := nginxShipped.ReadFile(path.Join("files/shipped/nginx", p))
		named := c.mentions(path.Base(p)) || path.Base(p) == "fastcgi.conf" && c.mentions("fastcgi-php.conf")
		if named && !l.places("/"+p) {
			l.Files = append(l.Files, Placed{Path: "/" + p, Content: content, Spare: true})
		}
		return err
	})
}
