package fakedns_test

import (
	"encoding/binary"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"
	. "github.com/onsi/gomega"

	"github.com/proxychaos/proxychaos/fakedns"
)

// packed is a query for the name, as it is sent over TCP or, without, over UDP.
func packed(t *testing.T, id uint16, tcp bool, change func(*dns.Msg)) []byte {
	t.Helper()
	m := question("app.example", dns.TypeA)
	m.Id = id
	if change != nil {
		change(m)
	}
	packet, err := m.Pack()
	if err != nil {
		t.Fatal(err)
	}
	if tcp {
		return append(binary.BigEndian.AppendUint16(nil, uint16(len(packet))), packet...)
	}
	return packet
}

// isResponse makes a response of a query: who answers it talks to a server, or to itself.
func isResponse(m *dns.Msg) { m.Response = true }

// TestStrangeClientsOverTCP sends what comes in other parts than one at a time, and what is
// no query: each query behind it is answered, in its order.
func TestStrangeClientsOverTCP(t *testing.T) {
	srv := start(t, fakedns.Config{Names: []fakedns.Name{elb("app.example", old)}})
	query := func(id uint16) string { return string(packed(t, id, true, nil)) }
	for name, c := range map[string]struct {
		sent string
		by   int      // bytes at a time
		ids  []uint16 // of the answers
	}{
		"one at a time":                 {query(1), 1 << 16, []uint16{1}},
		"byte by byte":                  {query(1) + query(2), 1, []uint16{1, 2}},
		"many at once":                  {query(1) + query(2) + query(3), 1 << 16, []uint16{1, 2, 3}},
		"one and a half":                {query(1) + query(2), len(query(1)) + 7, []uint16{1, 2}},
		"behind an empty message":       {"\x00\x00" + query(2), 1 << 16, []uint16{2}},
		"behind half a header":          {"\x00\x05\x00\x01\x00\x00\x00" + query(2), 1 << 16, []uint16{2}},
		"behind a header alone":         {"\x00\x0c\x00\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00" + query(2), 1 << 16, []uint16{1, 2}},
		"behind a lie":                  {"\x00\x0c\x00\x01\x01\x00\xff\xff\xff\xff\xff\xff\xff\xff" + query(2), 1 << 16, []uint16{1, 2}},
		"behind a name that goes round": {"\x00\x12\x00\x01\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\xc0\x0c\x00\x01\x00\x01" + query(2), 1 << 16, []uint16{1, 2}},
		"behind a response":             {string(packed(t, 1, true, isResponse)) + query(2), 1 << 16, []uint16{2}},
		"behind 64 KiB of noise":        {"\xff\xff" + strings.Repeat("\x00\x01", 1<<15)[:1<<16-1] + query(2), 1 << 16, []uint16{1, 2}},
	} {
		t.Run(name, func(t *testing.T) {
			g := expect(t)
			conn, err := net.Dial("tcp", srv.Addrs()[0].String())
			g.Expect(err).NotTo(HaveOccurred())
			defer conn.Close()
			g.Expect(conn.SetDeadline(time.Now().Add(patience))).To(Succeed())
			for rest := c.sent; rest != ""; rest = rest[min(c.by, len(rest)):] {
				_, err := io.WriteString(conn, rest[:min(c.by, len(rest))])
				g.Expect(err).NotTo(HaveOccurred())
			}
			for _, id := range c.ids {
				var length uint16
				g.Expect(binary.Read(conn, binary.BigEndian, &length)).To(Succeed())
				answer := make([]byte, length)
				_, err := io.ReadFull(conn, answer)
				g.Expect(err).NotTo(HaveOccurred())
				g.Expect(binary.BigEndian.Uint16(answer)).To(Equal(id))
				g.Expect(answer[2]&0x80).NotTo(BeZero(), "it is a response")
			}
			g.Expect(conn.(*net.TCPConn).CloseWrite()).To(Succeed())
			rest, err := io.ReadAll(conn)
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect(rest).To(BeEmpty(), "nothing else is answered")
		})
	}
}

// TestResponsesAreNotAnswered sends what would have two servers answer each other without
// end, and then a query.
func TestResponsesAreNotAnswered(t *testing.T) {
	g := expect(t)
	srv := start(t, fakedns.Config{Names: []fakedns.Name{elb("app.example", old)}})
	conn, err := net.Dial("udp", srv.Addrs()[0].String())
	g.Expect(err).NotTo(HaveOccurred())
	defer conn.Close()
	g.Expect(conn.SetDeadline(time.Now().Add(patience))).To(Succeed())
	for _, packet := range [][]byte{
		packed(t, 1, false, isResponse),
		packed(t, 1, false, func(m *dns.Msg) { m.Response, m.Rcode = true, dns.RcodeFormatError }),
		packed(t, 1, false, func(m *dns.Msg) { m.Response, m.Question = true, nil }),
		packed(t, 1, false, func(m *dns.Msg) { m.Response, m.Opcode = true, dns.OpcodeNotify }),
		[]byte("\x00\x01\x80"), []byte("\x00\x01\x80\x00\x00"),
		{},
		{0},
		{0, 1, 0},
	} {
		_, err := conn.Write(packet)
		g.Expect(err).NotTo(HaveOccurred())
	}
	_, err = conn.Write(packed(t, 2, false, nil))
	g.Expect(err).NotTo(HaveOccurred())
	answer := make([]byte, 1<<12)
	n, err := conn.Read(answer)
	g.Expect(err).NotTo(HaveOccurred())
	reply := new(dns.Msg)
	g.Expect(reply.Unpack(answer[:n])).To(Succeed())
	g.Expect(reply.Id).To(Equal(uint16(2)))
	g.Expect(addressesOf(reply)).To(ConsistOf(old))
	g.Expect(queries(t, srv, fakedns.Filter{})).To(HaveLen(1), "and nothing else is in the log")
}
