package kind

import (
	"path"
	"regexp"
	"strconv"
	"strings"
)

var (
	apacheAt = regexp.MustCompile(`on line (\d+) of ([^\s:]+):`)
	// A # after an argument. In quotes, and in patterns such as ^/[^#]*, it is a character.
	commentBehind = regexp.MustCompile(`^\s*[^\s#][^"'#]*(?:"[^"]*"[^"'#]*|'[^']*'[^"'#]*)*\s#`)
)

// apacheComment finds a comment at the end of the line that Apache complains of. Apache
// knows comments on lines of their own only, and takes this one for arguments.
func apacheComment(c Config, words string) string {
	at := apacheAt.FindStringSubmatch(words)
	if at == nil {
		return ""
	}
	number, err := strconv.Atoi(at[1])
	if err != nil {
		return ""
	}
	for _, f := range c.Files {
		lines := strings.Split(string(f.Content), "\n")
		if path.Base(f.Name) == path.Base(at[2]) && number <= len(lines) && commentBehind.MatchString(lines[number-1]) {
			return "Apache takes a comment at the end of a line for arguments: put it on a line of its own"
		}
	}
	return ""
}
