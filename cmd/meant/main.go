// Command meant is for the Makefile: its arguments are what there is none of, a mistyped
// word, and the words that there are. It prints the error that says which was meant.
package main

import (
	"fmt"
	"os"

	"github.com/proxychaos/proxychaos/harness/meant"
)

func main() {
	what, word, words := os.Args[1], os.Args[2], os.Args[3:]
	fmt.Printf("there is no %s %q%s\n", what, word, meant.Hint(word, words))
}
