// Package bench holds the benchmarks of docs/performance.md: what was measured,
// what it is compared with, and the tables made of it.
//
// A [Report] has rows; a row measures several programs in the same way, in
// turns, on the same cores, and its bars set one of them against another or
// against a limit. A row or a program that could not be measured is "not
// measured", which is never "met".
//
// How the programs are started is in bench/peer, how they are loaded in
// bench/gen, and the rows themselves in bench/fakes (make bench) and
// bench/proxies (make bench-proxy). The soak of the proxy is in bench/soak (make
// soak).
package bench
