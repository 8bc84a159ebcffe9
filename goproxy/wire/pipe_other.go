//go:build !linux || !(amd64 || arm64)

package wire

import "errors"

// Pipe moves bytes from one connection to another inside the kernel. There is
// none on this system.
type Pipe struct{}

// GetPipe returns nil: the system has no pipe for connections.
func GetPipe() *Pipe { return nil }

// Put gives the pipe back.
func (*Pipe) Put() {}

// Fill is not there.
func (*Pipe) Fill(*Conn, int64) (int, error) { return 0, errors.ErrUnsupported }

// Drain is not there.
func (*Pipe) Drain(*Conn) (int, error) { return 0, errors.ErrUnsupported }
