package kind

// Module is a program that Go builds from its module, for want of an image and of a package
// of Debian's.
type Module struct {
	Path    string // "github.com/traefik/traefik/v3"
	Version string // "v3.7.9"
	// Package is the program, below the module's root.
	Package string
	// Stamp is the variable in which the program has its version.
	Stamp string
	// Program is where it lies in the image, without a leading /.
	Program string
	// Adds are files that the archive of the module lacks, by their names in it.
	Adds map[string]string
	// Takes is what a build takes, in words.
	Takes string
	// Notes are differences from the official image.
	Notes []string
}
