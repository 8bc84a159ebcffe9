package kind

import (
	"fmt"

	shellquote "github.com/kballard/go-shellquote"
)

// Command is what is started in an image of the user's.
type Command struct {
	Said  string // as its user typed it
	Words []string
}

// ReadCommand splits a command into its words as a shell does, quotes included; variables,
// patterns and a # stay as they are.
func ReadCommand(said string) (Command, error) {
	words, err := shellquote.Split(said)
	if err != nil {
		return Command{}, fmt.Errorf("COMMAND=%s: want words as a shell takes them, each quote closed: %w", said, err)
	}
	return Command{said, words}, nil
}
