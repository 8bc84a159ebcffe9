package goproxy

import (
	"bytes"
	"encoding/json"
	"flag"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/invopop/jsonschema"
	checker "github.com/santhosh-tekuri/jsonschema/v6"
)

var update = flag.Bool("update", false, "write schema.json")

// madeSchema is the JSON schema of Config, with the comments of its fields.
func madeSchema(t *testing.T) []byte {
	t.Helper()
	r := jsonschema.Reflector{
		FieldNameTag: "yaml", RequiredFromJSONSchemaTags: true, ExpandedStruct: true,
		Mapper: func(of reflect.Type) *jsonschema.Schema {
			if of != reflect.TypeFor[Duration]() {
				return nil
			}
			return &jsonschema.Schema{Type: "string", Pattern: `^(off|([0-9]*\.?[0-9]+(ns|us|µs|ms|s|m|h))+)$`}
		},
	}
	if err := r.AddGoComments("github.com/proxychaos/proxychaos/goproxy", ".", jsonschema.WithFullComment()); err != nil {
		t.Fatal(err)
	}
	schema := r.Reflect(Config{})
	schema.ID = "https://raw.githubusercontent.com/proxychaos/proxychaos/main/goproxy/schema.json"
	schema.Title = "The config of goproxy"
	schema.Required = []string{"routes", "upstreams"}
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(schema); err != nil {
		t.Fatal(err)
	}
	return text.Bytes()
}

// schema.json is what `go test ./goproxy -run TestSchema -update` makes of Config.
func TestSchemaIsThatOfConfig(t *testing.T) {
	made := madeSchema(t)
	if *update {
		if err := os.WriteFile("schema.json", made, 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	if !bytes.Equal(made, Schema) {
		t.Error("schema.json is not that of Config: go test ./goproxy -run TestSchema -update makes it again")
	}
}

// schemaSays is what an editor with the schema says of a config.
func schemaSays(t *testing.T, config []byte) error {
	t.Helper()
	schema, err := checker.UnmarshalJSON(bytes.NewReader(Schema))
	if err != nil {
		t.Fatal(err)
	}
	compiler := checker.NewCompiler()
	if err := compiler.AddResource("schema.json", schema); err != nil {
		t.Fatal(err)
	}
	compiled, err := compiler.Compile("schema.json")
	if err != nil {
		t.Fatal(err)
	}
	asJSON, err := yaml.YAMLToJSON(config)
	if err != nil {
		t.Fatal(err)
	}
	value, err := checker.UnmarshalJSON(bytes.NewReader(asJSON))
	if err != nil {
		t.Fatal(err)
	}
	return compiled.Validate(value)
}

// Whatever the proxy serves is good for an editor.
func TestSchemaTakesGoodConfigs(t *testing.T) {
	seen := 0
	for _, root := range []string{".", "../scenarios/configs/goproxy", "../scenarios/corpus/cases"} {
		err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() || filepath.Ext(path) != ".yaml" {
				return err
			}
			text, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			if _, err := Parse(path, text); err != nil {
				return nil // no config of goproxy
			}
			seen++
			if err := schemaSays(t, text); err != nil {
				t.Errorf("%s: %v", path, err)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if seen < 5 {
		t.Errorf("%d configs were found, want at least 5", seen)
	}
}

// What the proxy refuses for its form, an editor underlines.
func TestSchemaRefusesBadConfigs(t *testing.T) {
	const good = "routes: [{upstream: a}]\nupstreams: {a: {url: \"http://a\", dns: {ttl_min: 1s}}}\n"
	if err := schemaSays(t, []byte(good)); err != nil {
		t.Fatal(err)
	}
	for from, to := range map[string]string{
		"routes:":                   "lissen: x\nroutes:",
		"ttl_min: 1s":               "ttl_min: 1",
		"{ttl_min: 1s}":             "{ttl_mim: 1s}",
		"ttl_min":                   "family: [ipv4], ttl_min",
		"routes: [{upstream: a}]\n": "",
		"{upstream: a}":             "{upstream: a, status: \"404\"}",
	} {
		bad := strings.Replace(good, from, to, 1)
		if _, err := Parse("bad.yaml", []byte(bad)); err == nil {
			t.Errorf("the proxy takes %s", bad)
		}
		if err := schemaSays(t, []byte(bad)); err == nil {
			t.Errorf("the schema takes %s", bad)
		}
	}
}
