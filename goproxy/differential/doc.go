// Package differential holds goproxy against Apache, nginx and HAProxy: each
// runs with the example of the project's fifth article, goproxy with what it
// becomes there, and a table of requests has to get the same answers from both.
// Where they differ, the table says how, and why goproxy is right to.
//
// FuzzBesideOthers sends what no table has: random requests and answers, good and bad,
// in pieces. It has tests only.
package differential
