package kind

import (
	"bytes"
	"io"
	"path"
	"slices"

	crossplane "github.com/nginxinc/nginx-go-crossplane"
)

// nginxDirective is a directive as it stands in one of the files. Includes are not
// followed.
type nginxDirective struct {
	file  string
	block string   // the innermost block of its file that it stands in; empty for none
	of    []string // the arguments of that block
	name  string
	args  []string
}

// nginxRead are the directives of a configuration, and of those files outside of it that it
// includes, or that these include.
func nginxRead(c Config, elsewhere []Placed) []nginxDirective {
	all := nginxDirectives(c)
	for fresh := all; len(fresh) > 0; {
		var more []nginxDirective
		elsewhere = slices.DeleteFunc(slices.Clone(elsewhere), func(p Placed) bool {
			included := p.Link == "" && slices.ContainsFunc(fresh, func(d nginxDirective) bool { return d.includes(p.Path) })
			if included {
				more = append(more, nginxDirectives(Config{Files: []File{{Name: p.Path, Content: p.Content}}})...)
			}
			return included
		})
		all, fresh = append(all, more...), more
	}
	return all
}

// includes says whether a directive includes the file at a path.
func (d nginxDirective) includes(where string) bool {
	if d.name != "include" || len(d.args) != 1 {
		return false
	}
	matched, _ := path.Match(nginxFile(d.args[0]), where)
	return matched
}

// nginxDirectives reads the files of a configuration, for hints. A file that cannot be
// read has none: nginx itself will say what is wrong with it.
func nginxDirectives(c Config) []nginxDirective {
	var found []nginxDirective
	for _, f := range c.Files {
		payload, err := crossplane.Parse(f.Name, &crossplane.ParseOptions{
			SingleFile: true, SkipDirectiveContextCheck: true, SkipDirectiveArgsCheck: true,
			LexOptions: crossplane.LexOptions{Lexers: []crossplane.RegisterLexer{(&crossplane.Lua{}).RegisterLexer()}},
			Open:       func(string) (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(f.Content)), nil },
		})
		if err != nil {
			continue
		}
		var walk func(block string, of []string, all crossplane.Directives)
		walk = func(block string, of []string, all crossplane.Directives) {
			for _, d := range all {
				found = append(found, nginxDirective{file: f.Name, block: block, of: of, name: d.Directive, args: d.Args})
				walk(d.Directive, d.Args, d.Block)
			}
		}
		for _, parsed := range payload.Config {
			walk("", nil, parsed.Parsed)
		}
	}
	return found
}
