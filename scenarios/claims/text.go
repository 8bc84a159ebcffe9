package claims

import (
	"fmt"
	"io"
	"strings"
)

// Text writes what became of some claims for a terminal.
func Text(w io.Writer, some []Claim, r Results) error {
	var b strings.Builder
	for _, c := range some {
		v, err := c.Decide(r)
		if err != nil {
			return err
		}
		fmt.Fprintf(&b, "%s: %s\n    says: %s\n", c.ID, v.Word, c.Says)
		for _, text := range v.Says {
			fmt.Fprintf(&b, "    so:   %s\n", text)
		}
		for _, text := range (verdictView{v, r}).Measured() {
			fmt.Fprintf(&b, "    %s\n", text)
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}
