package fakealb

// Smugglers are for the tests that run a whole server.
var Smugglers = smugglers
