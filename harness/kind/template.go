package kind

import (
	"cmp"
	"fmt"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"
)

// Template is what a file was rendered from.
type Template struct {
	Name    string // of the user's file, relative to Config.Path
	Content []byte
}

var (
	// A variable of a template, as envsubst knows it.
	templateVariable = regexp.MustCompile(`\$\{([A-Za-z_][A-Za-z0-9_]*)\}|\$([A-Za-z_][A-Za-z0-9_]*)`)
	// Those of the environment are in upper case, nginx's own are not.
	templateUpper = regexp.MustCompile(`^[A-Z_][A-Z0-9_]*$`)
)

// localResolvers is what the official image of nginx puts into NGINX_LOCAL_RESOLVERS: the
// resolver of every Docker network.
const localResolvers = "127.0.0.11"

// Suffixes of templates, unless NGINX_ENVSUBST_TEMPLATE_SUFFIX and
// NGINX_ENVSUBST_STREAM_TEMPLATE_SUFFIX say others.
const (
	templateSuffix = ".template"
	streamSuffix   = ".stream-template"
)

// Render turns the files that are called *.template into what the entrypoint of the
// official image of nginx makes of them with envsubst: variables that are given are
// replaced, others are left. Those in a folder templates go to conf.d, or below /etc/nginx to
// where NGINX_ENVSUBST_OUTPUT_DIR says; those called *.stream-template go to stream-conf.d.
// The error names a template and the variables that it
// needs and were not given.
func (c Config) Render() (Config, error) {
	given := map[string]string{"NGINX_LOCAL_RESOLVERS": localResolvers}
	maps.Copy(given, c.variables())
	filter, err := regexp.Compile(given["NGINX_ENVSUBST_FILTER"])
	if err != nil {
		return c, fmt.Errorf("ENV: NGINX_ENVSUBST_FILTER: %w", err)
	}
	files := slices.Clone(c.Files)
	for i, f := range files {
		name, is := c.renderedName(f.Name)
		if !is {
			continue
		}
		content, unset := substitute(string(f.Content), given, filter)
		if len(unset) > 0 {
			return c, unsetError(f.Name, unset)
		}
		files[i] = File{Name: name, Content: []byte(content), Executable: f.Executable, Template: &Template{Name: f.Name, Content: f.Content}}
	}
	slices.SortStableFunc(files, func(a, b File) int { return strings.Compare(a.Name, b.Name) })
	c.Files = files
	return c, nil
}

// renderedName is what a template is called when it is rendered; false if a file is none.
func (c Config) renderedName(name string) (string, bool) {
	below, inFolder := strings.CutPrefix(name, "templates/")
	if rendered, is := strings.CutSuffix(below, cmp.Or(c.variables()["NGINX_ENVSUBST_STREAM_TEMPLATE_SUFFIX"], streamSuffix)); is && inFolder {
		return path.Join(nginxStreams, rendered), true
	}
	suffix := templateSuffix
	if inFolder {
		suffix = cmp.Or(c.variables()["NGINX_ENVSUBST_TEMPLATE_SUFFIX"], suffix)
	}
	rendered, is := strings.CutSuffix(below, suffix)
	if is && inFolder {
		rendered = strings.TrimPrefix(path.Join(c.renderedTo(), rendered), nginxFolder+"/")
	}
	return rendered, is
}

// renderedTo is the folder into which the official image renders templates.
func (c Config) renderedTo() string {
	to := path.Clean("/" + c.variables()["NGINX_ENVSUBST_OUTPUT_DIR"])
	if to == nginxFolder || strings.HasPrefix(to, nginxFolder+"/") {
		return to
	}
	return nginxFragments // what is elsewhere is no configuration
}

// substitute puts variables into the text of a template, and returns the names of those
// that it needs and that were not given.
func substitute(text string, given map[string]string, filter *regexp.Regexp) (rendered string, unset []string) {
	own := map[string]bool{} // of nginx, as far as it was looked for
	rendered = templateVariable.ReplaceAllStringFunc(text, func(word string) string {
		variable := strings.Trim(word, "${}")
		value, known := given[variable]
		switch {
		case known && filter.MatchString(variable):
			return value
		case !known && templateUpper.MatchString(variable) && filter.MatchString(variable) && !strings.HasPrefix(variable, "APACHE_") &&
			!slices.Contains(unset, variable) && !definesVariable(text, variable, own):
			unset = append(unset, variable)
		}
		return word
	})
	return rendered, unset
}

// definesVariable says whether the text of a template makes a variable of nginx's own of a name,
// and remembers it.
func definesVariable(text, variable string, known map[string]bool) bool {
	if _, looked := known[variable]; !looked {
		known[variable] = regexp.MustCompile(`\b(?:\w+_)?set\s+\$` + variable + `\b|\b(?:map|geo|split_clients)\s(?:[^;{}]|\$\{\w+\})*\$` + variable + `\s*\{|\?P?<` + variable + `>`).MatchString(text)
	}
	return known[variable]
}

func unsetError(template string, unset []string) error {
	return fmt.Errorf("%s is a template, and %s", template, UnsetAdvice(unset))
}
