package sticky

import (
	"net/http"
	"testing"
)

// FuzzCookies reads what no load balancer has sealed: it is no session.
func FuzzCookies(f *testing.F) {
	for _, seed := range []string{"AWSALB=AAAA", "AWSALBCORS=; AWSALB=", "a=b; AWSALBAPP-0=AAAA; AWSALBAPP-1=_remove_", ";;=;", "AWSALB"} {
		f.Add(seed)
	}
	k := NewKey()
	f.Fuzz(func(t *testing.T, line string) {
		req := &http.Request{Header: http.Header{"Cookie": {line}}}
		if s, ok := k.Read(req, TargetCookie); ok {
			t.Errorf("%q: got %+v", line, s)
		}
		if s := k.ReadApp(req); len(s) > 0 {
			t.Errorf("%q: got %+v", line, s)
		}
	})
}
