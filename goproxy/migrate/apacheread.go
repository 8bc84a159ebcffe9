package migrate

import (
	"fmt"
	"strings"
)

// directive is a line of an Apache config, or a section with what is in it.
type directive struct {
	place
	args  []string
	block []directive // of a section
}

// readApache reads the lines of a file into sections. It knows the syntax, not
// the directives.
func readApache(file, text string) ([]directive, error) {
	top := directive{}
	open := []*directive{&top}
	lines := strings.Split(text, "\n")
	for i := 0; i < len(lines); i++ {
		at := place{file: file, line: i + 1}
		text := strings.TrimRight(lines[i], "\r")
		for strings.HasSuffix(text, `\`) && i+1 < len(lines) {
			i++
			text = strings.TrimSuffix(text, `\`) + strings.TrimRight(lines[i], "\r")
		}
		text = strings.TrimSpace(text)
		parent := open[len(open)-1]
		switch {
		case text == "" || text[0] == '#':
		case strings.HasPrefix(text, "</"):
			name := strings.TrimSuffix(text[2:], ">")
			if len(open) == 1 || !strings.EqualFold(parent.name, "<"+strings.TrimSpace(name)+">") {
				return nil, fmt.Errorf("%s:%d: %s closes nothing that is open", file, at.line, text)
			}
			open = open[:len(open)-1]
		case text[0] == '<':
			words, err := split(strings.TrimSuffix(text[1:], ">"))
			if err != nil || len(words) == 0 || !strings.HasSuffix(text, ">") {
				return nil, fmt.Errorf("%s:%d: %s is not a section: want <Name arguments>", file, at.line, text)
			}
			at.name = "<" + words[0] + ">"
			parent.block = append(parent.block, directive{place: at, args: words[1:]})
			open = append(open, &parent.block[len(parent.block)-1])
		default:
			words, err := split(text)
			if err != nil {
				return nil, fmt.Errorf("%s:%d: %w", file, at.line, err)
			}
			at.name = words[0]
			parent.block = append(parent.block, directive{place: at, args: words[1:]})
		}
	}
	if len(open) > 1 {
		last := open[len(open)-1]
		return nil, fmt.Errorf("%s:%d: %s is not closed", file, last.line, last.name)
	}
	return top.block, nil
}

// split takes a line apart at spaces, but not inside of quotes.
func split(text string) ([]string, error) {
	var words []string
	for text = strings.TrimSpace(text); text != ""; text = strings.TrimSpace(text) {
		quote := text[0]
		if quote != '"' && quote != '\'' {
			end := strings.IndexAny(text, " \t")
			if end < 0 {
				end = len(text)
			}
			words = append(words, text[:end])
			text = text[end:]
			continue
		}
		var word strings.Builder
		i := 1
		for ; i < len(text) && text[i] != quote; i++ {
			if text[i] == '\\' && i+1 < len(text) && (text[i+1] == quote || text[i+1] == '\\') {
				i++
			}
			word.WriteByte(text[i])
		}
		if i == len(text) {
			return nil, fmt.Errorf("the quote %c is not closed", quote)
		}
		words = append(words, word.String())
		text = text[i+1:]
	}
	return words, nil
}
