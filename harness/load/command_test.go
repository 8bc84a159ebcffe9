package load_test

import (
	"context"
	"io"
	"regexp"
	"strings"
	"testing"

	"github.com/proxychaos/proxychaos/harness/load"
)

func TestCommandServesUntilItsContextEnds(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	command := load.Command()
	command.SetArgs([]string{"--control", "127.0.0.1:0"})
	reader, writer := io.Pipe()
	command.SetOut(writer)
	command.SetErr(writer)
	ended := make(chan error, 1)
	go func() { ended <- command.ExecuteContext(ctx) }()
	banner := make([]byte, 200)
	n, err := reader.Read(banner)
	if err != nil {
		t.Fatal(err)
	}
	base := regexp.MustCompile(`http://127\.0\.0\.1:[1-9][0-9]*`).FindString(string(banner[:n]))
	if base == "" || !strings.Contains(string(banner[:n]), "TEST ONLY") {
		t.Fatalf("got banner %q, want the address and that it is for tests only", banner[:n])
	}
	client := load.NewClient(base)
	if err := client.Health(ctx); err != nil {
		t.Error(err)
	}
	// An attack under way must not hold up the end.
	s := spec(serve(t, echo))
	s.Duration = 600
	err = client.Attack(t.Context(), s, func(load.Row) { cancel() })
	if err == nil {
		t.Error("the attack went to its end")
	}
	if err := <-ended; err != nil {
		t.Errorf("the command ended with %v, want nil", err)
	}
}

func TestCommandRefuses(t *testing.T) {
	for _, args := range [][]string{{"--control", "198.18.255.255:1"}, {"--control", "nonsense"}, {"extra"}} {
		command := load.Command()
		command.SetArgs(args)
		command.SetOut(io.Discard)
		command.SetErr(io.Discard)
		if err := command.ExecuteContext(t.Context()); err == nil || strings.Contains(err.Error(), "\n") {
			t.Errorf("%v: got error %v, want one line", args, err)
		}
	}
}
