package kind

import (
	"path"
	"regexp"
	"strings"
)

// nginxDumped begins a file in the output of nginx -T, which prints all that nginx reads.
var nginxDumped = regexp.MustCompile(`(?m)^# configuration file (/\S+):[ \t]*\r?\n`)

// nginxDump takes such an output apart. The files beside the main one are those of the
// configuration; the others are in the layout that is begun, at their own paths. Any other
// configuration is as it lies.
func (c Config) nginxDump() (laid Config, l Layout) {
	if !c.single() {
		return c, Layout{}
	}
	text := string(c.Files[0].Content)
	marks := nginxDumped.FindAllStringSubmatchIndex(text, -1)
	if len(marks) == 0 {
		return c, Layout{}
	}
	l.From = c.Files[0].Name + ", the output of nginx -T,"
	laid, laid.Files = c, nil
	folder := path.Dir(text[marks[0][2]:marks[0][3]])
	for i, mark := range marks {
		end := len(text)
		if i+1 < len(marks) {
			end = marks[i+1][0]
		}
		where, content := path.Clean(text[mark[2]:mark[3]]), []byte(text[mark[1]:end])
		if name, below := strings.CutPrefix(where, folder+"/"); below {
			laid.Files = append(laid.Files, File{Name: name, Content: content})
		} else {
			l.Files = append(l.Files, Placed{Path: where, Content: content, Own: where})
		}
	}
	return laid, l
}
