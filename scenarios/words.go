package scenarios

import (
	"fmt"

	"github.com/proxychaos/proxychaos/harness"
	"github.com/proxychaos/proxychaos/harness/config"
)

// SubjectWords tell a subject from any other, for a journal: its names, its release, and what
// is in its files now.
func SubjectWords(s harness.Subject) []string {
	words := []string{string(s.Kind), s.Release, s.ID(), s.Env.Said, s.Image, s.Command.Said}
	c, err := config.Read(s.Kind, s.Files, s.Config, s.Env)
	words = append(words, fmt.Sprint(err))
	for _, f := range c.Files {
		words = append(words, f.Name, string(f.Content))
	}
	return words
}
