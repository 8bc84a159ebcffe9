package rules

import (
	"errors"
	"net/http"
	"net/netip"
	"regexp"
	"strings"
	"testing"
)

func forward(name string) []Action {
	return []Action{{Type: Forward, TargetGroups: []WeightedGroup{{Name: name, Weight: 1}}}}
}

func request(method, host, target string) *Request {
	path, query, _ := strings.Cut(target, "?")
	return &Request{
		Protocol: "HTTPS", Host: host, Port: 443, Method: method, Path: path, Query: query,
		Header: http.Header{"User-Agent": {"curl/8"}, "X-Env": {"Blue", "Green"}}, Source: netip.MustParseAddr("192.0.2.7"),
	}
}

func table(t *testing.T, rules []Rule, defaults []Action) *Table {
	t.Helper()
	rules, defaults, err := Check(rules, defaults)
	if err != nil {
		t.Fatal(err)
	}
	return NewTable(rules, defaults)
}

func TestConditions(t *testing.T) {
	req := request("POST", "Shop.Example.COM", "/img/Logo.png?Version=V1&b=two")
	for _, c := range []struct {
		name string
		c    Condition
		want bool
	}{
		{"host, whatever its case", Condition{Field: HostHeader, Values: []string{"shop.EXAMPLE.com"}}, true},
		{"host with *", Condition{Field: HostHeader, Values: []string{"other.test", "*.example.com"}}, true},
		{"host with ?", Condition{Field: HostHeader, Values: []string{"sho?.example.com"}}, true},
		{"*. needs something before", Condition{Field: HostHeader, Values: []string{"*.shop.example.com"}}, false},
		{"path", Condition{Field: PathPattern, Values: []string{"/img/*"}}, true},
		{"path is case-sensitive", Condition{Field: PathPattern, Values: []string{"/img/logo.png"}}, false},
		{"path without the query", Condition{Field: PathPattern, Values: []string{"*two"}}, false},
		{"path whole", Condition{Field: PathPattern, Values: []string{"/img"}}, false},
		{"method", Condition{Field: RequestMethod, Values: []string{"GET", "POST"}}, true},
		{"method exactly", Condition{Field: RequestMethod, Values: []string{"PO"}}, false},
		{"header, whatever the case", Condition{Field: HTTPHeader, HeaderName: "x-env", Values: []string{"GREE?"}}, true},
		{"header that is not there", Condition{Field: HTTPHeader, HeaderName: "X-None", Values: []string{"*"}}, false},
		{"query pair, whatever the case", Condition{Field: QueryString, Query: []Parameter{{"version", "v1"}}}, true},
		{"query value of any key", Condition{Field: QueryString, Query: []Parameter{{"", "tw*"}}}, true},
		{"query pair of another key", Condition{Field: QueryString, Query: []Parameter{{"b", "v1"}}}, false},
		{"source", Condition{Field: SourceIP, Values: []string{"10.0.0.0/8", "192.0.2.0/24"}}, true},
		{"source elsewhere", Condition{Field: SourceIP, Values: []string{"192.0.2.8/32"}}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			rules := []Rule{{Priority: 7, Conditions: []Condition{c.c}, Actions: forward("g")}}
			m := table(t, rules, forward("default")).Match(req)
			if (m.Priority == 7) != c.want || (m.Group == "g") != c.want || m.Evaluated != 1 {
				t.Errorf("got %+v, want it to match: %t", m, c.want)
			}
		})
	}
}

func TestQueryConditionWithoutAQuery(t *testing.T) {
	rules := []Rule{{Priority: 1, Conditions: []Condition{{Field: QueryString, Query: []Parameter{{"", "*"}}}}, Actions: forward("g")}}
	if m := table(t, rules, nil).Match(request("GET", "x.test", "/")); m.Priority != 0 || m.Action != nil {
		t.Errorf("got %+v", m)
	}
}

func TestRulesInTheirOrderAndAllConditions(t *testing.T) {
	path := func(p string) Condition { return Condition{Field: PathPattern, Values: []string{p}} }
	method := Condition{Field: RequestMethod, Values: []string{"PUT"}}
	tb := table(t, []Rule{
		{Priority: 30, Conditions: []Condition{path("/*")}, Actions: forward("all")},
		{Priority: 10, Conditions: []Condition{path("/api/*"), method}, Actions: forward("put")},
		{Priority: 20, Conditions: []Condition{path("/api/*")}, Actions: forward("api")},
	}, forward("default"))
	for target, want := range map[string]Match{
		"PUT /api/x": {Priority: 10, Evaluated: 1, Group: "put"},
		"GET /api/x": {Priority: 20, Evaluated: 2, Group: "api"},
		"GET /":      {Priority: 30, Evaluated: 3, Group: "all"},
		"GET *":      {Priority: 0, Evaluated: 3, Group: "default"},
	} {
		method, path, _ := strings.Cut(target, " ")
		m := tb.Match(request(method, "x.test", path))
		if m.Priority != want.Priority || m.Evaluated != want.Evaluated || m.Group != want.Group {
			t.Errorf("%s: got %+v, want %+v", target, m, want)
		}
	}
}

func TestWeights(t *testing.T) {
	t.Attr("aws-fact", "3.4.8")
	weighted := func(weights ...int) []Action {
		a := Action{Type: Forward}
		for i, w := range weights {
			a.TargetGroups = append(a.TargetGroups, WeightedGroup{Name: string(rune('a' + i)), Weight: w})
		}
		return []Action{a}
	}
	for _, c := range []struct {
		weights []int
		want    map[string]int
	}{
		{[]int{10, 20}, map[string]int{"a": 10, "b": 20}},
		{[]int{1, 0, 2}, map[string]int{"a": 10, "c": 20}},
		{[]int{0, 0}, map[string]int{"": 30}},
		{[]int{0}, map[string]int{"a": 30}}, // of one group the weight says nothing
		{[]int{999, 999, 999, 999, 999}, map[string]int{"a": 6, "b": 6, "c": 6, "d": 6, "e": 6}},
	} {
		tb := table(t, nil, weighted(c.weights...))
		got := map[string]int{}
		for range 30 {
			got[tb.Match(request("GET", "x.test", "/")).Group]++
		}
		for group, n := range c.want {
			if got[group] != n {
				t.Errorf("%v: got %v, want %v", c.weights, got, c.want)
			}
		}
	}
	for _, bad := range [][]int{{1000}, {-1}, {1, 1, 1, 1, 1, 1}} {
		if _, _, err := Check(nil, weighted(bad...)); err == nil {
			t.Errorf("%v: got no error", bad)
		}
	}
}

func TestRedirectURLs(t *testing.T) {
	req := request("GET", "www.example.test", "/a/b?c=d")
	for want, r := range map[string]Redirect{
		"https://www.example.test:40443/a/b?c=d":   {Port: "40443"},
		"https://www.example.test:443/new/a/b?c=d": {Path: "/new/#{path}"},
		"https://other.example:443/a/b?c=d":        {Host: "other.example"},
		"https://x.www.example.test:443/?p=443":    {Host: "x.#{host}", Path: "/", Query: "p=#{port}"},
		"http://www.example.test:80/a/b?c=d":       {Protocol: "HTTP", Port: "80"},
	} {
		r.StatusCode = "HTTP_301"
		checked, err := r.check("")
		if err != nil {
			t.Errorf("%s: %v", want, err)
			continue
		}
		if got := checked.URL(req); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	bare := request("GET", "www.example.test", "/a")
	r, err := Redirect{Port: "1", StatusCode: "HTTP_302"}.check("")
	if err != nil || r.URL(bare) != "https://www.example.test:1/a" || r.Status() != 302 {
		t.Errorf("without a query: got %+v, %v", r, err)
	}
}

func TestErrorsNameTheField(t *testing.T) {
	path := []Condition{{Field: PathPattern, Values: []string{"/"}}}
	ok := forward("g")
	one := func(c ...Condition) []Rule { return []Rule{{Priority: 1, Conditions: c, Actions: ok}} }
	act := func(a Action) []Rule { return []Rule{{Priority: 1, Conditions: path, Actions: []Action{a}}} }
	many := make([]Rule, 101)
	for want, rules := range map[string][]Rule{
		"rules":                                           many,
		"rules[0].priority":                               {{Priority: 50001, Conditions: path, Actions: ok}},
		"rules[1].priority":                               {{Priority: 1, Conditions: path, Actions: ok}, {Priority: 1, Conditions: path, Actions: ok}},
		"rules[0].conditions":                             {{Priority: 1, Actions: ok}},
		"rules[0].actions":                                {{Priority: 1, Conditions: path}},
		"rules[0].conditions[0].field":                    one(Condition{Field: "cookie", Values: []string{"x"}}),
		"rules[0].conditions[1].field":                    one(path[0], path[0]),
		"rules[0].conditions[0].values":                   one(Condition{Field: PathPattern}),
		"rules[0].conditions[0].values[0]":                one(Condition{Field: HostHeader, Values: []string{"nodot"}}),
		"rules[0].conditions[0].values[1]":                one(Condition{Field: SourceIP, Values: []string{"10.0.0.0/8", "10.0.0.1"}}),
		"rules[0].conditions[0].http_header_name":         one(Condition{Field: HTTPHeader, Values: []string{"x"}}),
		"rules[0].conditions[0].query":                    one(Condition{Field: PathPattern, Values: []string{"/"}, Query: []Parameter{{"", "x"}}}),
		"rules[0].conditions[0].query[0].value":           one(Condition{Field: QueryString, Query: []Parameter{{"k", ""}}}),
		"rules[0].actions[0].type":                        act(Action{Type: "authenticate-oidc"}),
		"rules[0].actions[0].target_groups":               act(Action{Type: Forward}),
		"rules[0].actions[0].target_groups[1].name":       act(Action{Type: Forward, TargetGroups: []WeightedGroup{{"a", 1}, {"a", 1}}}),
		"rules[0].actions[0].stickiness.duration_seconds": act(Action{Type: Forward, TargetGroups: ok[0].TargetGroups, Stickiness: GroupStickiness{Enabled: true}}),
		"rules[0].actions[0].fixed_response":              act(Action{Type: Fixed}),
		"rules[0].actions[0].fixed_response.status_code":  act(Action{Type: Fixed, FixedResponse: &FixedResponse{StatusCode: 301}}),
		"rules[0].actions[0].fixed_response.content_type": act(Action{Type: Fixed, FixedResponse: &FixedResponse{StatusCode: 200, ContentType: "image/png"}}),
		"rules[0].actions[0].fixed_response.message_body": act(Action{Type: Fixed, FixedResponse: &FixedResponse{StatusCode: 200, MessageBody: strings.Repeat("x", 1025)}}),
		"rules[0].actions[0].redirect":                    act(Action{Type: ToURL}),
		"rules[0].actions[0].redirect.protocol":           act(Action{Type: ToURL, Redirect: &Redirect{StatusCode: "HTTP_301", Query: "new"}}),
		"rules[0].actions[0].redirect.host":               act(Action{Type: ToURL, Redirect: &Redirect{StatusCode: "HTTP_301", Host: "#{path}"}}),
		"rules[0].actions[0].redirect.port":               act(Action{Type: ToURL, Redirect: &Redirect{StatusCode: "HTTP_301", Port: "0"}}),
		"rules[0].actions[0].redirect.path":               act(Action{Type: ToURL, Redirect: &Redirect{StatusCode: "HTTP_301", Path: "x"}}),
		"rules[0].actions[0].redirect.status_code":        act(Action{Type: ToURL, Redirect: &Redirect{Port: "1"}}),
	} {
		_, _, err := Check(rules, nil)
		var e *FieldError
		if !errors.As(err, &e) || e.Field != want {
			t.Errorf("got %v, want an error of %s", err, want)
		}
	}
	long := Condition{Field: HTTPHeader, HeaderName: "A", Values: []string{"a", "b", "c"}}
	if _, _, err := Check(one(long, long), nil); err == nil || !strings.Contains(err.Error(), "got 6 values") {
		t.Errorf("six values in a rule: got %v", err)
	}
	if _, _, err := Check(one(Condition{Field: PathPattern, Values: []string{"/**?*?*"}}), nil); err == nil || !strings.Contains(err.Error(), "got 6 wildcards") {
		t.Errorf("six wildcards in a rule: got %v", err)
	}
	if _, _, err := Check(nil, append(forward("a"), forward("b")...)); err == nil || !strings.HasPrefix(err.Error(), "default_actions: ") {
		t.Errorf("two default actions: got %v", err)
	}
}

// FuzzPattern compares with a regular expression of the same meaning.
func FuzzPattern(f *testing.F) {
	for _, seed := range [][2]string{{"/img/*", "/img/a"}, {"*.b.*", "a.b.b.c"}, {"a?c*", "abc"}, {"**?", ""}, {"*a*a*a*b", "aaaaaaaaaa"}} {
		f.Add(seed[0], seed[1])
	}
	f.Fuzz(func(t *testing.T, pattern, s string) {
		if len(pattern) > maxPattern || len(s) > 1000 {
			return
		}
		var re strings.Builder
		re.WriteString(`(?s)^`)
		for _, b := range []byte(pattern) {
			switch b {
			case '*':
				re.WriteString(`.*`)
			case '?':
				re.WriteString(`.`)
			default:
				re.WriteString(regexp.QuoteMeta(string(rune(b))))
			}
		}
		want := regexp.MustCompile(re.String() + `$`).MatchString(latin(s))
		if got := matches(pattern, s); got != want {
			t.Errorf("%q on %q: got %t", pattern, s, got)
		}
	})
}

// latin turns each byte into a rune, as regexp reads runes and matches bytes.
func latin(s string) string {
	out := make([]rune, len(s))
	for i := range len(s) {
		out[i] = rune(s[i])
	}
	return string(out)
}
