package kind

import (
	"net"
	"regexp"
	"strings"
)

// apacheLine is a directive of Apache's as it stands in one of the files; a section's
// name begins with <.
type apacheLine struct {
	name string // in lower case
	args []string
	text string // the whole line
}

var (
	apacheContinued = regexp.MustCompile(`\\\r?\n`)
	apacheWord      = regexp.MustCompile(`"(?:[^"\\]|\\.)*"|'[^']*'|[^\s>]+`)
	apacheVariable  = regexp.MustCompile(`\$\{(\w+)\}`)
)

// apacheLines reads the files of a configuration, for hints, with its variables replaced
// as far as they are known: by Define, or in env.
func apacheLines(c Config, env map[string]string) []apacheLine {
	var lines []apacheLine
	for _, f := range c.Files {
		for text := range strings.SplitSeq(apacheContinued.ReplaceAllString(string(f.Content), " "), "\n") {
			text = apacheVariable.ReplaceAllStringFunc(strings.TrimSpace(text), func(word string) string {
				if value, known := env[word[2:len(word)-1]]; known {
					return value
				}
				return word
			})
			words := apacheWord.FindAllString(text, -1)
			if len(words) == 0 || text[0] == '#' {
				continue
			}
			for i, word := range words {
				if len(word) > 1 && (word[0] == '"' || word[0] == '\'') {
					words[i] = word[1 : len(word)-1]
				}
			}
			line := apacheLine{name: strings.ToLower(words[0]), args: words[1:], text: text}
			if line.name == "define" && len(line.args) == 2 {
				env[line.args[0]] = line.args[1]
			}
			lines = append(lines, line)
		}
	}
	return lines
}

// apachePorts are the ports that virtual hosts are on and nobody listens on. Listens says
// whether there are Listen lines.
func apachePorts(lines []apacheLine) (missing []string, listens bool) {
	heard := map[string]bool{}
	for _, l := range lines {
		if l.name == "listen" && len(l.args) > 0 {
			heard[apachePort(l.args[0])], listens = true, true
		}
	}
	for _, l := range lines {
		if l.name != "<virtualhost" {
			continue
		}
		for _, addr := range l.args {
			if port := apachePort(addr); !heard[port] && !strings.Contains(port, "$") {
				heard[port] = true
				missing = append(missing, port)
			}
		}
	}
	return missing, listens
}

// apachePort is the port of an address of Listen or <VirtualHost>; 80 if it has none, or
// stands for every port.
func apachePort(addr string) string {
	if _, port, err := net.SplitHostPort(addr); err == nil {
		if port == "*" {
			return "80"
		}
		return port
	}
	if strings.Trim(addr, "0123456789") == "" {
		return addr
	}
	return "80"
}
