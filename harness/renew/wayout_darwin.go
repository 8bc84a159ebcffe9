package renew

// closeWayOut has nothing to do: no agent of a cell runs here.
func closeWayOut() error { return nil }
