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
	Advice: []Advice{
		about(`(?i)no command specified`, "the image starts nothing by itself: say with COMMAND= what it is to start"),
		about(`exec: "([^"]*)": (?:executable file not found|stat |no such file)`, "the image has no program $1: COMMAND= is what follows the image in docker run, and what follows the image's entry point if it has one"),
		about(`exec format error`, "the image is of another architecture than this machine, or begins with a script without #!"),
	},
}

// anyLayout puts a folder's files where they would be if the folder were the container's
// root, and starts what the user says, or what the image starts by itself.
func anyLayout(c Config) (Layout, error) {
	return Layout{Cmd: c.Command.Words, Files: c.below("/")}, nil
}
