package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const root = "../.."

// The committed tables name the same tests as the sources of the tests do, so
// that a test that comes, goes or changes its fact makes one stale. Whether they
// pass is not looked at here: make fidelity does.
func TestTablesAreCurrent(t *testing.T) {
	for _, p := range pages {
		t.Run(p.attr, func(t *testing.T) { p.isCurrent(t) })
	}
}

func (p page) isCurrent(t *testing.T) {
	t.Helper()
	facts, err := readFacts(filepath.Join(root, p.list))
	if err != nil {
		t.Fatal(err)
	}
	table, err := os.ReadFile(filepath.Join(root, p.table))
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]bool{}
	for _, f := range facts {
		known[f.number] = true
	}
	sources := p.factsInSources(t, known)
	for _, f := range facts {
		row := regexp.MustCompile(`(?m)^\| ` + regexp.QuoteMeta(f.number) + ` \| .*$`).FindString(string(table))
		switch {
		case row == "":
			t.Errorf("fact %s has no row in %s: make fidelity", f.number, p.table)
			continue
		case !strings.Contains(row, "| "+f.mark+" | "+cell(f.text)+" |") || !strings.Contains(row, cell(f.source)) || !strings.Contains(row, cell(f.whyNot)):
			t.Errorf("the row of fact %s is not what %s says: make fidelity", f.number, p.list)
		}
		inTable := regexp.MustCompile(`[\w/]+\.Test\w+`).FindAllString(row, -1)
		for _, name := range sources[f.number] {
			if !slices.Contains(inTable, name) {
				t.Errorf("%s proves fact %s, which %s does not say: make fidelity", name, f.number, p.table)
			}
		}
		for _, name := range inTable {
			if !slices.Contains(sources[f.number], name) {
				t.Errorf("%s says that %s proves fact %s, the source does not: make fidelity", p.table, name, f.number)
			}
		}
	}
}

// factsInSources finds the tests that carry facts of a page, by fact.
func (p page) factsInSources(t *testing.T, known map[string]bool) map[string][]string {
	t.Helper()
	found := map[string][]string{}
	for _, dir := range []string{"fakedns", "fakealb", "harness"} {
		err := filepath.WalkDir(filepath.Join(root, dir), func(path string, entry fs.DirEntry, err error) error {
			if err != nil || !entry.IsDir() {
				return err
			}
			pkg, err := filepath.Rel(root, path)
			if err != nil {
				return err
			}
			functions, err := testFunctions(path)
			if err != nil {
				return err
			}
			for name, f := range functions {
				if !strings.HasPrefix(name, "Test") {
					continue
				}
				for _, number := range p.factsBelow(f, functions, known) {
					found[number] = append(found[number], filepath.ToSlash(pkg)+"."+name)
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return found
}

// testFunctions are the functions and methods of the test files in a folder.
func testFunctions(dir string) (map[string]*ast.FuncDecl, error) {
	files, err := filepath.Glob(filepath.Join(dir, "*_test.go"))
	if err != nil {
		return nil, err
	}
	functions := map[string]*ast.FuncDecl{}
	for _, path := range files {
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			return nil, err
		}
		for _, d := range file.Decls {
			if f, ok := d.(*ast.FuncDecl); ok {
				functions[f.Name.Name] = f
			}
		}
	}
	return functions, nil
}

// factsBelow returns the facts of a test and of the functions it names, which
// may be its subtests.
func (p page) factsBelow(test *ast.FuncDecl, functions map[string]*ast.FuncDecl, known map[string]bool) []string {
	numbers := p.factsOf(test, known)
	ast.Inspect(test, func(n ast.Node) bool {
		if name, ok := n.(*ast.Ident); ok && functions[name.Name] != nil && name.Name != test.Name.Name {
			numbers = append(numbers, p.factsOf(functions[name.Name], known)...)
		}
		return true
	})
	slices.Sort(numbers)
	return slices.Compact(numbers)
}

// factsOf returns the facts that a test sets as attributes: strings, or variables
// that range over strings.
func (p page) factsOf(f *ast.FuncDecl, known map[string]bool) []string {
	var numbers []string
	add := func(in ast.Node) {
		ast.Inspect(in, func(n ast.Node) bool {
			literal, ok := n.(*ast.BasicLit)
			if !ok || literal.Kind != token.STRING {
				return true
			}
			value, err := strconv.Unquote(literal.Value)
			if err == nil && known[value] && !slices.Contains(numbers, value) {
				numbers = append(numbers, value)
			}
			return true
		})
	}
	ranges := map[string]ast.Expr{} // by the variable
	ast.Inspect(f, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.RangeStmt:
			if value, ok := n.Value.(*ast.Ident); ok {
				ranges[value.Name] = n.X
			}
		case *ast.CallExpr:
			if !p.setsFact(n) {
				break
			}
			value := n.Args[1]
			if field, ok := value.(*ast.SelectorExpr); ok {
				value = field.X
			}
			if variable, ok := value.(*ast.Ident); ok && ranges[variable.Name] != nil {
				add(ranges[variable.Name])
			} else {
				add(value)
			}
		}
		return true
	})
	return numbers
}

// setsFact says that a call is t.Attr("aws-fact", ...), or with the attribute of the page.
func (p page) setsFact(call *ast.CallExpr) bool {
	method, ok := call.Fun.(*ast.SelectorExpr)
	if !ok || method.Sel.Name != "Attr" || len(call.Args) != 2 {
		return false
	}
	key, ok := call.Args[0].(*ast.BasicLit)
	return ok && key.Value == strconv.Quote(p.attr)
}
