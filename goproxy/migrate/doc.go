// Package migrate makes a goproxy config of the proxying part of an Apache or
// nginx config.
//
// It takes over what goproxy does the same way, and names every directive that
// it leaves out with its line and the reason: what goproxy does by itself, what
// it does differently, and what it does not do. What comes out is valid, but it
// is a first draft: read the notes before you run it.
package migrate
