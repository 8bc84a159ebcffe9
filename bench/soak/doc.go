// Package soak loads goproxy at a constant rate for a long time, while the name
// of its upstream moves every few seconds and the nodes that it left fail
// (make soak).
//
// A run passes where no request failed and the proxy's memory, goroutines and
// open files stayed as they were. It is unproven where the load was not held, or
// where one of the moves or faults was not seen to happen: then nothing was
// tested.
package soak
