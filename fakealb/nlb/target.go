package nlb

import "net"

// targetConn is a connection to a target.
type targetConn struct{ *net.TCPConn }

// Reset closes the connection with RST.
func (c targetConn) Reset() {
	_ = c.SetLinger(0)
	_ = c.Close()
}
