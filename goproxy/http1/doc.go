// Package http1 reads and writes HTTP/1 messages for a proxy, strictly.
//
// A proxy and the server behind it must never disagree about where a message
// ends. So everything that two readers are known to read differently is an
// error here, also where RFC 9112 would let a lenient reader go on: bare line
// feeds, folded lines, spaces before the colon, several Content-Lengths, a
// length together with chunks, any transfer coding but "chunked", signs and
// spaces in numbers. What is accepted is written anew from its parts; the
// bytes of a head are never copied through.
//
// [Request] and [Response] hold a head. What describes the connection rather
// than the message (Connection, Transfer-Encoding, Upgrade and so on) is taken
// out of the header into fields of their own, so that it cannot be forwarded
// by mistake. All strings of a head are parts of one string, which makes one
// allocation a head and leaves no reference to a buffer that is used again.
//
// [Reader] is the buffer of one connection. It holds memory only while there
// are bytes in it: an idle connection costs none.
package http1
