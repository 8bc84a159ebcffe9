package goproxy

import _ "embed"

// Schema is the JSON schema of a config, for editors: schema.json, which is made of Config.
//
//go:embed schema.json
var Schema []byte
