package recording

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// SaveManifest writes manifest.json with the schema of this package. It may be
// called again as more becomes known: the file is replaced in one step.
func SaveManifest(dir string, m Manifest) error {
	m.Schema = Schema
	return saveJSON(filepath.Join(dir, ManifestFile), m)
}

// ReadManifest reads manifest.json as SaveManifest wrote it.
func ReadManifest(dir string) (Manifest, error) {
	var m Manifest
	err := readJSON(filepath.Join(dir, ManifestFile), &m)
	return m, err
}

// SaveVerdict writes verdict.json, or replaces it in one step. What a verdict
// is made of is the business of package judge, which imports this one.
func SaveVerdict(dir string, verdict any) error {
	return saveJSON(filepath.Join(dir, VerdictFile), verdict)
}

// ReadVerdict reads verdict.json into verdict, a pointer. The error is
// os.ErrNotExist if the run was not judged.
func ReadVerdict(dir string, verdict any) error {
	return readJSON(filepath.Join(dir, VerdictFile), verdict)
}

func saveJSON(path string, value any) error {
	text, err := json.MarshalIndent(value, "", "  ")
	if err != nil {
		return fmt.Errorf("save %s: %w", path, err)
	}
	return Replace(path, append(text, '\n'))
}

// Replace writes beside the file and renames, so that a reader never finds half of it, and
// what was there before is kept if there is no room for the new text.
func Replace(path string, text []byte) error {
	file, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-*")
	if err != nil {
		return fmt.Errorf("save %s: %w", path, err)
	}
	_, err = file.Write(text)
	err = errors.Join(err, file.Chmod(0o644), file.Close())
	if err == nil {
		err = os.Rename(file.Name(), path)
	}
	if err != nil {
		return fmt.Errorf("save %s: %w", path, errors.Join(err, os.Remove(file.Name())))
	}
	return nil
}

func readJSON(path string, into any) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(text, into); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}
