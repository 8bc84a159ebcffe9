//go:build scenario

// Package suite runs the corpus under Ginkgo: a spec is a case. Its labels are its name,
// its kind of proxy, its group and, for the few that CI runs, gate:
//
//	go tool ginkgo run --tags=scenario -p --label-filter='gate || haproxy' ./scenarios/corpus/suite
package suite
