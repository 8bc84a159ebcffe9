package goproxy

import (
	"os"
	"reflect"
	"regexp"
	"strings"
	"testing"
)

// The README's configuration must be accepted and must show every key.
func TestREADMEShowsEveryKey(t *testing.T) {
	text, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	block := regexp.MustCompile("(?s)```yaml\n(.*?)```").FindSubmatch(text)
	if block == nil {
		t.Fatal("no yaml block")
	}
	if _, err := Parse("README", block[1]); err != nil {
		t.Fatal(err)
	}
	var walk func(reflect.Type)
	walk = func(typ reflect.Type) {
		switch typ.Kind() {
		default:
		case reflect.Pointer, reflect.Slice, reflect.Map:
			walk(typ.Elem())
		case reflect.Struct:
			for key, field := range fieldsOf(typ) {
				if !strings.Contains(string(block[1]), key+":") {
					t.Errorf("the README does not show %s of %v", key, typ)
				}
				walk(field)
			}
		}
	}
	walk(reflect.TypeFor[Config]())
}

func TestQuickstartIsValid(t *testing.T) {
	cfg, err := Load("quickstart.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if len(cfg.Upstreams) != 1 {
		t.Errorf("got %+v", cfg)
	}
}
