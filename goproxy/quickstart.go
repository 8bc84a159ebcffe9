package goproxy

import _ "embed"

// Quickstart is the least config that does something: quickstart.yaml, with a
// resolver at 127.0.0.1:5300, where fakedns answers by default.
//
//go:embed quickstart.yaml
var Quickstart []byte
