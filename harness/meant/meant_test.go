package meant

import (
	"testing"

	. "github.com/onsi/gomega"
)

func TestNear(t *testing.T) {
	names := []string{"alb-ip-rotate", "alb-ip-refuse", "alb-partial-rotate", "zone-flap", "h2o", "nginx/static", "nginx/static@testing", "TTL", "TTL_MIN"}
	for word, want := range map[string][]string{
		"alb-ip-rotat":      {"alb-ip-rotate"},
		"alb-ip-roatte":     {"alb-ip-rotate"},
		"alb_ip_rotate":     {"alb-ip-rotate"},
		"ALB-IP-ROTATE":     {"alb-ip-rotate"},
		"ttl":               {"TTL"},
		"TTTL":              {"TTL"},
		"TT":                {"TTL", "TTL_MIN"},
		"alb-ip":            {"alb-ip-rotate", "alb-ip-refuse"},
		"rotate":            {"alb-ip-rotate", "alb-partial-rotate"},
		"ngnix/static":      {"nginx/static"},
		"nginx/sttaic":      {"nginx/static"},
		"h2":                {"h2o"},
		"h3o":               {"h2o"},
		"x":                 nil,
		"ab":                nil,
		"xyz":               nil,
		"flap":              {"zone-flap"},
		"nope":              nil,
		"something-else-ok": nil,
	} {
		NewWithT(t).Expect(Near(word, names)).To(Equal(want), word)
	}
}

func TestHint(t *testing.T) {
	g := NewWithT(t)
	g.Expect(Hint("ngnix", []string{"apache", "nginx"})).To(Equal(`: did you mean "nginx"?`))
	g.Expect(Hint("tls", []string{"tls-alert", "tls-hang", "dns"})).To(Equal(": did you mean one of tls-alert, tls-hang?"))
	g.Expect(Hint("x", []string{})).To(Equal("; there are none"))
	g.Expect(Hint("squid", []string{"apache", "nginx"})).To(Equal("; there are apache, nginx"))
}
