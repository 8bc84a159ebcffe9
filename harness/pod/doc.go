// Package pod is the agent that owns the network namespace which the proxy
// under test joins.
//
// It runs as PID 1 of a small container. The proxy's container joins that
// container's network and process namespaces, so the agent stands where the
// proxy stands. There it
//
//   - answers, with fakedns, whatever address of either family the proxy asks:
//     127.0.0.1 (through /etc/resolv.conf), Docker's 127.0.0.11, 169.254.169.253,
//     fd00:ec2::253, one that a name leads to. What is sent to port 53 is delivered
//     here by a routing rule, untranslated, so that fakedns records who was asked;
//   - answers for applications beside the proxy, at loopback addresses and a socket: what
//     nothing else there takes is passed on to a node;
//   - finds the port that the proxy listens on;
//   - says which process of the proxy holds which connections to the ALB
//     nodes, so that a cold worker is seen before it falsifies a run;
//   - reads the log files of the proxy, wherever they are: those that its processes
//     hold open to append to; and what it sends to syslog, at /dev/log or to UDP port 514
//     of any address;
//   - tries things from the proxy's place in the network (probes, and canary
//     connections that are kept open), which is how a fault is proved.
//
// [Agent] is the process, [Client] drives it over its control API, and
// [Command] is the command line. The control API is JSON over HTTP; it is for
// tests only and must not be reachable from outside the machine.
//
// The agent's own connections come from the source ports [FirstProbePort] to
// [LastProbePort] and its own DNS queries from [ProbeClient], so that every
// record made elsewhere can tell the harness from the proxy.
//
// Capabilities needed: NET_ADMIN (the routing rules and sockets of resolvers, the NAT
// rule for 127.0.0.11), SYS_PTRACE and DAC_READ_SEARCH (which process owns a socket, and
// which writes a log: workers run as other users, and nginx's leave their /proc/<pid>/fd
// readable to that user only).
package pod
