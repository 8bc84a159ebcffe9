package images

import (
	"archive/tar"
	"bytes"
	"embed"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/proxychaos/proxychaos/harness/kind"
)

// common is what all images have and no package does. What one has is with its kind.
//
//go:embed files/common
var common embed.FS

// packageList is where an image lists the packages it was made of.
const packageList = "usr/share/packages"

// base is in every image, beside the proxy's own packages, which bring a libc:
// the merged /usr, certificate authorities, small tools, and a shell. The shell
// is not busybox's, which would take the word httpd for its own web server.
var base = []string{"base-files", "busybox-static", "ca-certificates", "dash"}

// recipe is how Debian's packages become an image in the official layout.
type recipe struct{ kind.Recipe }

// packages are all that the image is made of, the proxy's own first.
func (rec recipe) packages() []string { return slices.Concat(rec.Packages, base) }

// recipeOf is the recipe of a kind of which Debian has packages.
func recipeOf(name kind.Name) (recipe, error) {
	k, err := kind.Of(name)
	if err != nil {
		return recipe{}, err
	}
	if k.Image.Recipe.Name == "" {
		return recipe{}, fmt.Errorf("%s has no recipe, so no image of it can be made of packages", name)
	}
	return recipe{k.Image.Recipe}, nil
}

// trimmed are patterns of paths that no proxy needs at run time, matched with
// path.Match against a path and each of its parents.
var trimmed = []string{
	"dev", "proc", "sys", "usr/include", "usr/games", "var/lib/apt", "var/lib/dpkg", "var/cache/apt",
	"usr/share/bash-completion", "usr/share/bug", "usr/share/debconf", "usr/share/doc", "usr/share/info",
	"usr/share/lintian", "usr/share/locale", "usr/share/man", "usr/share/perl*", "usr/share/vim",
	"usr/bin/perl*", "usr/lib/*/perl*", "usr/lib/*/libperl*", "usr/lib/systemd",
	"etc/cron.*", "etc/init.d", "etc/logrotate.d", "etc/ufw", "etc/debconf.conf",
	// Replaced by the official layout.
	"etc/apache2", "etc/nginx/nginx.conf", "etc/nginx/conf.d", "etc/nginx/sites-*",
	"etc/nginx/modules-*", "usr/share/nginx/html", "var/www", "var/log",
}

// applets are the commands that busybox gives to the wrapper scripts and to people
// who look into a running container.
var applets = strings.Fields("awk cat cmp cp env grep head id kill ls mkdir mktemp mv ps rm sed sleep sort tail touch tr wget")

// layOut copies mmdebstrap's tar from in to out, without what is trimmed and
// with what the recipe adds, and returns the list of packages found in it.
func layOut(in io.Reader, out io.Writer, rec recipe) (packages []string, err error) {
	add, err := rec.added()
	if err != nil {
		return nil, err
	}
	// The engine refuses a tar that names a path twice. What the recipe adds
	// replaces files of the packages; folders may come from either, with the mode that the
	// recipe says.
	ours := map[string]bool{}
	for _, e := range add {
		if !e.isDir() {
			ours[e.name] = true
		}
	}
	modes := rec.modes()
	written := map[string]bool{}
	r, w := tar.NewReader(in), tar.NewWriter(out)
	var authorities bytes.Buffer
	for {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("read mmdebstrap's tar: %w", err)
		}
		name := strings.TrimSuffix(strings.TrimPrefix(h.Name, "./"), "/")
		if name == "" || rec.trims(name) || ours[name] {
			continue
		}
		written[name] = true
		if mode, said := modes[name]; said && h.Typeflag == tar.TypeDir {
			h.Mode = mode
		}
		src := io.Reader(r)
		switch {
		case name == packageList:
			b, err := io.ReadAll(r)
			if err != nil {
				return nil, fmt.Errorf("read the list of packages: %w", err)
			}
			packages = strings.Fields(string(b))
			src = bytes.NewReader(b)
		case strings.HasPrefix(name, "usr/share/ca-certificates/") && strings.HasSuffix(name, ".crt"):
			// The bundle is what the package's script would have made of these.
			src = io.TeeReader(r, &authorities)
		}
		if err := w.WriteHeader(h); err != nil {
			return nil, fmt.Errorf("write %s: %w", name, err)
		}
		if _, err := io.Copy(w, src); err != nil {
			return nil, fmt.Errorf("write %s: %w", name, err)
		}
	}
	add = append(add, entry{name: "etc/ssl/certs/ca-certificates.crt", mode: 0o644, content: authorities.Bytes()})
	add = slices.DeleteFunc(add, func(e entry) bool {
		name := strings.TrimSuffix(e.name, "/")
		defer func() { written[name] = true }()
		return written[name]
	})
	if err := writeEntries(w, add); err != nil {
		return nil, err
	}
	return packages, w.Close()
}

// modes are those of the folders that the recipe names, by their paths. A package's own may be for
// a user that no config here runs the program as.
func (rec recipe) modes() map[string]int64 {
	modes := map[string]int64{}
	for _, e := range rec.Entries {
		if name, isDir := strings.CutSuffix(e.Name, "/"); isDir {
			modes[name] = e.Mode
		}
	}
	return modes
}

// trimmed are the patterns of what the recipe leaves out.
func (rec recipe) trimmed() []string {
	return slices.DeleteFunc(slices.Clone(trimmed), func(pattern string) bool { return slices.Contains(rec.Keeps, pattern) })
}

func (rec recipe) trims(name string) bool {
	for p := name; p != "."; p = path.Dir(p) {
		for _, pattern := range rec.trimmed() {
			if ok, _ := path.Match(pattern, p); ok {
				return true
			}
		}
	}
	return false
}

// added lists everything that the recipe puts beside the packages' files.
func (rec recipe) added() ([]entry, error) {
	all := []entry{
		{name: "proc/", mode: 0o555},
		{name: "sys/", mode: 0o555},
		{name: "dev/", mode: 0o755},
		{name: "var/log/", mode: 0o755},
	}
	for _, e := range rec.Entries {
		all = append(all, entry{name: e.Name, mode: e.Mode, link: e.Link})
	}
	for _, applet := range applets {
		all = append(all, entry{name: "usr/bin/" + applet, link: "busybox"})
	}
	shared, err := fs.Sub(common, "files/common")
	if err != nil {
		return nil, err
	}
	for _, files := range []fs.FS{shared, rec.Files} {
		if files == nil {
			continue
		}
		found, err := entriesOf(files)
		if err != nil {
			return nil, fmt.Errorf("files of %s: %w", rec.Name, err)
		}
		all = append(all, found...)
	}
	for i, e := range all {
		switch {
		case rec.User == "":
		case e.name == "etc/passwd":
			all[i].content = fmt.Appendf(e.content, "%s:x:%d:%[2]d::/nonexistent:/usr/sbin/nologin\n", rec.User, userID)
		case e.name == "etc/group":
			all[i].content = fmt.Appendf(e.content, "%s:x:%d:\n", rec.User, userID)
		}
	}
	return all, nil
}

// userID is that of a recipe's own user.
const userID = 99

// entriesOf are the files and folders of a file system. Those below a folder bin can be
// executed.
func entriesOf(files fs.FS) ([]entry, error) {
	var all []entry
	err := fs.WalkDir(files, ".", func(p string, d fs.DirEntry, err error) error {
		if err != nil || p == "." {
			return err
		}
		e := entry{name: p, mode: 0o644}
		if d.IsDir() {
			e.name, e.mode = e.name+"/", 0o755
			all = append(all, e)
			return nil
		}
		if path.Base(path.Dir(p)) == "bin" {
			e.mode = 0o755
		}
		if e.content, err = fs.ReadFile(files, p); err != nil {
			return err
		}
		all = append(all, e)
		return nil
	})
	return all, err
}

// packagedMode is that of nearly all folders of packages.
const packagedMode = 0o755

// fingerprint changes whenever the recipe would make another image of the same
// packages.
func (rec recipe) fingerprint() []byte {
	var b bytes.Buffer
	all, err := rec.added()
	if err != nil {
		panic(err) // the embedded files are part of the program
	}
	fmt.Fprintf(&b, "%q %q %q %q", rec.packages(), rec.Extras, rec.Changes, rec.trimmed())
	for _, e := range all {
		fmt.Fprintf(&b, "%q %o %q %q\n", e.name, e.mode, e.link, e.content)
	}
	for _, e := range rec.Entries {
		if strings.HasSuffix(e.Name, "/") && e.Mode != packagedMode {
			fmt.Fprintf(&b, "%q %o, also if a package has it\n", e.Name, e.Mode)
		}
	}
	return b.Bytes()
}
