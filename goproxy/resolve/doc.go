// Package resolve follows a DNS name: it keeps asking for its addresses and
// reports every change.
//
// The operating system's resolver gives addresses without their TTL, caches
// nothing and may block for 5 s on one lost datagram. A proxy whose backends
// move needs the opposite, so a [Follower] speaks DNS itself:
//
//   - A and AAAA are asked for apart from each other and each again a little
//     before its own TTL ends, bounded by a floor and a ceiling.
//   - An unanswered question goes to the next server after 300 ms and is
//     repeated in that rhythm, so one dead server or lost datagram costs 300 ms.
//   - SERVFAIL, REFUSED, silence, NXDOMAIN and an empty answer do not empty the
//     set: the last good one is kept until a better one is there, or for as
//     long as the [Config] says.
//   - [Follower.Nudge] asks early. The caller uses it when connections to the
//     present addresses fail, because then the name has probably moved.
package resolve
