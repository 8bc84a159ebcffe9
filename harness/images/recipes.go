package images

// base is in every image, beside the proxy's own packages, which bring a libc:
// the merged /usr, certificate authorities, small tools, and a shell. The shell
// is not busybox's, which would take the word httpd for its own web server.
var base = []string{"base-files", "busybox-static", "ca-certificates", "dash"}

var recipes = map[string]recipe{
	Apache: {
		name:     "httpd",
		packages: append([]string{"apache2-bin", "apache2-utils", "media-types"}, base...),
		entries: []entry{
			{name: "usr/local/apache2/", mode: 0o755},
			{name: "usr/local/apache2/logs/", mode: 0o755},
			{name: "usr/local/apache2/cgi-bin/", mode: 0o755},
			{name: "usr/local/apache2/modules", link: "/usr/lib/apache2/modules"},
			{name: "usr/local/apache2/conf/mime.types", link: "/etc/mime.types"},
			{name: "usr/local/apache2/bin/ab", link: "/usr/bin/ab"},
			{name: "usr/local/apache2/bin/htpasswd", link: "/usr/bin/htpasswd"},
			{name: "usr/local/apache2/bin/rotatelogs", link: "/usr/bin/rotatelogs"},
			{name: "usr/local/apache2/bin/logresolve", link: "/usr/bin/logresolve"},
		},
		changes: []string{
			`CMD ["httpd-foreground"]`,
			"ENV HTTPD_PREFIX=/usr/local/apache2",
			"ENV PATH=/usr/local/apache2/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
			"WORKDIR /usr/local/apache2",
		},
		notes: []string{
			"the modules log_config, logio, unixd, version and watchdog are built in: their LoadModule lines are commented out in the container's copy at the start, and said on stderr",
			"conf/extra holds mpm, default, info, vhosts, ssl and proxy-html only; there is no manual and no error folder",
		},
	},
	Nginx: {
		name:     "nginx",
		packages: append([]string{"nginx"}, base...),
		entries: []entry{
			{name: "etc/nginx/modules", link: "/usr/lib/nginx/modules"},
			{name: "var/log/nginx/", mode: 0o755},
			{name: "var/log/nginx/access.log", link: "/dev/stdout"},
			{name: "var/log/nginx/error.log", link: "/dev/stderr"},
			{name: "var/cache/nginx/", mode: 0o755},
			{name: "var/lib/nginx/", mode: 0o755},
		},
		changes: []string{`CMD ["nginx", "-g", "daemon off;"]`},
		notes: []string{
			"stream and mail are not there: Debian has them as modules of their own",
			"paths relative to the prefix begin in /usr/share/nginx, not in /etc/nginx",
		},
	},
}
