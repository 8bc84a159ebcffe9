package kind

import "path"

// Config is a configuration as its user has it.
type Config struct {
	// Path is where it was read from.
	Path string
	// Files are its own files, in the order of their names, without any file that is
	// added to make a fragment run.
	Files []File
}

// File is one file of a configuration.
type File struct {
	Name    string // slash-separated, relative to Config.Path
	Content []byte
}

// Layout is how a configuration runs in its proxy's image.
type Layout struct {
	Cmd   []string
	Files []Placed
}

// Placed is a file with its absolute path in the container.
type Placed struct {
	Path    string
	Content []byte
}

// single says whether the configuration is one file.
func (c Config) single() bool { return len(c.Files) == 1 && path.Dir(c.Files[0].Name) == "." }

func (c Config) has(name string) bool {
	for _, f := range c.Files {
		if f.Name == name {
			return true
		}
	}
	return false
}

// below are all files, under a folder of the image.
func (c Config) below(folder string) []Placed {
	placed := make([]Placed, 0, len(c.Files))
	for _, f := range c.Files {
		placed = append(placed, Placed{path.Join(folder, f.Name), f.Content})
	}
	return placed
}
