package main

import (
	"testing"

	. "github.com/onsi/gomega"
)

// What the rooms below say to make is said as flags, and nothing else is touched.
func TestInFlags(t *testing.T) {
	for text, want := range map[string]string{
		"GRACE=4s is not longer than TTL 1s":                 "--grace 4s is not longer than TTL 1s",
		"CONFIG=./x: say what it is for with PROXY=, one of": "--config ./x: say what it is for with --proxy, one of",
		"name another folder with RUNS=":                     "name another folder with --runs",
		"HOST_HEADER= is for it":                             "--host-header is for it",
		"give one with HEADERS='Authorization: Basic'":       "give one with --headers 'Authorization: Basic'",
		`URL_PATH: got "b"`:                                  `--url-path: got "b"`,
		"give ENV=./file with a line NAME=value":             "give --env ./file with a line NAME=value",
		"an image of yours with HAPROXY_IMAGE=":              "an image of yours with HAPROXY_IMAGE=",
		"try RELEASE=testing, or":                            "try --release testing, or",
		"or otherwise (URL_PATH=, HOST_HEADER=)":             "or otherwise (--url-path, --host-header)",
		"proxy_set_header X-PROXY=1 and HEADERS: x":          "proxy_set_header X-PROXY=1 and HEADERS: x",
		"MY_PROXY=1": "MY_PROXY=1",
	} {
		NewWithT(t).Expect(inFlags(text)).To(Equal(want))
	}
}
