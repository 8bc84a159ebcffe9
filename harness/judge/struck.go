package judge

import (
	"fmt"

	"github.com/proxychaos/proxychaos/harness/recording"
)

// struckAttempts are the connections that were tried to struck nodes while the
// fault was in force: SYNs, or where no capture saw any, what was accepted.
func (c *brief) struckAttempts() []row {
	var syns, accepted []row
	for i, p := range c.Packets {
		if p.Kind == recording.SYN && !p.Probe && !p.Retransmit && c.isOld(p.Node) && p.At > c.retire && p.At < c.whole {
			syns = append(syns, row{recording.PacketsFile, i})
		}
	}
	for i, conn := range c.Connections {
		if !conn.Probe && c.isOld(conn.Node) && conn.Opened > c.retire && conn.Opened < c.whole {
			accepted = append(accepted, row{recording.ConnectionsFile, i})
		}
	}
	if len(syns) == 0 {
		return accepted
	}
	return syns
}

// time is that of a row of packets or connections.
func (c *brief) time(r row) recording.Seconds {
	if r.file == recording.PacketsFile {
		return c.Packets[r.index].At
	}
	return c.Connections[r.index].Opened
}

// usedStruck: what was still sent to the nodes that the fault had struck. The
// name has them, so it is no sign of a stale address, but of how long a proxy
// takes to find out, and how often it looks again.
func (c *brief) usedStruck(*Verdict) []Finding {
	plan := c.Manifest.Plan
	if _, dns := c.stepProving(recording.ProofDNSFails); !plan.Stays || dns {
		return nil
	}
	var rows []row
	last := recording.Seconds(0)
	for _, h := range c.oldHits {
		if h.at > c.retire && h.at < c.whole {
			rows = append(rows, h.row)
			last = max(last, h.at)
		}
	}
	sent, attempts := len(rows), c.struckAttempts()
	for _, r := range attempts {
		rows = append(rows, r)
		last = max(last, c.time(r))
	}
	if len(rows) == 0 {
		return []Finding{{StruckNodes, fmt.Sprintf("sent nothing to them after %s", c.last()), []string{}}}
	}
	return []Finding{{
		StruckNodes, fmt.Sprintf("after %s they were still sent %s and %s, the last %s after it", c.last(),
			requests(sent), count(len(attempts), "connection attempt", "connection attempts"), span(last-c.retire)),
		c.quote(rows...),
	}}
}

// livedWithoutDNS: what was asked while DNS failed, and whether that was felt.
func (c *brief) livedWithoutDNS(v *Verdict) []Finding {
	if _, dns := c.stepProving(recording.ProofDNSFails); !dns {
		return nil
	}
	asked := c.lookupsIn(c.flip, c.whole)
	var rows []row
	for _, l := range asked {
		rows = append(rows, l.row)
	}
	questions := count(len(asked), "DNS query", "DNS queries")
	var text string
	switch {
	case len(asked) == 0 && v.Failed == 0:
		text = "did not ask DNS while it failed, so that nothing of it was felt"
	case v.Failed == 0:
		text = fmt.Sprintf("%s while DNS failed, and no request did: it went on with the addresses it had", questions)
	default:
		text = fmt.Sprintf("%s while DNS failed; the first request to fail was sent %s after it began", questions, span(*v.FirstFailure))
	}
	return []Finding{{DNSOutage, text, c.quote(rows...)}}
}
