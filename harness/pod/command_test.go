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
		{[]string{"--resolver", "dns.test"}, `--resolver: got "dns.test"`},
		{[]string{"--resolver", "fd00:ec2::253"}, `--resolver: got "fd00:ec2::253"`},
		{[]string{"--resolver", "10.0.0.2:0"}, `--resolver: got "10.0.0.2:0"`},
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

func TestParseResolver(t *testing.T) {
	for text, want := range map[string]string{
		"169.254.169.253": "169.254.169.253:53",
		"10.0.0.2:5353":   "10.0.0.2:5353",
	} {
		if got, err := parseResolver(text); err != nil || got.String() != want {
			t.Errorf("%s: got %s, %v, want %s", text, got, err, want)
		}
	}
}
