package kind

import (
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"
)

// nginxModuleFolder is where the official image and Debian's have the modules.
const nginxModuleFolder = "/usr/lib/nginx/modules"

// nginxModule is a module that Debian has as a file, and that others have built into their
// nginx: a configuration from there, or a site without the machine's nginx.conf, does not
// load it.
type nginxModule struct {
	name       string // of its file, without .so
	directives *regexp.Regexp
}

// nginxModules are in an order in which they can be loaded. Their directives are those of
// each module's own documentation.
var nginxModules = []nginxModule{
	{"ndk_http_module", nginxNames(`\w+_by_lua\w*|lua_\w+|set_(?:if_empty|(?:un)?quote|(?:un)?escape|encode|decode|sha1|md5|hmac|random|secure|hashed|rotate|local|formatted|cgi|misc)\w*`)},
	{"ngx_http_lua_module", nginxNames(`\w+_by_lua\w*|lua_\w+`)},
	{"ngx_http_set_misc_module", nginxNames(`set_(?:if_empty|(?:un)?quote|(?:un)?escape|encode|decode|sha1|md5|hmac|random|secure|hashed|rotate|local|formatted|cgi|misc)\w*`)},
	{"ngx_http_brotli_filter_module", nginxNames(`brotli|brotli_(?:buffers|comp_level|min_length|types|window)`)},
	{"ngx_http_brotli_static_module", nginxNames(`brotli_static`)},
	{"ngx_http_headers_more_filter_module", nginxNames(`more_(?:set|clear)_(?:input_)?headers`)},
	{"ngx_http_echo_module", nginxNames(`echo|echo_\w+`)},
	{"ngx_http_geoip_module", nginxNames(`geoip_(?:country|city|org|proxy|proxy_recursive)`)},
	{"ngx_http_geoip2_module", nginxNames(`geoip2|geoip2_proxy\w*`)},
	{"ngx_http_js_module", nginxNames(`js_\w+`)},
	{"ngx_http_subs_filter_module", nginxNames(`subs_filter\w*`)},
	{"ngx_http_cache_purge_module", nginxNames(`(?:proxy|fastcgi|uwsgi|scgi)_cache_purge`)},
	{"ngx_http_fancyindex_module", nginxNames(`fancyindex\w*`)},
	{"ngx_http_xslt_filter_module", nginxNames(`xslt_\w+|xml_entities`)},
	{"ngx_http_modsecurity_module", nginxNames(`modsecurity\w*`)},
	{"ngx_http_dav_ext_module", nginxNames(`dav_ext_\w+`)},
	{"ngx_http_auth_pam_module", nginxNames(`auth_pam\w*`)},
	{"ngx_http_uploadprogress_module", nginxNames(`upload_progress\w*|track_uploads|report_uploads`)},
	{"ngx_nchan_module", nginxNames(`nchan_\w+`)},
}

func nginxNames(pattern string) *regexp.Regexp { return regexp.MustCompile(`^(?:` + pattern + `)$`) }

// nginxLoads are the modules that the configuration needs and does not load itself.
func (l *Layout) nginxLoads(c Config, all []nginxDirective) {
	loaded := c.text()
	for _, link := range c.Links { // 50-mod-http-headers-more-filter.conf -> /usr/share/nginx/...
		loaded += "\n" + strings.ReplaceAll(link.Name+" "+link.Target, "-", "_")
	}
	for _, m := range nginxModules {
		core := strings.TrimSuffix(strings.TrimPrefix(m.name, "ngx_"), "_module")
		needs := slices.ContainsFunc(all, func(d nginxDirective) bool {
			return d.block != "types" && d.block != "map" && d.block != "geo" && m.directives.MatchString(d.name)
		})
		if needs && !strings.Contains(loaded, core) {
			l.Modules = append(l.Modules, m.name)
		}
	}
}

// nginxLacking are modules that Debian's distributions load for every nginx, and that the images
// built here are without. A line that loads one where it is not there loses nothing, unless some
// directive is of it: then it stays, and nginx says what is missing.
var nginxLacking = []nginxModule{
	{"ngx_http_image_filter_module", nginxNames(`image_filter\w*`)},
	{"ngx_http_perl_module", nginxNames(`perl\w*`)},
}

// nginxStart starts nginx with what a file of the configuration cannot say: global
// directives, and modules as far as the image has them.
func (l *Layout) nginxStart(global string, all []nginxDirective) {
	script := l.nginxUnloads(all)
	if len(l.Modules) > 0 {
		script += `load=; for name in ` + strings.Join(l.Modules, " ") + `; do ` +
			`file=` + nginxModuleFolder + `/$name.so; if [ -f "$file" ]; then load="${load}load_module $file; "; fi; done; `
	}
	switch {
	case len(l.Modules) > 0:
		l.Cmd = []string{"sh", "-c", script + `exec nginx -g "${load}` + global + `"`}
	case script != "":
		l.Cmd = []string{"sh", "-c", script + strings.TrimSuffix(`exec nginx -g "`+global+`"`, ` -g ""`)}
	case global != "":
		l.Cmd = []string{"nginx", "-g", global}
	default:
		l.Cmd = []string{"nginx"}
	}
}

// nginxUnloads is a part of a script that takes the lines out of the container's copy that load
// modules which the image lacks and nothing needs, and says so.
func (l *Layout) nginxUnloads(all []nginxDirective) string {
	var script strings.Builder
	for _, m := range nginxLacking {
		if slices.ContainsFunc(all, func(d nginxDirective) bool { return m.directives.MatchString(d.name) }) {
			continue
		}
		for _, p := range l.Files {
			if p.Link == "" && p.Own != "" && strings.Contains(string(p.Content), m.name+".so") && !strings.Contains(p.Path, "'") {
				if !slices.Contains(l.Unloads, m.name) {
					l.Unloads = append(l.Unloads, m.name)
				}
				fmt.Fprintf(&script, `[ -f %[1]s/%[2]s.so ] || { echo "%[2]s is not in this image, and nothing in the configuration needs it: it is not loaded" >&2; `+
					`sed -i 's|load_module[[:space:]][^;]*%[2]s[.]so[^;]*;||' '%[3]s'; }; `, nginxModuleFolder, m.name, p.Path)
			}
		}
	}
	return script.String()
}

// debianModuleLinks is where the links of Debian's modules-enabled lead.
const debianModuleLinks = "/usr/share/nginx/modules-available"

// nginxModuleLinks has such links lead to an empty file if the image has none there: it lacks
// the module, and nginx says so if a directive is of it.
func (l *Layout) nginxModuleLinks() {
	for _, p := range slices.Clone(l.Files) {
		if path.Dir(p.Link) == debianModuleLinks && l.wanted(p.Link) {
			l.Files = append(l.Files, Placed{Path: p.Link, Content: []byte("# the image lacks this module\n"), Spare: true})
		}
	}
}

// nginxModulesElsewhere has modules found in the folder of another distribution, by the
// names of their files.
func (l *Layout) nginxModulesElsewhere(file string) {
	if folder := path.Dir(file); path.IsAbs(file) && folder != nginxModuleFolder && l.wanted(folder) && l.wanted(l.target(file)) {
		l.Files = append(l.Files, spareLink(folder, nginxModuleFolder))
	}
}
