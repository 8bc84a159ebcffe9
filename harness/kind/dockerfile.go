package kind

import (
	"encoding/json"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"
)

// Dockerfile is the one that a folder of configuration lies in, or beside.
type Dockerfile struct {
	Name    string // as its user would call it: Dockerfile, or ../Dockerfile
	Content []byte
	Within  string // the configuration's folder, as the Dockerfile calls it
}

var (
	dockerContinued = regexp.MustCompile(`\\[ \t]*\r?\n`)
	dockerWord      = regexp.MustCompile(`(?:[^\s"']|"(?:[^"\\]|\\.)*"|'[^']*')+`)
	dockerComment   = regexp.MustCompile(`(?m)^[ \t]*#.*\n?`)
)

// dockerCopy is what a Dockerfile copies of its folder into the image.
type dockerCopy struct {
	from []string // slash-separated, relative to the folder
	to   string   // absolute, or relative to the work folder
}

// dockerCopies are the copies of the last stage of a Dockerfile that come from its folder
// and go to an absolute path, and the variables that it sets.
func dockerCopies(text string) (copies []dockerCopy, env map[string]string) {
	env = map[string]string{}
	for line := range strings.Lines(dockerContinued.ReplaceAllString(dockerComment.ReplaceAllString(text, ""), " ")) {
		instruction, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		switch strings.ToUpper(instruction) {
		case "FROM":
			copies, env = nil, map[string]string{}
		case "ENV":
			if name, value, is := strings.Cut(strings.TrimSpace(rest), " "); is && !strings.Contains(name, "=") {
				env[name] = strings.TrimSpace(value) // the old form: ENV NAME value
				continue
			}
			for _, word := range dockerWord.FindAllString(rest, -1) {
				if name, value, is := strings.Cut(word, "="); is {
					env[name] = strings.Trim(value, `"'`)
				}
			}
		case "COPY", "ADD":
			if words := dockerWords(rest); len(words) > 1 && path.IsAbs(words[len(words)-1]) {
				copies = append(copies, dockerCopy{words[:len(words)-1], words[len(words)-1]})
			}
		}
	}
	return copies, env
}

// dockerWords are the sources and the target of COPY; none if they come from another
// stage or image.
func dockerWords(text string) []string {
	text = strings.TrimSpace(text)
	for strings.HasPrefix(text, "--") {
		flag, rest, _ := strings.Cut(text, " ")
		if strings.HasPrefix(flag, "--from=") {
			return nil
		}
		text = strings.TrimSpace(rest)
	}
	if strings.HasPrefix(text, "[") {
		var words []string
		if json.Unmarshal([]byte(text), &words) != nil {
			return nil
		}
		return words
	}
	return strings.Fields(text)
}

// fromDockerfile lays the files of a folder out as its Dockerfile copies them: those that
// go below one of the roots are named by their place there, others are in the layout that
// is begun, and what is not copied is left out. Without a Dockerfile that copies to a root,
// the configuration is as it lies.
func (c Config) fromDockerfile(roots ...string) (laid Config, l Layout) {
	if c.Docker == nil {
		return c, Layout{}
	}
	copies, _ := dockerCopies(string(c.Docker.Content))
	to := map[string]string{} // by the place in the image, since a later copy takes it
	for _, copied := range copies {
		for _, name := range c.names() {
			own := name
			if f := c.file(name); f != nil {
				own = f.own()
			}
			for _, from := range copied.from {
				from = path.Clean(strings.TrimPrefix(from, "/"))
				if where, is := dockerTarget(copied, from, path.Join(c.Docker.Within, own)); is && own != "Dockerfile" {
					to[where] = name
				}
			}
		}
	}
	laid = c
	laid.Files, laid.Links = nil, nil
	for _, where := range slices.Sorted(maps.Keys(to)) {
		name := to[where]
		if strings.HasSuffix(where, ".template") { // rendered, it has another name
			where = strings.Replace(strings.TrimSuffix(where, ".template"), nginxFolder+"/templates", c.renderedTo(), 1)
		}
		i := slices.IndexFunc(roots, func(root string) bool { return strings.HasPrefix(where, root+"/") })
		switch f := c.file(name); {
		case i < 0:
			l.Files = append(l.Files, c.at(where, name))
		case f != nil:
			laid.Files = append(laid.Files, File{
				Name: strings.TrimPrefix(where, roots[i]+"/"), Content: f.Content, Executable: f.Executable, Template: f.Template, Own: f.own(),
			})
		default:
			laid.Links = append(laid.Links, Link{strings.TrimPrefix(where, roots[i]+"/"), c.at(where, name).Link})
		}
	}
	if len(laid.Files) == 0 {
		return c, Layout{}
	}
	l.From = c.Docker.Name
	return laid, l
}

// dockerFolders are folders that are in the official images: a file that is copied to one
// of them keeps its name.
var dockerFolders = []string{
	"/", nginxFolder, nginxFragments, nginxFolder + "/templates", apacheFolder, apacheFolder + "/extra", haproxyFolder, haproxyDebian, caddyFolder,
	debianFolder + "/sites-available", debianFolder + "/sites-enabled", redhatFolder + "/conf.d", "/usr/share/nginx/html",
}

// dockerTarget is where a copy puts a file; false if it does not copy it.
func dockerTarget(copied dockerCopy, from, name string) (string, bool) {
	if from == "." {
		return path.Join(copied.to, name), true
	}
	if below, is := strings.CutPrefix(name, from+"/"); is {
		return path.Join(copied.to, below), true
	}
	if matched, err := path.Match(from, name); err != nil || !matched {
		return "", false
	}
	folder := strings.HasSuffix(copied.to, "/") || len(copied.from) > 1 || strings.ContainsAny(from, "*?[") || slices.Contains(dockerFolders, path.Clean(copied.to))
	if folder {
		return path.Join(copied.to, path.Base(name)), true
	}
	return copied.to, true
}
