package goproxy

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"reflect"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"

	"github.com/proxychaos/proxychaos/harness/meant"
)

// Load reads and checks a YAML file. Every problem found is a line of the
// error, "file:line:column: what is wrong".
func Load(path string) (Config, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return Config{}, fmt.Errorf("read config: %w", err)
	}
	return Parse(path, data)
}

// ConfigError is a config that was read and cannot be served. Its text has a line for
// each problem.
type ConfigError struct{ problems error }

// Error implements error.
func (e *ConfigError) Error() string { return e.problems.Error() }

// Unwrap gives the problems to errors.Is and errors.As.
func (e *ConfigError) Unwrap() error { return e.problems }

// Parse is Load for a file already read. Name stands in the errors, which are of type
// *ConfigError.
func Parse(name string, data []byte) (Config, error) {
	cfg, err := parse(name, data)
	if err != nil {
		return cfg, &ConfigError{err}
	}
	return cfg, nil
}

func parse(name string, data []byte) (Config, error) {
	var cfg Config
	file, err := parser.ParseBytes(data, 0)
	if err != nil {
		return cfg, positioned(name, err)
	}
	if len(file.Docs) == 0 || file.Docs[0].Body == nil {
		return cfg, fmt.Errorf("%s:1:1: the file is empty: want at least routes and upstreams", name)
	}
	if len(file.Docs) > 1 {
		return cfg, fmt.Errorf("%s:%s: a second YAML document: want one", name, position(file.Docs[1].Body))
	}
	root := file.Docs[0].Body
	var problems []error
	checkKeys(root, reflect.TypeFor[Config](), func(n ast.Node, text string) {
		problems = append(problems, fmt.Errorf("%s:%s: %s", name, position(n), text))
	})
	if len(problems) > 0 {
		return cfg, errors.Join(problems...)
	}
	if err := yaml.NodeToValue(root, &cfg); err != nil {
		return cfg, positioned(name, err)
	}
	for _, p := range cfg.problems() {
		problems = append(problems, fmt.Errorf("%s:%s: %s: %s", name, position(find(root, p.path)), strings.Join(p.path, "."), p.text))
	}
	return cfg, errors.Join(problems...)
}

// positioned turns an error of the YAML reader into one line.
func positioned(name string, err error) error {
	var yerr yaml.Error
	if !errors.As(err, &yerr) || yerr.GetToken() == nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	text := yerr.GetMessage()
	var terr *yaml.TypeError
	if errors.As(err, &terr) {
		text = fmt.Sprintf("%q is a %v: want %s", terr.Token.Value, terr.SrcType, kindName(terr.DstType))
	}
	pos := yerr.GetToken().Position
	return fmt.Errorf("%s:%d:%d: %s", name, pos.Line, pos.Column, text)
}

func kindName(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Int:
		return "a whole number"
	case reflect.Bool:
		return "true or false"
	case reflect.String:
		return "a text"
	case reflect.Slice:
		return "a list"
	case reflect.Map, reflect.Struct:
		return "keys with values"
	default:
		return t.String()
	}
}

func position(n ast.Node) string {
	if mapping, ok := n.(*ast.MappingNode); ok && len(mapping.Values) > 0 && !mapping.IsFlowStyle {
		n = mapping.Values[0].Key // a block mapping's own token is its first colon
	}
	if n == nil || n.GetToken() == nil {
		return "1:1"
	}
	pos := n.GetToken().Position
	return fmt.Sprintf("%d:%d", pos.Line, pos.Column)
}

// checkKeys reports every key below n that type t does not have.
func checkKeys(n ast.Node, t reflect.Type, report func(ast.Node, string)) {
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch n := n.(type) {
	case *ast.AnchorNode:
		checkKeys(n.Value, t, report)
	case *ast.SequenceNode:
		if t.Kind() == reflect.Slice {
			for _, v := range n.Values {
				checkKeys(v, t.Elem(), report)
			}
		}
	case *ast.MappingNode:
		known := fieldsOf(t)
		for _, pair := range n.Values {
			key := pair.Key.GetToken().Value
			switch {
			case pair.Key.IsMergeKey():
			case t.Kind() == reflect.Map:
				checkKeys(pair.Value, t.Elem(), report)
			case t.Kind() == reflect.Struct:
				field, ok := known[key]
				if !ok {
					report(pair.Key, fmt.Sprintf("unknown key %q%s", key, meant.Hint(key, slices.Sorted(maps.Keys(known)))))
					continue
				}
				checkKeys(pair.Value, field, report)
			}
		}
	}
}

func fieldsOf(t reflect.Type) map[string]reflect.Type {
	fields := map[string]reflect.Type{}
	if t.Kind() != reflect.Struct {
		return fields
	}
	for i := range t.NumField() {
		if key := t.Field(i).Tag.Get("yaml"); key != "" {
			fields[key] = t.Field(i).Type
		}
	}
	return fields
}

// find returns the node at path, or the deepest one on the way to it.
func find(n ast.Node, path []string) ast.Node {
	for _, step := range path {
		next := child(n, step)
		if next == nil {
			return n
		}
		n = next
	}
	return n
}

func child(n ast.Node, step string) ast.Node {
	switch n := n.(type) {
	case *ast.AnchorNode:
		return child(n.Value, step)
	case *ast.SequenceNode:
		for i, v := range n.Values {
			if fmt.Sprint(i) == step {
				return v
			}
		}
	case *ast.MappingNode:
		for _, pair := range n.Values {
			if pair.Key.GetToken().Value == step {
				return pair.Value
			}
		}
	}
	return nil
}
