package kind

import (
	"path"
	"regexp"
	"slices"
	"strings"
)

// absolutePath finds paths from the root as they stand in a configuration, patterns included.
var absolutePath = regexp.MustCompile(`/[^\s"'` + "`" + `;,(){}<>|=]*[^\s"'` + "`" + `;,(){}<>|=/]`)

// homes are the folders in which the configuration's own files expect each other: those
// below which a path that some file names is one of them. /opt/bitnami/nginx/conf is the
// home of a folder with server_blocks/shop.conf that includes
// /opt/bitnami/nginx/conf/server_blocks/*.conf.
func (c Config) homes() []string {
	if c.single() {
		return nil
	}
	names := c.names()
	var found []string
	for _, text := range c.Texts() {
		for _, named := range absolutePath.FindAllString(text, -1) {
			parts := strings.Split(path.Clean(named)[1:], "/")
			for _, name := range names {
				at := len(parts) - 1 - strings.Count(name, "/")
				if at < 1 {
					continue
				}
				home := "/" + path.Join(parts[:at]...)
				rest := path.Join(parts[at:]...)
				same, _ := path.Match(rest, name)
				if !strings.Contains(rest, "/") { // a pattern of the folder's own files says nothing
					same = rest == name
				}
				if same && !strings.ContainsAny(home, "*?[$%\\") && !slices.Contains(found, home) {
					found = append(found, home)
				}
			}
		}
	}
	return found
}

// home has the folder of the configuration found under every path by which its own files
// call it, if the image has nothing there and nothing else is put there.
func (l *Layout) home(c Config, folder string) {
	for _, home := range c.homes() {
		taken := slices.ContainsFunc(l.Files, func(p Placed) bool {
			return p.Path == home || strings.HasPrefix(p.Path, home+"/") || strings.HasPrefix(home, p.Path+"/")
		})
		if !taken && home != folder && !strings.HasPrefix(folder, home+"/") {
			l.Files = append(l.Files, spareLink(home, folder))
		}
	}
}
