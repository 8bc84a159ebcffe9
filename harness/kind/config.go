package kind

import (
	"bytes"
	"cmp"
	"path"
	"regexp"
	"slices"
	"strings"
)

// Config is a configuration as its user has it.
type Config struct {
	// Path is where it was read from.
	Path string
	// Files are its own files, in the order of their names, without any file that is
	// added to make a fragment run.
	Files []File
	// Links are the symbolic links that are kept as they are, since only in the container
	// they may lead somewhere.
	Links []Link
	// Resolvers is the /etc/resolv.conf of the machine that it is from; nil if the folder
	// has none.
	Resolvers *File
	// Env are the variables that it was given.
	Env Env
	// Command is what its user has started, if it is for an image of the user's.
	Command Command
	// Docker is the Dockerfile of the folder; nil if there is none.
	Docker *Dockerfile
	// LeftOut says what else is in the folder, and why it is not put into the container.
	LeftOut []string
}

// File is one file of a configuration.
type File struct {
	Name       string // slash-separated, relative to Config.Path
	Content    []byte
	Executable bool
	// Own is what its user calls the file, if that is not Name.
	Own string
	// Template is what the content was rendered from; nil if the file is the user's own.
	Template *Template
}

// own is what its user calls the file.
func (f File) own() string {
	if f.Template != nil {
		return f.Template.Name
	}
	return cmp.Or(f.Own, f.Name)
}

// Link is a symbolic link of a configuration.
type Link struct {
	Name   string // slash-separated, relative to Config.Path
	Target string // as it stands in the link
}

// Remarks say what of a folder does not run as it lies there.
func (c Config) Remarks() []string {
	var remarks []string
	for _, l := range c.Links {
		remarks = append(remarks, l.Name+" is kept as a link to "+l.Target)
	}
	if c.Resolvers != nil {
		remarks = append(remarks, c.Resolvers.Name+" is the proxy's /etc/resolv.conf: its name servers are this testbed's, and its search list holds")
	}
	for _, what := range c.LeftOut {
		remarks = append(remarks, "left out: "+what)
	}
	return remarks
}

// single says whether the configuration is one file.
func (c Config) single() bool {
	return len(c.Files) == 1 && len(c.Links) == 0 && path.Dir(c.Files[0].Name) == "."
}

// file finds a file by its name; nil if there is none.
func (c Config) file(name string) *File {
	i := slices.IndexFunc(c.Files, func(f File) bool { return f.Name == name })
	if i < 0 {
		return nil
	}
	return &c.Files[i]
}

func (c Config) has(name string) bool { return c.file(name) != nil }

// comment is what follows a # that begins a word: a comment in the language of every kind.
var comment = regexp.MustCompile(`(?m)(?:^|\s)#.*$`)

// Texts are the contents of the files, without comments, and without the byte order mark that
// editors of Windows begin a file with: some programs know it.
func (c Config) Texts() []string {
	texts := make([]string, 0, len(c.Files))
	for _, f := range c.Files {
		texts = append(texts, string(comment.ReplaceAll(bytes.TrimPrefix(f.Content, []byte("\ufeff")), nil)))
	}
	return texts
}

// text is that of all files, without comments.
func (c Config) text() string { return strings.Join(c.Texts(), "\n") }

// mentions says whether some file has the text in it, be it in a comment.
func (c Config) mentions(text string) bool {
	return slices.ContainsFunc(c.Files, func(f File) bool { return strings.Contains(string(f.Content), text) })
}

// names are those of all files and links, in order.
func (c Config) names() []string {
	var names []string
	for _, f := range c.Files {
		names = append(names, f.Name)
	}
	for _, l := range c.Links {
		names = append(names, l.Name)
	}
	slices.Sort(names)
	return names
}

// someNames are the first of names, for an error.
func (c Config) someNames() string {
	names := c.names()
	return strings.Join(names[:min(len(names), 8)], ", ")
}

// deeper names the folders of the configuration that hold a main file of one of these names,
// as CONFIG= takes them; empty if there is none.
func (c Config) deeper(mains ...string) string {
	var found []string
	for _, name := range c.names() {
		folder := path.Join(c.Path, path.Dir(name))
		if slices.Contains(mains, path.Base(name)) && path.Dir(name) != "." && !slices.Contains(found, folder) {
			found = append(found, folder)
		}
	}
	if len(found) == 0 {
		return ""
	}
	return "; a folder below it may be meant: CONFIG=" + strings.Join(found[:min(len(found), 4)], ", or ")
}

// sites is the folder of the sites that are in force: sites-enabled, or sites-available if
// nothing is in that.
func (c Config) sites() string {
	if len(c.in("sites-enabled", "*")) > 0 {
		return "sites-enabled"
	}
	return "sites-available"
}

// in are the names of what lies in a folder of the configuration, not deeper, and is
// matched by a pattern of path.Match. Like a shell it leaves out names that begin with
// a dot.
func (c Config) in(folder, pattern string) []string {
	var found []string
	for _, name := range c.names() {
		base := path.Base(name)
		if matched, _ := path.Match(pattern, base); matched && base[0] != '.' && path.Dir(name) == folder {
			found = append(found, name)
		}
	}
	return found
}

// hasFolder says whether something lies below a folder of the configuration.
func (c Config) hasFolder(folder string) bool {
	return slices.ContainsFunc(c.names(), func(name string) bool { return strings.HasPrefix(name, folder+"/") })
}

// below are all files and links, under a folder of the image.
func (c Config) below(folder string) []Placed {
	placed := make([]Placed, 0, len(c.Files)+len(c.Links))
	for _, name := range c.names() {
		placed = append(placed, c.at(path.Join(folder, name), name))
	}
	return placed
}

// at is one file or link of the configuration, at an absolute path of the container.
func (c Config) at(where, name string) Placed {
	if f := c.file(name); f != nil {
		return Placed{Path: where, Content: f.Content, Executable: f.Executable, Own: f.own()}
	}
	for _, l := range c.Links {
		if l.Name == name {
			return Placed{Path: where, Link: l.Target, Own: name}
		}
	}
	panic("kind: " + name + " is no part of " + c.Path) // the name is from the configuration
}
