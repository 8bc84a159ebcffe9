package scenarios

// CellsAtATime is how many cells a machine with so many cores holds at the given number
// of requests per second and cell. Measured on two cores: six at 100 requests per second
// (511 cells, none unproven), and two at 500 (docs/proxy-behaviour.md#goproxy). A cell waits for most of
// its time, so that there are more cells than cores.
func CellsAtATime(cores, rate int) int {
	return min(3*cores, max(1, 600*cores/(100+rate)))
}
