package fakealb

import (
	"bytes"

	"github.com/proxychaos/proxychaos/fakealb/record"
)

// seen is what the payload of one segment shows of a plain HTTP/1 request.
type seen struct{ method, path, host, seq string }

// into puts it into the row of the segment.
func (s seen) into(row *record.Packet) {
	row.Method, row.Path, row.Host, row.Seq = s.method, s.path, s.host, s.seq
}

var seqPrefix, hostPrefix = []byte("\r\n" + HeaderSeq + ":"), []byte("\r\nHost:")

// requestInPayload reads the head of a plain HTTP/1 request as far as the payload has
// it. What is cut off may go on, and is left out.
func requestInPayload(payload []byte) seen {
	s := seen{host: fieldInPayload(payload, hostPrefix), seq: fieldInPayload(payload, seqPrefix)}
	line, _, whole := bytes.Cut(payload, []byte("\r\n"))
	if words := bytes.Split(line, []byte(" ")); whole && len(words) == 3 && bytes.HasPrefix(words[2], []byte("HTTP/1.")) {
		s.method, s.path = string(words[0]), string(words[1])
	}
	return s
}

// fieldInPayload finds the value of a header field, whatever the case of its name.
// Prefix is the end of the line before, the name, and the colon.
func fieldInPayload(payload, prefix []byte) string {
	for i := bytes.IndexByte(payload, '\r'); i >= 0 && i+len(prefix) < len(payload); {
		if bytes.EqualFold(payload[i:i+len(prefix)], prefix) {
			rest := payload[i+len(prefix):]
			if end := bytes.IndexByte(rest, '\r'); end >= 0 {
				return string(bytes.TrimSpace(rest[:end]))
			}
			return ""
		}
		next := bytes.IndexByte(payload[i+1:], '\r')
		if next < 0 {
			return ""
		}
		i += 1 + next
	}
	return ""
}
