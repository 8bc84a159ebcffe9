package fakealb_test

import (
	"strings"
	"testing"

	"golang.org/x/net/http2"

	"github.com/proxychaos/proxychaos/fakealb"
)

// A request that came by HTTP/2 is one of HTTP/1.1 for a target, with one Host and one
// length, whatever stood in its fields: else a target refuses it, or takes the next request
// on the connection for its body.
func TestTargetsReadWhatCameByHTTP2(t *testing.T) {
	for name, c := range map[string]struct {
		fields []string
		data   string // with an end behind it; "" for none
		want   string // what the target gets as a body, "-" for no request
	}{
		"without a length":         {nil, "hello", "hello"},
		"with its length":          {[]string{"content-length", "5"}, "hello", "hello"},
		"with its length twice":    {[]string{"content-length", "5", "content-length", "5"}, "hello", "hello"},
		"with two lengths":         {[]string{"content-length", "5", "content-length", "50"}, "hello", "hello"},
		"shorter than it is":       {[]string{"content-length", "3"}, "hello", "-"},
		"no number":                {[]string{"content-length", "+5"}, "hello", "-"},
		"no body":                  {nil, "", ""},
		"no body of no length":     {[]string{"content-length", "0"}, "", ""},
		"a length without a body":  {[]string{"content-length", "5"}, "", "-"},
		"Host as the authority":    {[]string{"host", "h2.test"}, "", ""},
		"another Host":             {[]string{"host", "admin.internal"}, "", "-"},
		"several Hosts":            {[]string{"host", "a.test", "host", "b.test"}, "", "-"},
		"Host with another's line": {[]string{"x-a", "b", "host", "h2.test", "content-length", "5"}, "hello", "hello"},
	} {
		t.Run(name, func(t *testing.T) {
			f, up := rawForwarding(t, "127.0.82.19", fakealb.Attributes{PreserveHost: true}, nil)
			client := dialFrames(t, f.at(0))
			id := client.request(c.data != "", c.fields...)
			if c.data != "" {
				_ = client.WriteData(id, true, []byte(c.data)) // the node may have refused it
			}
			reset := func(frame http2.Frame) bool {
				_, is := frame.(*http2.RSTStreamFrame)
				return is && frame.Header().StreamID == id
			}
			client.until("the response", func(frame http2.Frame) bool { return ends(id)(frame) || reset(frame) })
			next := dialFrames(t, f.at(0)) // which comes behind it at the target
			next.until("the next response", ends(next.request(false)))
			got := up.got()
			if c.want == "-" {
				if len(got) != 1 || got[0].body != "" {
					t.Errorf("the target got %d requests, and %q", len(got), got[0].head)
				}
				return
			}
			lines, err := up.read()
			if err != nil {
				t.Fatal(err)
			}
			if len(got) != 2 || got[0].body != c.want {
				t.Fatalf("the target got %v, body %q, want %q", lines, got[0].body, c.want)
			}
			head := strings.ToLower(got[0].head)
			if n := strings.Count(head, "\r\nhost: "); n != 1 || !strings.Contains(head, "\r\nhost: h2.test\r\n") {
				t.Errorf("%d Hosts in %q", n, head)
			}
			if n := strings.Count(head, "content-length"); n > 1 {
				t.Errorf("%d lengths in %q", n, head)
			}
		})
	}
}
