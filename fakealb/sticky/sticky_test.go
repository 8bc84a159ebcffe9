package sticky

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"
)

var (
	now     = time.Date(2026, 9, 1, 3, 4, 5, 0, time.UTC)
	expires = now.Add(Expiry)
)

// client has the cookies of these Set-Cookie lines.
func client(lines ...string) *http.Request {
	r := &http.Request{Header: http.Header{}}
	for _, l := range lines {
		pair, _, _ := strings.Cut(l, ";")
		r.Header.Add("Cookie", pair)
	}
	return r
}

func TestTwins(t *testing.T) {
	t.Attr("aws-fact", "3.4.5")
	k := NewKey()
	lines := k.Set(TargetCookie, Session{"g", "10.0.0.1:80", now}, expires, true)
	const rest = "; Expires=Tue, 08 Sep 2026 03:04:05 GMT; Path=/"
	if len(lines) != 2 || !strings.HasPrefix(lines[0], "AWSALB=") || !strings.HasSuffix(lines[0], rest) ||
		!strings.HasPrefix(lines[1], "AWSALBCORS=") || !strings.HasSuffix(lines[1], rest+"; SameSite=None; Secure") {
		t.Errorf("over TLS: got %q", lines)
	}
	if plain := k.Set(GroupCookie, Session{}, expires, false); !strings.HasPrefix(plain[1], "AWSALBTGCORS=") || !strings.HasSuffix(plain[1], rest+"; SameSite=None") {
		t.Errorf("without TLS: got %q", plain)
	}
	for _, have := range [][]string{lines, lines[:1], lines[1:]} {
		if s, ok := k.Read(client(have...), TargetCookie); !ok || s.Target != "10.0.0.1:80" || s.Group != "g" || !s.At.Equal(now) {
			t.Errorf("%q: got %+v, %t", have, s, ok)
		}
	}
	// The twin for cross-origin requests comes first.
	other := k.Set(TargetCookie, Session{"g", "10.0.0.2:80", now}, expires, true)
	if s, _ := k.Read(client(lines[0], other[1]), TargetCookie); s.Target != "10.0.0.2:80" {
		t.Errorf("got %+v, want the target of AWSALBCORS", s)
	}
}

func TestValuesThatAreNoSession(t *testing.T) {
	k := NewKey()
	group := k.Set(GroupCookie, Session{Group: "g"}, expires, false)[0]
	for name, line := range map[string]string{
		"not base64": "AWSALB=%%%", "too short": "AWSALB=AAAA", "empty": "AWSALB=",
		"of another kind": strings.Replace(group, GroupCookie, TargetCookie, 1),
		"of another key":  NewKey().Set(TargetCookie, Session{"g", "t", now}, expires, false)[0],
		"URL encoded":     strings.NewReplacer("+", "%2B", "/", "%2F").Replace("AWSALB=a+/b"),
	} {
		if s, ok := k.Read(client(line), TargetCookie); ok {
			t.Errorf("%s: got %+v", name, s)
		}
	}
}

func TestApplicationCookieInShards(t *testing.T) {
	t.Attr("aws-fact", "3.4.6")
	k := NewKey()
	for _, c := range []struct{ groups, shards int }{{1, 1}, {60, 2}, {200, 4}} {
		var sessions []Session
		for i := range c.groups {
			sessions = append(sessions, Session{fmt.Sprint("group-", i), "10.0.0.1:8080", now})
		}
		lines := k.SetApp(sessions, expires, "curl/8")
		if len(lines) != 4 {
			t.Fatalf("got %d cookies, want 4", len(lines))
		}
		used := 0
		for i, l := range lines {
			value, _, _ := strings.Cut(l, ";")
			name, value, _ := strings.Cut(value, "=")
			if name != fmt.Sprint("AWSALBAPP-", i) || len(value) > 4096 {
				t.Errorf("got the name %s and %d characters", name, len(value))
			}
			if value != "_remove_" {
				used++
			}
		}
		got := k.ReadApp(client(lines...))
		if used != c.shards || len(got) != min(c.groups, len(got)) || len(got) == 0 || got[len(got)-1].Group != sessions[c.groups-1].Group {
			t.Errorf("%d groups: got %d shards and %d sessions, want %d shards", c.groups, used, len(got), c.shards)
		}
		if c.shards < 4 && len(got) != c.groups {
			t.Errorf("got %d sessions, want %d", len(got), c.groups)
		}
	}
}

func TestSameSiteOfTheApplicationCookie(t *testing.T) {
	k := NewKey()
	for agent, want := range map[string]bool{
		"curl/8": false, "Mozilla/5.0 Chrome/79.0.1 Safari/537": false, "Mozilla/5.0 Chrome/80.0.1 Safari/537": true, "Chromium/120.0": true, "Chrome/": false,
	} {
		if got := strings.HasSuffix(k.SetApp(nil, expires, agent)[0], "; SameSite=None; Secure"); got != want {
			t.Errorf("%s: got %t", agent, got)
		}
	}
}

func TestCookiesOfTheApplication(t *testing.T) {
	h := http.Header{"Set-Cookie": {"other=1; Path=/", " session =x; Expires=never"}}
	if !Sets(h, "session") || Sets(h, "sess") {
		t.Errorf("got %t and %t for %v", Sets(h, "session"), Sets(h, "sess"), h)
	}
	r := &http.Request{Header: http.Header{"Cookie": {"a=1; session=x", "b=2"}}}
	if !Has(r, "session") || !Has(r, "b") || Has(r, "c") {
		t.Error("cookies of the request")
	}
}
