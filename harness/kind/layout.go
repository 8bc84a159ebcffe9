package kind

import (
	"fmt"
	"path"
	"slices"
	"strings"
)

// mainFile lays out what has one main file in one folder: a file of any name becomes it,
// and a folder has to have it in it.
func mainFile(folder, main string, cmd ...string) func(Config) (Layout, error) {
	return func(c Config) (Layout, error) {
		c, l := c.fromDockerfile(folder)
		l.Cmd = cmd
		switch {
		case c.single():
			l.Files = append(l.Files, c.at(path.Join(folder, main), c.Files[0].Name))
		case c.has(main):
			l.Files = append(l.Files, c.below(folder)...)
			l.home(c, folder)
		default:
			return l, fmt.Errorf("%s: got a folder with %s, want the main file %s in it%s", c.Path, c.someNames(), main, c.deeper(main))
		}
		return l, nil
	}
}

// Layout is how a configuration runs in its proxy's image.
type Layout struct {
	Cmd []string
	// From is the Dockerfile that says where the files go; empty for none.
	From string
	// Env are variables of the proxy's environment, each NAME=value.
	Env   []string
	Files []Placed
	// Folders are made if the image does not have them: where the configuration has the
	// proxy write its logs, sockets and caches. They are absolute paths.
	Folders []string
	// Roots are folders that the program takes for the root of its files (chroot), once it
	// has started.
	Roots []string
	// Sockets are unix sockets at which applications beside the proxy answer. They are made
	// as files are.
	Sockets []string
	// Logs are files in which the program may say why it does not start.
	Logs []string
	// Modules are those that the program is told to load if the image has them, since the
	// configuration needs them and does not load them.
	Modules []string
	// Unloads are those whose lines are taken out of the container's copy if the image lacks
	// them, since nothing in the configuration needs them.
	Unloads []string
	// Users are those that the configuration runs the proxy as. They are added to the
	// image's if it does not know them.
	Users []string
}

// Placed is a file, or a symbolic link, at its place in the container.
type Placed struct {
	Path    string // absolute
	Content []byte
	// Link is where a symbolic link leads; empty for a file.
	Link       string
	Executable bool
	SetUID     bool // it is executed as its owner, root
	// Own is the name of the configuration's own file that this is; empty for what was
	// added to it.
	Own string
	// Spare is put in place only if the image has nothing at Path.
	Spare bool
	// Instead says why Content was made in place of the configuration's own; empty if it
	// was not.
	Instead string
}

// Spares are the files that are made if the image does not have them.
func (l Layout) Spares() []string {
	var names []string
	for _, p := range l.Files {
		if p.Spare && p.Link == "" {
			names = append(names, p.Path)
		}
	}
	return names
}

// Replaced are the configuration's own files that others are put in place of, and why.
func (l Layout) Replaced() []string {
	var all []string
	for _, p := range l.Files {
		if p.Instead != "" {
			all = append(all, p.Own+" ("+p.Instead+")")
		}
	}
	return all
}

// spareLink is a symbolic link that is made if the image has nothing there.
func spareLink(where, target string) Placed { return Placed{Path: where, Link: target, Spare: true} }

// folder notes a folder that has to be there, unless the configuration brings it. What
// has a variable of the proxy in it is taken as far as it is known.
func (l *Layout) folder(name string) {
	for strings.ContainsAny(name, "$%") {
		name = path.Dir(name)
	}
	name = l.target(name)
	standard := []string{"/", ".", "/dev", "/proc/self/fd", "/run", "/var/run", "/tmp"}
	if path.IsAbs(name) && !slices.Contains(standard, name) && !slices.Contains(l.Folders, name) &&
		!slices.ContainsFunc(l.Files, func(p Placed) bool { return p.Path == name }) {
		l.Folders = append(l.Folders, name)
	}
}

// root notes a folder that the proxy takes for the root of its files.
func (l *Layout) root(name string) {
	if name = path.Clean(name); path.IsAbs(name) && name != "/" && !strings.ContainsAny(name, "$%") && !slices.Contains(l.Roots, name) {
		l.Roots = append(l.Roots, name)
	}
}

// user notes a user that the proxy has to know.
func (l *Layout) user(name string) {
	plain := name != "" && name != "root" && !strings.ContainsAny(name, "$#:/\n") // #1000 is a number of Apache's
	if plain && !slices.Contains(l.Users, name) {
		l.Users = append(l.Users, name)
	}
}

// places says whether something is put at an absolute path, other than as a spare.
func (l *Layout) places(where string) bool {
	return slices.ContainsFunc(l.Files, func(p Placed) bool { return p.Path == where && !p.Spare })
}
