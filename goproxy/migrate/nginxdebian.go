package migrate

import (
	"path"

	crossplane "github.com/nginxinc/nginx-go-crossplane"
)

// debianParams is what proxy_params says on Debian and Ubuntu (package nginx-common).
// Configs come from there without that file. Without what it says, clients could name
// themselves in X-Real-IP.
var debianParams = [][]string{
	{"Host", "$http_host"},
	{"X-Real-IP", "$remote_addr"},
	{"X-Forwarded-For", "$proxy_add_x_forwarded_for"},
	{"X-Forwarded-Proto", "$scheme"},
}

// withDebians puts what proxy_params says in the place of an include of it, if that file
// is not here.
func (n *nginx) withDebians(all crossplane.Directives) (out crossplane.Directives) {
	for _, d := range all {
		if d.Directive != "include" || len(d.Args) != 1 || path.Base(d.Args[0]) != "proxy_params" {
			out = append(out, d)
			continue
		}
		n.note(at(d), "%s is not here: it is taken for Debian's, which sets Host, X-Real-IP, X-Forwarded-For and X-Forwarded-Proto", d.Args[0])
		for _, field := range debianParams {
			set := *d
			set.Directive, set.Args = "proxy_set_header", field
			out = append(out, &set)
		}
	}
	return out
}
