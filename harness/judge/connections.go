package judge

import "github.com/proxychaos/proxychaos/harness/recording"

// opened gives the upstream connections that were opened, and the requests
// that came over any, from the start of the load to the first fault.
func (c *brief) opened() (connections []row, requests int) {
	for i, conn := range c.Connections {
		if !conn.Probe && conn.Opened >= 0 && conn.Opened < c.fault {
			connections = append(connections, row{recording.ConnectionsFile, i})
		}
	}
	for _, a := range c.Attempts {
		if !a.Probe && a.At >= 0 && a.At < c.fault {
			requests++
		}
	}
	return connections, requests
}

func (c *brief) countConnections(v *Verdict) {
	if connections, requests := c.opened(); requests > 0 {
		v.ConnectionsPerRequest = float64(len(connections)) / float64(requests)
	}
}
