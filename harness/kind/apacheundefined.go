package kind

import (
	"fmt"
	"slices"
	"strings"
)

// Undefined says which <IfDefine> keeps the module of a directive from being loaded, if that is
// why Apache does not know the directive; empty if not. Gentoo has each module in one, and says
// -D in a file of its service.
func (c Config) Undefined(words string) string {
	if !strings.Contains(words, "Invalid command") {
		return ""
	}
	advice := apache.Advise(words, "") // it names the module
	var within, known []string
	for _, line := range apacheLines(c, c.apacheVariables()) {
		switch {
		case line.name == "define" && len(line.args) > 0:
			known = append(known, line.args[0])
		case line.name == "<ifdefine" && len(line.args) > 0:
			within = append(within, line.args[0])
		case line.name == "</ifdefine" && len(within) > 0:
			within = within[:len(within)-1]
		case line.name == "loadmodule" && len(line.args) > 0 && strings.Contains(advice, ": LoadModule "+line.args[0]+" "):
			for _, name := range within {
				if name[0] != '!' && !slices.Contains(known, name) {
					return fmt.Sprintf(`the module of it is loaded in <IfDefine %[1]s>, which is not in force: put "Define %[1]s" before it, which is what -D %[1]s does on the machine`, name)
				}
			}
		}
	}
	return ""
}
