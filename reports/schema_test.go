package reports

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"os"
	"reflect"
	"testing"

	"github.com/invopop/jsonschema"
	checker "github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/proxychaos/proxychaos/reports/baseline"
)

var update = flag.Bool("update", false, "write report.schema.json")

// schemaFile is published with the repository.
const schemaFile = "report.schema.json"

// madeSchema is the JSON schema of Summary, with the comments of its fields.
func madeSchema(t *testing.T) []byte {
	t.Helper()
	r := jsonschema.Reflector{
		ExpandedStruct: true,
		Mapper: func(of reflect.Type) *jsonschema.Schema {
			if of != reflect.TypeFor[State]() {
				return nil
			}
			return &jsonschema.Schema{Type: "string", Enum: []any{Expected, Unexpected, Unproven, NotRun}}
		},
	}
	for room, dir := range map[string]string{"reports": ".", "reports/baseline": "baseline"} {
		must(t, r.AddGoComments("github.com/proxychaos/proxychaos/"+room, dir, jsonschema.WithFullComment()))
	}
	schema := r.Reflect(Summary{})
	schema.ID = "https://raw.githubusercontent.com/proxychaos/proxychaos/main/reports/" + schemaFile
	schema.Title = "The report of a run, report.json"
	if version, ok := schema.Properties.Get("schema"); ok {
		version.Const = SummarySchema
	}
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	must(t, encoder.Encode(schema))
	return text.Bytes()
}

// report.schema.json is what `go test ./reports -run TestSchema -update` makes of Summary.
func TestSchemaIsThatOfTheReport(t *testing.T) {
	made := madeSchema(t)
	if *update {
		must(t, os.WriteFile(schemaFile, made, 0o600))
		return
	}
	stored, err := os.ReadFile(schemaFile)
	must(t, err)
	if !bytes.Equal(made, stored) {
		t.Error(schemaFile + " is not that of Summary: go test ./reports -run TestSchema -update makes it again")
	}
}

// says is what the stored schema says of a report.
func says(t *testing.T, report []byte) error {
	t.Helper()
	file, err := os.Open(schemaFile)
	must(t, err)
	defer func() { _ = file.Close() }()
	schema, err := checker.UnmarshalJSON(file)
	must(t, err)
	compiler := checker.NewCompiler()
	must(t, compiler.AddResource(schemaFile, schema))
	compiled, err := compiler.Compile(schemaFile)
	must(t, err)
	value, err := checker.UnmarshalJSON(bytes.NewReader(report))
	must(t, err)
	return compiled.Validate(value)
}

// A report of cells of all states, beside earlier nights, is valid against the schema. One with
// a field less, more, or of another type is not.
func TestSchemaOfAReport(t *testing.T) {
	suite := Suite{Cells: syntheticSuite(t), TooFew: errors.New("10 cells ran: fewer than FLOOR=11 are red")}
	broke := suite.Cells[1]
	broke.Verdict.Result, broke.Verdict.Reasons = "unproven", []string{"the engine is gone"}
	suite.Cells = append(suite.Cells, broke)
	memory, err := baseline.Make(Ran(suite.Cells), Ran(suite.Cells), Ran(suite.Cells))
	must(t, err)
	changed := Ran(suite.Cells)
	changed[0].Version = "9"
	difference := memory.Check(changed, func(string, string) baseline.Place { return baseline.Asked })
	suite.Against = &difference
	var report bytes.Buffer
	must(t, JSON(&report, suite))
	if err := says(t, report.Bytes()); err != nil {
		t.Errorf("%v\n%s", err, report.Bytes())
	}
	var whole map[string]any
	for name, spoil := range map[string]func(){
		"a field less":       func() { delete(whole, "tally") },
		"a field more":       func() { whole["extra"] = 1 },
		"of another type":    func() { whole["red"] = "yes" },
		"of another version": func() { whole["schema"] = 1 },
		"another state":      func() { whole["cells"].([]any)[0].(map[string]any)["state"] = "fine" },
		"a cell's field": func() {
			delete(whole["cells"].([]any)[0].(map[string]any), "scenario")
		},
		"a change without its text": func() {
			delete(whole["against"].(map[string]any)["changes"].([]any)[0].(map[string]any), "text")
		},
	} {
		whole = nil
		must(t, json.Unmarshal(report.Bytes(), &whole))
		spoil()
		text, err := json.Marshal(whole)
		must(t, err)
		if says(t, text) == nil {
			t.Errorf("%s: is valid", name)
		}
	}
}
