package run

import (
	"context"
	"errors"
	"net/netip"
	"slices"
	"strconv"
	"time"

	"github.com/proxychaos/proxychaos/fakealb/cloud"
	"github.com/proxychaos/proxychaos/fakealb/record"
	"github.com/proxychaos/proxychaos/fakedns"
	"github.com/proxychaos/proxychaos/harness/recording"
)

// collectLimit bounds the fetching of what the agents have recorded.
const collectLimit = 30 * time.Second

// lost is what the nodes could not record.
func (c *cell) lost(ctx context.Context) (uint64, error) {
	status, err := c.to.alb.Status(ctx)
	return status.CaptureDropped + status.AcceptErrors, err
}

// collect fetches what every side has seen, in one clock's time since t=0.
func (c *cell) collect(ctx context.Context) error {
	return errors.Join(c.collectNodes(ctx), c.collectChecks(ctx), c.collectQueries(ctx), c.collectLog(ctx))
}

// collectChecks fetches the health checks of the proxies.
func (c *cell) collectChecks(ctx context.Context) error {
	checks, err := c.to.alb.Checks(ctx)
	for _, k := range checks {
		err = errors.Join(err, c.dir.Checks.Append(recording.Check{
			At: c.since(k.Start), Done: c.since(k.End), Node: k.Node, Target: k.Target,
			Passed: k.Passed, Code: k.Code, Reason: k.Reason, TLSFailed: k.TLSFailed, State: k.State,
		}))
	}
	return err
}

func (c *cell) collectNodes(ctx context.Context) error {
	attempts, errA := c.to.alb.Attempts(ctx)
	front := c.live.Topology.FrontNodes()
	for _, a := range attempts {
		row := recording.Attempt{
			Seq: number(a.Seq), At: c.since(a.Start), Done: c.since(a.End), Node: a.Node, Port: int(a.Port), LB: a.LoadBalancer,
			Conn: a.Connection, Number: a.Request, Method: a.Method, Path: a.Path, Host: a.Host, Status: a.Status, TLS: a.TLS, Probe: a.Probe || c.to.isProbe(a.Peer),
			NoTarget: withoutTarget(a, c.live.Topology.Cloud),
		}
		if slices.Contains(front, a.Node) {
			row.Target, row.TargetStatus, row.TargetIdle = a.Target, a.TargetStatus, recording.Seconds(a.TargetIdleSeconds)
			row.TargetTLSFailed, row.FailedOpen = a.TargetTLSFailed, a.FailedOpen
		}
		if c.plan.Budget.Client {
			row.ForwardedFor = a.ForwardedFor
		}
		errA = errors.Join(errA, c.dir.Attempts.Append(row))
	}
	conns, errC := c.to.alb.Connections(ctx)
	for _, k := range conns {
		row := recording.Conn{
			Conn: k.ID, Node: k.Node, Port: int(k.Port), Peer: k.Peer, Opened: c.since(k.Opened),
			Requests: k.Requests, Spoke: k.Spoke, Probe: k.Probe || c.to.isProbe(k.Peer),
		}
		if !k.Closed.IsZero() {
			closed := c.since(k.Closed)
			row.Closed, row.How = &closed, string(k.ClosedBy)+": "+k.How
		}
		errC = errors.Join(errC, c.dir.Connections.Append(row))
	}
	packets, errP := c.to.alb.Packets(ctx)
	for _, p := range packets {
		kind := recording.Segment
		if p.Kind == record.SYN {
			kind = recording.SYN
		}
		errP = errors.Join(errP, c.dir.Packets.Append(recording.Packet{
			At: c.since(p.Time), Kind: kind, Node: p.Node, Port: int(p.Port), Peer: p.Peer,
			Retransmit: p.Retransmit, Seq: number(p.Seq), Method: p.Method, Path: p.Path, Host: p.Host, Probe: p.Probe || c.to.isProbe(p.Peer),
		}))
	}
	return errors.Join(errA, errC, errP)
}

// withoutTarget says whether the load balancer of a cloud had no target for a request, and so
// answered it by itself.
func withoutTarget(a record.Attempt, of string) bool {
	return a.Target == "" && a.Status == cloud.Of(cloud.Name(of)).WithoutTargets().Status
}

func (c *cell) collectQueries(ctx context.Context) error {
	queries, err := c.to.dns.Queries(ctx, fakedns.Filter{})
	for _, dns := range c.to.otherDNS {
		more, otherErr := dns.Queries(ctx, fakedns.Filter{})
		queries, err = append(queries, more...), errors.Join(err, otherErr)
	}
	if len(c.to.otherDNS) > 0 { // the numbers of each are its own
		slices.SortStableFunc(queries, func(a, b fakedns.Query) int { return a.ReceivedAt.Compare(b.ReceivedAt) })
	}
	for _, q := range queries {
		row := recording.Query{
			At: c.since(q.ReceivedAt), Answered: c.since(q.AnsweredAt), Client: q.Client, Resolver: q.Resolver, Net: string(q.Transport),
			Name: q.Name, Type: q.Type, Rcode: q.RCode, Answers: append([]netip.Addr{}, q.Answers...), TTL: recording.Of(q.TTL),
			Probe: c.to.isProbe(q.Client),
		}
		if len(q.Faults) > 0 {
			row.Fault = q.Faults[0]
		}
		err = errors.Join(err, c.dir.Queries.Append(row))
	}
	return err
}

func (c *cell) collectLog(ctx context.Context) error {
	lines, err := c.bed.proxyLog(ctx)
	for _, l := range lines {
		err = errors.Join(err, c.dir.ProxyLog.Append(recording.LogLine{At: c.since(l.At), Text: l.Text}))
	}
	return err
}

// number reads a sequence number; 0 means none.
func number(text string) uint64 {
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		return 0
	}
	return n
}
