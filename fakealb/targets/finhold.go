package targets

// HoldFINs keeps the node, while it is on, from noticing that targets have ended
// idle connections, until it has chosen such a connection for a request: the
// keep-alive race, every time (9.1.6).
func (p *Pool) HoldFINs(on bool) { p.hold.Store(on) }
