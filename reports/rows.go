package reports

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/proxychaos/proxychaos/harness/judge"
	"github.com/proxychaos/proxychaos/harness/recording"
)

// rowTables are those of every file of a recording that has rows.
func rowTables(rec *recording.Recording, findings []judge.Finding) []*rowTable {
	quoted := quotedLines(findings)
	all := []*rowTable{
		requestRows(rec, quoted[recording.RequestsFile]), attemptRows(rec, quoted[recording.AttemptsFile]),
		packetRows(rec, quoted[recording.PacketsFile]), connectionRows(rec, quoted[recording.ConnectionsFile]),
		queryRows(rec, quoted[recording.QueriesFile]), processRows(rec), checkRows(rec, quoted[recording.ChecksFile]),
		socketRows(rec, quoted[recording.SocketsFile]),
		logRows(rec, quoted[recording.ProxyLogFile]),
	}
	return slices.DeleteFunc(all, func(t *rowTable) bool { return t.Of == 0 })
}

func requestRows(rec *recording.Recording, quoted []int) *rowTable {
	t := newRowTable(recording.RequestsFile, "Requests of clients")
	seq, sent, outcome, latency := numbers("request"), times("sent"), words("outcome"), latencies("latency")
	failure, nodes := words("error"), words("at the nodes")
	c := choose(len(rec.Requests), quoted, len(rec.Requests), func(i int) bool { return rec.Requests[i].Outcome != recording.OK }, "that failed")
	became := becameOf(rec, c.indexes)
	t.fill(len(rec.Requests), c, func(i int) {
		r := rec.Requests[i]
		seq.number(int(r.Seq))
		sent.seconds(r.Sent)
		outcome.word(r.Outcome)
		latency.seconds(r.Latency)
		failure.word(cutLine(r.Error))
		nodes.word(became[r.Seq])
	})
	for _, word := range outcome.Words {
		outcome.Classes = append(outcome.Classes, "k-"+shownKind(word))
	}
	t.Columns, t.At, t.Kind = []rowColumn{seq, sent, outcome, latency, failure, nodes}, 1, 2
	return t
}

// becameOf says what became of requests at the nodes, by their number.
func becameOf(rec *recording.Recording, indexes []int) map[uint64]string {
	became := make(map[uint64]string, len(indexes))
	for _, i := range indexes {
		became[rec.Requests[i].Seq] = ""
	}
	say := func(seq uint64, word string) {
		if said, shown := became[seq]; shown {
			became[seq] = strings.TrimPrefix(said+"; "+word, "; ")
		}
	}
	for _, a := range rec.Attempts {
		switch {
		case a.Seq == 0 || a.Probe:
		case a.Status == 0:
			say(a.Seq, a.Node.String()+" finished no answer")
		default:
			say(a.Seq, a.Node.String()+" answered "+strconv.Itoa(a.Status))
		}
	}
	for _, p := range rec.Packets {
		if p.Seq != 0 && p.Kind == recording.Segment && !p.Retransmit && !p.Probe {
			say(p.Seq, p.Node.String()+" got it after its end")
		}
	}
	return became
}

func attemptRows(rec *recording.Recording, quoted []int) *rowTable {
	t := newRowTable(recording.AttemptsFile, "Requests at the nodes")
	at, request, node, conn, number := times("at"), numbers("request"), words("node"), numbers("connection"), numbers("its number there")
	asked, status, by := words("asked for"), numbers("status"), words("by")
	c := choose(len(rec.Attempts), quoted, maxTelling, func(i int) bool { s := rec.Attempts[i].Status; return s == 0 || s >= 500 }, "without an answer or with a 5xx")
	t.fill(len(rec.Attempts), c, func(i int) {
		a := rec.Attempts[i]
		at.seconds(a.At)
		request.number(int(a.Seq))
		node.word(a.Node.String() + ":" + strconv.Itoa(a.Port))
		conn.number(int(a.Conn))
		number.number(a.Number)
		asked.word(cutLine(strings.TrimSpace(a.Method + " " + a.Host + withoutQuery(a.Path))))
		status.number(a.Status)
		by.word(who(a.Probe))
	})
	t.Columns = []rowColumn{at, request, node, conn, number, asked, status, by}
	return t
}

// withoutQuery leaves out the query, which has the number of the request: it would make every
// row another one.
func withoutQuery(path string) string {
	path, _, _ = strings.Cut(path, "?")
	return path
}

func who(probe bool) string {
	if probe {
		return "harness"
	}
	return "proxy"
}

func packetRows(rec *recording.Recording, quoted []int) *rowTable {
	t := newRowTable(recording.PacketsFile, "Packets to nodes")
	at, what, node, peer, request, by := times("at"), words("what"), words("node"), words("from"), numbers("request"), words("by")
	c := choose(len(rec.Packets), quoted, maxTelling, func(i int) bool { return rec.Packets[i].Kind == recording.Segment }, "to nodes that did not serve")
	t.fill(len(rec.Packets), c, func(i int) {
		p := rec.Packets[i]
		kind := "connection attempt"
		if p.Kind != recording.SYN {
			kind = "data after the end of the node"
		}
		if p.Retransmit {
			kind += ", again"
		}
		at.seconds(p.At)
		what.word(kind)
		node.word(p.Node.String() + ":" + strconv.Itoa(p.Port))
		peer.word(p.Peer.String())
		request.number(int(p.Seq))
		by.word(who(p.Probe))
	})
	t.Columns = []rowColumn{at, what, node, peer, request, by}
	return t
}

func connectionRows(rec *recording.Recording, quoted []int) *rowTable {
	t := newRowTable(recording.ConnectionsFile, "Connections at the nodes")
	opened, conn, node, closed, how, requests, by := times("opened"), numbers("connection"), words("node"), words("closed"), words("how"), numbers("requests"), words("by")
	c := choose(len(rec.Connections), quoted, maxTelling, func(i int) bool { return rec.Connections[i].Requests == 0 }, "without a request")
	t.fill(len(rec.Connections), c, func(i int) {
		k := rec.Connections[i]
		end := "open at the end"
		if k.Closed != nil {
			end = fmt.Sprintf("%.3f s", float64(*k.Closed))
		}
		opened.seconds(k.Opened)
		conn.number(int(k.Conn))
		node.word(k.Node.String() + ":" + strconv.Itoa(k.Port))
		closed.word(end)
		how.word(cutLine(cmp.Or(k.How, k.Spoke)))
		requests.number(k.Requests)
		by.word(who(k.Probe))
	})
	t.Columns = []rowColumn{opened, conn, node, closed, how, requests, by}
	return t
}

func queryRows(rec *recording.Recording, quoted []int) *rowTable {
	t := newRowTable(recording.QueriesFile, "DNS queries")
	at, question, answer, ttl, resolver, by := times("at"), words("question"), words("answer"), words("TTL"), words("resolver"), words("by")
	c := choose(len(rec.Queries), quoted, maxTelling, func(i int) bool { return !rec.Queries[i].Probe }, "of the proxy")
	t.fill(len(rec.Queries), c, func(i int) {
		q := rec.Queries[i]
		said := []string{q.Rcode}
		for _, a := range q.Answers {
			said = append(said, a.String())
		}
		if q.Fault != "" {
			said = append(said, "("+q.Fault+")")
		}
		at.seconds(q.At)
		question.word(cutLine(q.Type + " " + q.Name))
		answer.word(cutLine(strings.Join(said, " ")))
		ttl.word(seconds(q.TTL))
		resolver.word(q.Resolver.String() + " " + q.Net)
		by.word(who(q.Probe))
	})
	t.Columns = []rowColumn{at, question, answer, ttl, resolver, by}
	return t
}

// processRows has a row for each process: each line of the file has several.
func processRows(rec *recording.Recording) *rowTable {
	t := newRowTable(recording.SnapshotsFile, "Processes of the proxy")
	at, moment, proxy, pid, command, worker, holds, seen := times("at"), words("moment"), numbers("proxy"), numbers("pid"), words("command"), words("worker"), numbers("connections held"), numbers("seen")
	last := 0
	for i, s := range rec.Snapshots {
		for _, p := range s.Processes {
			t.Lines = append(t.Lines, i+1-last)
			last = i + 1
			t.Of++
			at.seconds(s.At)
			moment.word(s.Moment)
			proxy.number(p.Proxy)
			pid.number(p.PID)
			command.word(cutLine(p.Command))
			worker.word(map[bool]string{true: "yes", false: "no"}[p.Worker])
			holds.number(p.Upstream)
			seen.number(p.Seen)
		}
	}
	t.Columns = []rowColumn{at, moment}
	if rec.Manifest.World.Proxies() > 1 {
		t.Columns = append(t.Columns, proxy)
	}
	t.Columns = append(t.Columns, pid, command, worker, holds, seen)
	return t
}

func checkRows(rec *recording.Recording, quoted []int) *rowTable {
	t := newRowTable(recording.ChecksFile, "Health checks of the proxy")
	at, node, target, passed, took, state := times("at"), words("node"), words("proxy"), words("result"), latencies("took"), words("then marked as")
	c := choose(len(rec.Checks), quoted, maxTelling, func(i int) bool { return !rec.Checks[i].Passed }, "that failed")
	t.fill(len(rec.Checks), c, func(i int) {
		k := rec.Checks[i]
		came := "passed"
		switch {
		case k.TLSFailed:
			came = k.Reason + ", in the TLS handshake"
		case !k.Passed:
			came = strings.TrimSpace(k.Reason + " " + strings.TrimPrefix(strconv.Itoa(k.Code), "0"))
		}
		at.seconds(k.At)
		node.word(k.Node.String())
		target.word(k.Target)
		passed.word(came)
		took.seconds(k.Done - k.At)
		state.word(k.State)
	})
	t.Columns = []rowColumn{at, node, target, passed, took, state}
	return t
}

func socketRows(rec *recording.Recording, quoted []int) *rowTable {
	t := newRowTable(recording.SocketsFile, "WebSockets of clients")
	client, asked, opened, ended := numbers("client"), times("asked for"), words("opened"), words("gone")
	outcome, node, messages, failure := words("outcome"), words("node"), numbers("messages"), words("error")
	c := choose(len(rec.Sockets), quoted, maxTelling, func(i int) bool { return rec.Sockets[i].Outcome != recording.OK }, "that were denied or went")
	t.fill(len(rec.Sockets), c, func(i int) {
		s := rec.Sockets[i]
		client.number(int(s.Client))
		asked.seconds(s.Asked)
		opened.word(instant(s.Opened))
		ended.word(instant(s.Ended))
		outcome.word(s.Outcome)
		node.word(strings.TrimPrefix(s.Node.String(), "invalid IP"))
		messages.number(s.Messages)
		failure.word(cutLine(s.Error))
	})
	t.Columns = []rowColumn{client, asked, opened, ended, outcome, node, messages, failure}
	return t
}

// instant is a time of a row that may not have come; empty then.
func instant(s recording.Seconds) string {
	if s == 0 {
		return ""
	}
	return strconv.FormatFloat(float64(s), 'f', 3, 64)
}

func logRows(rec *recording.Recording, quoted []int) *rowTable {
	t := newRowTable(recording.ProxyLogFile, "Log of the proxy")
	at, line := times("at"), words("line")
	c := choose(len(rec.ProxyLog), quoted, maxTelling/4, func(i int) bool { return rec.ProxyLog[i].At >= 0 }, "from the start of the load on")
	t.fill(len(rec.ProxyLog), c, func(i int) {
		at.seconds(rec.ProxyLog[i].At)
		line.word(cutLine(rec.ProxyLog[i].Text))
	})
	t.Columns = []rowColumn{at, line}
	return t
}

// maxText is how much of a text that somebody else wrote the page has, in characters.
const maxText = 500

func cutLine(s string) string { return shorten(strings.ToValidUTF8(s, "\uFFFD"), maxText) }
