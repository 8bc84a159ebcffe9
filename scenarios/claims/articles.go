package claims

// Article is a text that makes claims.
type Article struct {
	ID    string // of its claims: they begin with it
	About string // what it is, with its date
}

// Articles are those whose claims are here, by their files in the project's seeds, and
// what no article says and runs showed.
var Articles = []Article{
	{"000", "Apache in front of an ALB, behind an NLB (2019 to 2021, Apache 2.4.41)"},
	{"001", "TLS errors between an ALB and Apache as its target (2018)"},
	{"002", "nginx on ECS in front of an internal ALB (2023)"},
	{"003", "keep-alive between Apache and its backend with ProxyPassMatch (Apache 2.4.47 and later)"},
	{"004", "ProxySet and other ways to balance load (2025)"},
	{"new", "What no article says and runs showed"},
}
