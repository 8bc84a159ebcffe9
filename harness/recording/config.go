package recording

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// CopyConfig copies the configuration under test, a file or a folder, to
// config/ and says what was copied. Links to files are followed, as in a
// folder sites-enabled; a link to a folder, a pipe or a device is an error,
// as is a folder without a file.
func (d *Dir) CopyConfig(from string) (Config, error) {
	files, err := configFiles(from)
	if err != nil {
		return Config{}, fmt.Errorf("copy the configuration: %w", err)
	}
	config := Config{Path: from}
	hash := sha256.New()
	for _, file := range files {
		text, err := os.ReadFile(file.source)
		if err != nil {
			return Config{}, fmt.Errorf("copy the configuration: %w", err)
		}
		target := filepath.Join(d.Path, ConfigDir, file.name)
		if err := os.MkdirAll(filepath.Dir(target), 0o755); err != nil {
			return Config{}, fmt.Errorf("copy the configuration: %w", err)
		}
		if err := os.WriteFile(target, text, 0o644); err != nil {
			return Config{}, fmt.Errorf("copy the configuration: %w", err)
		}
		// The lengths keep "a"+"bc" apart from "ab"+"c".
		name := filepath.ToSlash(file.name)
		fmt.Fprintf(hash, "%d %s %d ", len(name), name, len(text))
		_, _ = hash.Write(text) // a hash never fails
		config.Files = append(config.Files, name)
	}
	config.SHA256 = hex.EncodeToString(hash.Sum(nil))
	return config, nil
}

type configFile struct{ name, source string }

// configFiles lists the files in the order of their names.
func configFiles(from string) ([]configFile, error) {
	info, err := os.Stat(from)
	if err != nil {
		return nil, err
	}
	if info.Mode().IsRegular() {
		return []configFile{{filepath.Base(from), from}}, nil
	}
	if !info.IsDir() {
		return nil, fmt.Errorf("%s is neither a file nor a folder", from)
	}
	var files []configFile
	// A trailing separator makes WalkDir enter from where it is itself a link.
	err = filepath.WalkDir(from+string(filepath.Separator), func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		info, err := os.Stat(path)
		if err != nil {
			return err
		}
		if !info.Mode().IsRegular() {
			return fmt.Errorf("%s is not a file, nor a link to one", path)
		}
		name, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		files = append(files, configFile{name, path})
		return nil
	})
	if err != nil {
		return nil, err
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("folder %s holds no file", from)
	}
	// By their slashed names, so that the hash is the same everywhere.
	slices.SortFunc(files, func(a, b configFile) int {
		return strings.Compare(filepath.ToSlash(a.name), filepath.ToSlash(b.name))
	})
	return files, nil
}
