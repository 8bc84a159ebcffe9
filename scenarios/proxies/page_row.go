package proxies

import (
	"github.com/proxychaos/proxychaos/harness"
)

// subjectView is a config, on each version on which it ran.
type subjectView struct {
	Name string
	of   []subject
}

// Link is where the page finds it.
func (s subjectView) Link() string { return s.of[0].Link() }

// Role is what articles say of it.
func (s subjectView) Role() harness.Role { return s.of[0].Role }

// Summary says what the config does.
func (s subjectView) Summary() string { return s.of[0].Summary }

// Since is the first version that takes it.
func (s subjectView) Since() string { return s.of[0].Since }

// Versions are a line for each version that ran.
func (s subjectView) Versions() []string {
	return s.each(func(one subject) string { return one.version() })
}

// Connections are those for each request.
func (s subjectView) Connections() []string {
	return s.each(func(one subject) string { r, _ := one.costs(); return figure(r.Connections) })
}

// Queries are those of DNS, a minute.
func (s subjectView) Queries() []string {
	return s.each(func(one subject) string { r, _ := one.costs(); return queries(r.Queries) })
}

// Held says in how many scenarios it held.
func (s subjectView) Held() []string {
	return s.each(func(one subject) string { return one.tally("").String() })
}

func (s subjectView) each(say func(subject) string) []string {
	var texts []string
	for _, one := range s.of {
		if len(one.runs) > 0 {
			texts = append(texts, say(one))
		}
	}
	return texts
}
