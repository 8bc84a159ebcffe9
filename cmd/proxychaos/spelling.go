package main

import (
	"errors"
	"io"
	"regexp"
	"slices"
	"strings"

	"github.com/proxychaos/proxychaos/harness/run"
	"github.com/proxychaos/proxychaos/scenarios"
)

// said is where a text speaks of a word of a run as it is said to make: the rooms below
// know no other way. It stands before a value, or before what is wrong with one.
var said = regexp.MustCompile(`(^|[\s(])(` + strings.Join(words(), "|") + `)=(\S{0,2})|^(` + strings.Join(words(), "|") + `): `)

func words() []string {
	var all []string
	for _, w := range slices.Concat(scenarios.Words, compareWords[1:]) { // a NAME= is a variable's
		all = append(all, w.Name)
	}
	return all
}

// inFlags says the words of a run as they are said to the command: --grace 8s for
// GRACE=8s.
func inFlags(text string) string {
	return said.ReplaceAllStringFunc(text, func(found string) string {
		m := said.FindStringSubmatch(found)
		before, word, value := m[1], m[2], m[3]
		switch {
		case word == "":
			return strings.TrimSpace(run.Flag(m[4])) + ": "
		case value == "" || len(value) == 1 && strings.Contains(",;:.)", value): // it ends there
			return before + strings.TrimSpace(run.Flag(word)) + value
		default:
			return before + run.Flag(word) + value
		}
	})
}

// spelling writes with the words of a run in flags. It is given whole lines.
type spelling struct{ to io.Writer }

// Write implements io.Writer.
func (s spelling) Write(p []byte) (int, error) {
	if _, err := io.WriteString(s.to, inFlags(string(p))); err != nil {
		return 0, err
	}
	return len(p), nil
}

// spelt is an error with the words of a run in flags.
type spelt struct{ err error }

func (e *spelt) Error() string { return inFlags(e.err.Error()) }

func (e *spelt) Unwrap() error { return e.err }

// spell says an error's words as they were said.
func (s *settings) spell(err error) error {
	if err == nil || s.make {
		return err
	}
	return &spelt{err}
}

// called says the words of one side as compare has them, which has two: A=x for CONFIG=x,
// RELEASE_A=x for RELEASE=x. said are the words that side has of its own.
func (s *settings) called(err error, side string, said map[string]string) error {
	text := err.Error()
	for word, value := range said {
		own := word + "_" + side
		if word == "CONFIG" {
			own = side
		}
		if s.make {
			text = strings.Replace(text, word+"="+value, own+"="+value, 1)
			continue
		}
		text = strings.Replace(text, run.Flag(word)+value, run.Flag(own)+value, 1)
	}
	return errors.New(text)
}
