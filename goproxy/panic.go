package goproxy

import (
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
)

// errPanicked ends what a panic happened in; the client gets 500.
var errPanicked = errors.New("a defect of the proxy, which is in its log")

// caught is deferred where the work on one connection or request begins: a defect
// then costs that and not the process. After a panic, which it logs, it calls after.
func caught(log *slog.Logger, after func()) {
	if v := recover(); v != nil {
		log.Error("a defect of the proxy: please report it", "panic", fmt.Sprint(v), "stack", string(debug.Stack()))
		after()
	}
}
