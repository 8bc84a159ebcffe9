package kind

import (
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
)

// Env are the variables that a user gives a configuration: for its templates, and in the
// environment of its proxy.
type Env struct {
	// Said is what the user said: the name of a file, or the variables themselves.
	Said   string
	Values map[string]string
}

var (
	envAssigned = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*=`)
	envName     = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)
)

// ReadEnv takes variables, "NAME=value OTHER=value", or the name of a file with one
// NAME=value in a line, which is read as Docker Compose reads it. An error names the line
// and never the value, which may be a secret.
func ReadEnv(said string) (Env, error) {
	values, err := map[string]string{}, error(nil)
	switch {
	case envAssigned.MatchString(said):
		values, err = envWords(said)
	case said != "":
		values, err = envFile(said)
	}
	if err != nil {
		return Env{}, err
	}
	return Env{Said: said, Values: values}, nil
}

func envWords(said string) (map[string]string, error) {
	values := map[string]string{}
	for _, word := range strings.Fields(said) {
		name, value, is := strings.Cut(word, "=")
		if !is || !envName.MatchString(name) {
			return nil, fmt.Errorf("ENV: want NAME=value for each variable, with a space between them; a value with spaces in it needs a file: ENV=./file")
		}
		values[name] = value
	}
	return values, nil
}

func envFile(file string) (map[string]string, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("ENV=%s: want variables, NAME=value, or a file of them: %w", file, err)
	}
	values, n := map[string]string{}, 0
	for line := range strings.Lines(string(text)) {
		n++
		line = strings.TrimPrefix(strings.TrimSpace(line), "export ")
		if line == "" || line[0] == '#' || templateUpper.MatchString(line) { // a name alone has its value elsewhere
			continue
		}
		name, value, is := strings.Cut(line, "=")
		if name = strings.TrimSpace(name); !is || !envName.MatchString(name) {
			return nil, fmt.Errorf("ENV=%s:%d: want NAME=value in each line", file, n)
		}
		values[name] = envValue(value, values)
	}
	return values, nil
}

var (
	// envQuoted is a value in quotes; a comment may follow it.
	envQuoted  = regexp.MustCompile(`^(?:'([^']*)'|"((?:[^"\\]|\\.)*)")\s*(?:\s#.*)?$`)
	envComment = regexp.MustCompile(`\s#.*$`)
	// envInserted is another variable in a value; what follows a - stands for it if it is
	// not known. Or it is a character after a backslash.
	envInserted = regexp.MustCompile(`\\[\\"$nrt]|\$\{([A-Za-z_][A-Za-z0-9_]*)(?::?-([^{}]*))?\}|\$([A-Za-z_][A-Za-z0-9_]*)`)
)

// envEscaped is what stands after a backslash, without it.
var envEscaped = strings.NewReplacer(`\\`, `\`, `\"`, `"`, `\$`, `$`, `\n`, "\n", `\r`, "\r", `\t`, "\t")

// envValue is what Docker Compose makes of the text behind the = of a line: quotes and a
// comment go, and variables of lines before are put in, but not between single quotes. Between
// double ones a backslash may stand before a quote, a $ and another backslash, and \n is a new line.
// Variables that are not known stay, because a template may mean those of nginx.
func envValue(text string, before map[string]string) string {
	value, quoted := strings.TrimSpace(envComment.ReplaceAllString(text, "")), false
	if m := envQuoted.FindStringSubmatch(strings.TrimSpace(text)); m != nil {
		if value, quoted = m[2], true; strings.TrimSpace(text)[0] == '\'' {
			return m[1]
		}
	}
	return envInserted.ReplaceAllStringFunc(value, func(word string) string {
		if word[0] == '\\' {
			if quoted {
				return envEscaped.Replace(word)
			}
			return word
		}
		m := envInserted.FindStringSubmatch(word)
		known, is := before[m[1]+m[3]]
		switch {
		case is && (known != "" || !strings.Contains(word, ":-")):
			return known
		case strings.Contains(word, "-"):
			return m[2]
		}
		return word
	})
}

// Environment are the variables of the proxy's environment, each NAME=value: those of the
// Dockerfile, and those that were given.
func (c Config) Environment() []string {
	return Env{Values: c.variables()}.Assignments()
}

// variables are the same by their names.
func (c Config) variables() map[string]string {
	all := map[string]string{}
	if c.Docker != nil {
		_, all = dockerCopies(string(c.Docker.Content))
	}
	maps.Copy(all, c.Env.Values)
	return all
}

// expanded is the text of all files, without comments, with the variables of the environment
// replaced that were given or have a default. The expression finds a variable: its name in
// the first or last group, its default in the second.
func (c Config) expanded(variable *regexp.Regexp) string {
	given := c.variables()
	return variable.ReplaceAllStringFunc(c.text(), func(word string) string {
		m := variable.FindStringSubmatch(word)
		if value, is := given[m[1]+strings.Join(m[3:], "")]; is {
			return value
		}
		if m[2] != "" {
			return m[2]
		}
		return word
	})
}

// Assignments are the variables, each NAME=value, in order.
func (e Env) Assignments() []string {
	var all []string
	for _, name := range slices.Sorted(maps.Keys(e.Values)) {
		all = append(all, name+"="+e.Values[name])
	}
	return all
}
