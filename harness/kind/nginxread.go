package kind

import (
	"bytes"
	"io"
	"path"

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
	read := map[string]bool{}
	for i := 0; i < len(all); i++ {
		d := all[i]
		if d.name != "include" || len(d.args) != 1 {
			continue
		}
		for _, p := range elsewhere {
			if matched, _ := path.Match(nginxFile(d.args[0]), p.Path); matched && p.Link == "" && !read[p.Path] {
				read[p.Path] = true
				all = append(all, nginxDirectives(Config{Files: []File{{Name: p.Path, Content: p.Content}}})...)
			}
		}
	}
	return all
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
