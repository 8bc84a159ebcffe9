package recording

// Names of the files of a recording, relative to its folder. A finding quotes
// its evidence as "<file>:<line>", where the line is the index of the row in
// the slice of Recording plus 1.
const (
	ManifestFile    = "manifest.json"
	ConfigDir       = "config"
	StepsFile       = "steps.jsonl"
	RequestsFile    = "requests.jsonl"
	AttemptsFile    = "attempts.jsonl"
	ConnectionsFile = "connections.jsonl"
	PacketsFile     = "packets.jsonl"
	QueriesFile     = "dns.jsonl"
	SnapshotsFile   = "processes.jsonl"
	ChecksFile      = "checks.jsonl"
	SocketsFile     = "sockets.jsonl"
	ProxyLogFile    = "proxy.log"
	VerdictFile     = "verdict.json"
)

// LatestLink is the symbolic link, beside the stamps of a cell, to the
// newest one.
const LatestLink = "latest"
