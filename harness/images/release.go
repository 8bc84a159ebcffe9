package images

import (
	"fmt"
	"os"
	"regexp"
)

// The kinds of proxy that come from images.
const (
	Apache = "apache"
	Nginx  = "nginx"
)

// Release is one line of versions of a proxy.
type Release struct {
	// Kind is Apache or Nginx.
	Kind string
	// Name tells releases of one kind apart: stable, testing, or a version.
	Name string
	// Official is the image of the public registry; empty if none matches.
	Official string
	// Suite is the Debian suite whose packages stand in for the official
	// image; empty if none carries this release.
	Suite string
}

func (r Release) String() string { return r.Kind + " " + r.Name }

// Releases lists the releases of a kind that the catalogue is run on. Which
// version a Debian suite holds moves with Debian; see [Image.Version].
//
// The versions where behaviour changed: httpd 2.4.59 looks a backend up once
// more when every cached address refuses (2.4.58 never does); nginx 1.27.3 has
// "server ... resolve" in the open version.
func Releases(kind string) []Release {
	switch kind {
	case Apache:
		return []Release{
			{Kind: Apache, Name: "2.4.58", Official: "httpd:2.4.58"},
			{Kind: Apache, Name: "stable", Official: "httpd:2.4", Suite: "trixie"},
			{Kind: Apache, Name: "testing", Suite: "forky"},
		}
	case Nginx:
		return []Release{
			{Kind: Nginx, Name: "stable", Official: "nginx:1.26", Suite: "trixie"},
			{Kind: Nginx, Name: "testing", Official: "nginx:1.30", Suite: "forky"},
		}
	}
	return nil
}

// Named returns the release of a kind with that name.
func Named(kind, name string) (Release, error) {
	for _, r := range Releases(kind) {
		if r.Name == name {
			return r, nil
		}
	}
	return Release{}, fmt.Errorf("no release %q of %q; there are %v", name, kind, Releases(kind))
}

// UserImage returns the image that the user named for a kind in HTTPD_IMAGE or
// NGINX_IMAGE, and the variable's name. It stands in for every release of the
// kind.
func UserImage(kind string) (ref, variable string) {
	variable = map[string]string{Apache: "HTTPD_IMAGE", Nginx: "NGINX_IMAGE"}[kind]
	return os.Getenv(variable), variable
}

// versionCommand prints the version of a proxy.
var versionCommand = map[string][]string{
	Apache: {"httpd", "-v"},
	Nginx:  {"nginx", "-v"},
}

// versionLine finds the version in what versionCommand prints. An nginx of
// another make (openresty/1.27.1.1) keeps its name.
var versionLine = map[string]*regexp.Regexp{
	Apache: regexp.MustCompile(`(?m)^Server version: Apache/(\S+)`),
	Nginx:  regexp.MustCompile(`(?m)^nginx version: (?:nginx/)?(\S+)`),
}
