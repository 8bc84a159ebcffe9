package fakealb

import (
	"encoding/binary"
	"io"
	"time"

	"github.com/proxychaos/proxychaos/fakealb/cert"
	"github.com/proxychaos/proxychaos/fakealb/record"
)

// alertHello sends a fatal handshake_failure: a TLS record of type alert (21),
// version 3.3, of 2 bytes: level fatal (2), description 40.
func alertHello(_ *Server, c *clientConn) {
	if readHello(c) != nil {
		return
	}
	if _, err := c.Write([]byte{21, 3, 3, 0, 2, 2, 40}); err == nil {
		c.endedBy(record.ClosedByFault, howFIN)
	}
}

// hangHello reads on and says nothing, until the client gives up or the idle
// timeout ends.
func hangHello(s *Server, c *clientConn) {
	_ = c.SetReadDeadline(time.Now().Add(s.scaled(c.node.view().lb.idleTimeout(c.port))))
	_, _ = io.Copy(io.Discard, c)
}

func resetHello(_ *Server, c *clientConn) {
	if readHello(c) == nil {
		c.reset()
	}
}

// readHello reads the record that holds the ClientHello, so that nothing unread
// turns our close into a reset.
func readHello(c *clientConn) error {
	header := make([]byte, 5)
	if _, err := io.ReadFull(c, header); err != nil {
		return err
	}
	_, err := io.CopyN(io.Discard, c, int64(binary.BigEndian.Uint16(header[3:])))
	return err
}

// Each of these returns what is shown in place of the certificate that is right.

func wrongNameLeaf(right cert.Leaf) cert.Leaf {
	right.Names = "wrong-name.fakealb.test"
	return right
}

func strangerLeaf(cert.Leaf) cert.Leaf {
	return cert.Leaf{Flaw: cert.Stranger, Names: "www.stranger.example"}
}

// wrongLeaf is the right certificate with something wrong about it.
func wrongLeaf(flaw cert.Flaw) func(cert.Leaf) cert.Leaf {
	return func(right cert.Leaf) cert.Leaf {
		right.Flaw = flaw
		return right
	}
}
