// Package desync judges whether an HTTP/1 request could be read in two ways.
//
// HTTP desync, or request smuggling, is what happens when a proxy and the server
// behind it disagree on where a request ends: the rest of one client's request
// becomes the beginning of another's. An ALB puts each request into one of four
// classes, with a reason, and its desync mitigation mode says what becomes of
// each class (fact 2.6 D).
//
// The classes, the reasons and what they mean are AWS's, from the guide and from
// the documentation of aws/http-desync-guardian; the code is our own. It is
// measured with the cases that AWS published: see the test.
package desync
