// Package wire reads, writes and splices TCP connections at the least cost that
// Go's poller allows.
//
// Go's scheduler is told of each system call, because it may block: the entry
// and the exit are noted, and a thread of the runtime's own looks every 20 µs
// for calls that take long, to give their processor to another thread. Sockets
// of package net never block, they are waited for with epoll, and a proxy does
// little else than to read and write them. So the calls here are made without
// telling the scheduler; docs/performance.md has what that saves.
//
// On anything but Linux on amd64 or arm64 the same functions are Go's own
// calls, and there is no [Pipe].
package wire
