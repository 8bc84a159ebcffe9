package atlas

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"reflect"
	"testing"

	"github.com/invopop/jsonschema"
	checker "github.com/santhosh-tekuri/jsonschema/v6"
)

var update = flag.Bool("update", false, "write atlas.schema.json")

// schemaFile is published with the repository.
const schemaFile = "atlas.schema.json"

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// atlas.schema.json is what `go test ./reports/atlas -run TestSchema -update` makes of Atlas.
func TestSchemaIsThatOfAnAtlas(t *testing.T) {
	r := jsonschema.Reflector{ExpandedStruct: true, Mapper: func(of reflect.Type) *jsonschema.Schema {
		if of != reflect.TypeFor[State]() {
			return nil
		}
		return &jsonschema.Schema{Type: "string", Enum: []any{Held, Broke, Differs, Refused, Unproven, NotRun, Nothing}}
	}}
	must(t, r.AddGoComments("github.com/proxychaos/proxychaos/reports/atlas", ".", jsonschema.WithFullComment()))
	schema := r.Reflect(Atlas{})
	schema.ID = "https://raw.githubusercontent.com/proxychaos/proxychaos/main/reports/atlas/" + schemaFile
	schema.Title = "The atlas of a proxy, atlas.json"
	if version, ok := schema.Properties.Get("schema"); ok {
		version.Const = Schema
	}
	var made bytes.Buffer
	encoder := json.NewEncoder(&made)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	must(t, encoder.Encode(schema))
	if *update {
		must(t, os.WriteFile(schemaFile, made.Bytes(), 0o600))
		return
	}
	stored, err := os.ReadFile(schemaFile)
	must(t, err)
	if !bytes.Equal(made.Bytes(), stored) {
		t.Error(schemaFile + " is not that of Atlas: go test ./reports/atlas -run TestSchema -update makes it again")
	}
}

// An atlas is valid against the schema; one with a field less, or with another state, is not.
func TestSchemaOfAnAtlas(t *testing.T) {
	file, err := os.Open(schemaFile)
	must(t, err)
	defer func() { _ = file.Close() }()
	schema, err := checker.UnmarshalJSON(file)
	must(t, err)
	compiler := checker.NewCompiler()
	must(t, compiler.AddResource(schemaFile, schema))
	compiled, err := compiler.Compile(schemaFile)
	must(t, err)
	a := New([]Ran{
		ran("stable", "1.26.3", "nginx/static", "move", broke(800, "502", "resolved-once")),
		ran("testing", "1.30.6", "nginx/static", "move", same),
		ran("oldstable", "", "nginx/static", "move", func(r *Ran) { r.NotRun = "no registry" }),
	})
	text, err := json.Marshal(a)
	must(t, err)
	for name, c := range map[string]struct {
		spoil func(map[string]any)
		valid bool
	}{
		"as it is":     {func(map[string]any) {}, true},
		"a field less": {func(all map[string]any) { delete(all, "changes") }, false},
		"another state": {func(all map[string]any) {
			all["rows"].([]any)[0].(map[string]any)["places"].([]any)[0].(map[string]any)["state"] = "fine"
		}, false},
	} {
		var all map[string]any
		must(t, json.Unmarshal(text, &all))
		c.spoil(all)
		spoiled, err := json.Marshal(all)
		must(t, err)
		value, err := checker.UnmarshalJSON(bytes.NewReader(spoiled))
		must(t, err)
		if err := compiled.Validate(value); (err == nil) != c.valid {
			t.Errorf("%s: %v", name, err)
		}
	}
}
