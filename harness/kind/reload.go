package kind

// Reload is how a program is told to reload its configuration while it runs.
type Reload struct {
	// Signal is what its first process is sent.
	Signal string
	// Says is part of the line with which it says that it has. It is empty if the program starts
	// new processes for it: these show it.
	Says string
}

// ReloadOf is how programs of a kind are told; nil if the harness knows no way that needs
// nothing of the configuration.
func ReloadOf(name Name) *Reload {
	k, err := Of(name)
	if err != nil {
		return nil
	}
	return k.Reload
}
