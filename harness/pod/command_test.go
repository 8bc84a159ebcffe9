package pod

import (
	"io"
	"strings"
	"testing"
)

func TestCommandRefuses(t *testing.T) {
	for _, test := range []struct {
		args []string
		want string
	}{
		{[]string{"--control", "9100"}, `--control: got "9100"`},
		{[]string{}, "want 1: it takes its network over"}, // a test is never PID 1 of a container
	} {
		cmd := Command()
		cmd.SetArgs(test.args)
		cmd.SetOut(io.Discard)
		cmd.SetErr(io.Discard)
		if err := cmd.ExecuteContext(t.Context()); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%v: got %v, want %q", test.args, err, test.want)
		}
	}
}
