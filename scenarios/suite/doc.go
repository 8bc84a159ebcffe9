//go:build scenario

// Package suite runs the scenarios under Ginkgo: a spec is a scenario on a subject. It
// is behind the tag scenario, so that `go test ./...` does not start it.
//
//	go tool ginkgo run --tags=scenario -p --label-filter='nginx && dns' ./scenarios/suite
//
// PROXYCHAOS_NAME, PROXYCHAOS_GRACE and the like (scenarios.Words) say what is run and how.
package suite
