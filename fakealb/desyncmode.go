package fakealb

import "github.com/proxychaos/proxychaos/fakealb/desync"

// The modes of Attributes.DesyncMode.
const (
	desyncMonitor   = "monitor"
	desyncDefensive = "defensive"
	desyncStrictest = "strictest"
)

// mitigation is what becomes of a request because of its class.
type mitigation uint8

const (
	allowed mitigation = iota
	// allowedOnce closes the connections to the client and to the target after it.
	allowedOnce
	// blocked answers 400 and closes the connection.
	blocked
)

// mitigate is the table of modes and classes (2.6 D).
func mitigate(mode string, c desync.Class) mitigation {
	switch {
	case c == desync.Compliant || mode == desyncMonitor:
		return allowed
	case c == desync.Severe || mode == desyncStrictest:
		return blocked
	case c == desync.Ambiguous:
		return allowedOnce
	}
	return allowed
}
