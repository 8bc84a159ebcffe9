package kind

import "regexp"

// Any is a program of which nothing is known: its user brings the image.
const Any Name = "image"

var anyImage = Kind{
	Name:      Any,
	UserImage: true,
	Layout:    anyLayout,
	Hints:     Hints{TLS: regexp.MustCompile(`https://`)},
	Lacks: "nothing is known of this image's program: no line of its log counts as evidence, its version is not asked for, " +
		"and how long it may keep an address is seen from its DNS queries only",
	Complaints: []string{"error", "fatal", "panic", "invalid", "unknown", "cannot", "can't", "failed"},
}

// anyLayout puts a folder's files where they would be if the folder were the container's
// root, and starts what the user says, or what the image starts by itself.
func anyLayout(c Config) (Layout, error) {
	return Layout{Cmd: c.Command.Words, Files: c.below("/")}, nil
}
