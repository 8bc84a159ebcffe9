package pod

import (
	"strings"
	"testing"
)

// asks are the names for which resolvers ask, in their order, when a program wants one;
// the last of each line is the one that exists.
func TestNamesThatASearchListMakes(t *testing.T) {
	const cluster = "search shop.svc.cluster.local svc.cluster.local cluster.local eu-west-1.compute.internal example.com\noptions ndots:5\n"
	for want, tc := range map[string]struct{ resolvConf, asks string }{
		"a service of the same namespace": {cluster, "api.shop.svc.cluster.local"},
		"one of another":                  {cluster, "api.orders.shop.svc.cluster.local api.orders.svc.cluster.local"},
		"one with svc behind":             {cluster, "api.orders.svc.shop.svc.cluster.local api.orders.svc.svc.cluster.local api.orders.svc.cluster.local"},
		"a whole name of the cluster": {cluster, "api.orders.svc.cluster.local.shop.svc.cluster.local api.orders.svc.cluster.local.svc.cluster.local " +
			"api.orders.svc.cluster.local.cluster.local api.orders.svc.cluster.local.eu-west-1.compute.internal api.orders.svc.cluster.local.example.com api.orders.svc.cluster.local"},
		"a whole name of the world": {cluster, "api.internal.example.org.shop.svc.cluster.local api.internal.example.org.svc.cluster.local " +
			"api.internal.example.org.cluster.local api.internal.example.org.eu-west-1.compute.internal api.internal.example.org.example.com api.internal.example.org"},
		"one below the last domain": {cluster, "api.internal.example.com.shop.svc.cluster.local api.internal.example.com.svc.cluster.local " +
			"api.internal.example.com.cluster.local api.internal.example.com.eu-west-1.compute.internal api.internal.example.com.example.com api.internal.example.com"},
		"the same, of a resolver without a search list": {cluster, "api.internal.example.com"},
		"a machine of the cluster":                      {cluster, "ip-10-0-1-7.eu-west-1.compute.internal"},
		"a pod of a StatefulSet":                        {cluster, "web-0.web.shop.svc.cluster.local"},
		"a host of another namespace":                   {cluster, "primary.db.data.svc.cluster.local"},
		"a service by its records":                      {cluster, "_http._tcp.api.shop.svc.cluster.local"},
		"a pod by its address":                          {cluster, "10-1-2-3.shop.pod.cluster.local"},
		"a short name of a company":                     {"search eu.example.com example.com\n", "backend.eu.example.com"},
		"one with a dot, and two to be whole":           {"search eu.example.com example.com\noptions ndots:2\n", "api.prod.eu.example.com"},
		"a whole name below the company's domain":       {"search eu.example.com example.com\n", "a.b.example.com"},
		"a container in a network of Docker":            {"search lan\noptions ndots:0\n", "backend"},
		"the old word for one domain":                   {"domain example.com\n", "backend.example.com"},
		"a capital letter, and a dot at the end":        {"search Shop.SVC.Cluster.Local. svc.cluster.local.\noptions ndots:5\n", "a.b.shop.svc.cluster.local a.b.svc.cluster.local"},
	} {
		t.Run(want, func(t *testing.T) {
			s, err := readSearchList(tc.resolvConf)
			if err != nil {
				t.Fatal(err)
			}
			asks := strings.Fields(tc.asks)
			for i, name := range asks {
				if last := i == len(asks)-1; s.missing(name) == last {
					t.Errorf("%s: missing is %v", name, last)
				}
			}
		})
	}
}

// What resolvers without a search list ask, and nothing answers in a cluster either.
func TestNamesThatDoNotExist(t *testing.T) {
	for name, resolvConf := range map[string]string{
		"backend":                          "search shop.svc.cluster.local svc.cluster.local\noptions ndots:5\n",
		"app":                              "search example.com\n",
		"api.shop.cluster.local":           "search shop.svc.cluster.local svc.cluster.local\n",
		"a.b.c.d.svc.cluster.local":        "search shop.svc.cluster.local svc.cluster.local\n",
		"_http._tcp":                       "search shop.svc.cluster.local svc.cluster.local cluster.local\n",
		"_a._b.cluster.local":              "search shop.svc.cluster.local svc.cluster.local cluster.local\n",
		"cluster.local.shop.cluster.local": "search shop.svc.cluster.local svc.cluster.local cluster.local\n",
	} {
		s, err := readSearchList(resolvConf)
		if err != nil {
			t.Fatal(err)
		}
		if missing := s.missing(name); missing != (name != "_http._tcp") {
			t.Errorf("%s: missing is %v", name, missing)
		}
	}
}

func TestWithoutASearchListEveryNameIsThere(t *testing.T) {
	for _, resolvConf := range []string{"", "nameserver 10.0.0.2\n", "nameserver 10.0.0.2\noptions ndots:5\n", "search .\n"} {
		if s, err := readSearchList(resolvConf); s != nil || err != nil {
			t.Errorf("%q: got %v, %v, want none", resolvConf, s, err)
		}
	}
}
