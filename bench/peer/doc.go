// Package peer starts the programs that the benchmarks compare: our own, and
// the ones they are compared with, each with a config that does the same job
// and keeps its connections. What is a Go module is built into a cache folder
// outside the repository; the rest comes from Debian (.ci/packages bench).
//
// Nothing is pinned to cores, and no program is told how many there are: each
// takes what its own default or its "auto" makes of them.
package peer
