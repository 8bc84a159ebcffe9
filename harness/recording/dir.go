package recording

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// Dir is the folder of a recording while it is being made. Each file has its
// writer; all of them can be used at the same time from several goroutines.
// What a writer has accepted is in the file, so a run that is stopped half-way
// keeps it.
type Dir struct {
	Path string // of the folder

	Steps       *Writer[Step]
	Requests    *Writer[Request]
	Attempts    *Writer[Attempt]
	Connections *Writer[Conn]
	Packets     *Writer[Packet]
	Queries     *Writer[Query]
	Snapshots   *Writer[Snapshot]
	Checks      *Writer[Check]
	Sockets     *Writer[Socket]
	ProxyLog    *Writer[LogLine]

	closers []func() error
}

// stampLayout sorts as text in the order of time.
const stampLayout = "20060102T150405Z"

// Create makes the folder <root>/<scenario>/<subject>/<UTC stamp> with all its
// row files, still empty, and points the link "latest" at it. A subject may
// have several parts ("nginx/static"). A folder that exists is never used
// again: a second run within one second gets the stamp with "-2".
func Create(root, scenario, subject string, at time.Time) (*Dir, error) {
	if err := checkName("scenario", scenario); err != nil {
		return nil, err
	}
	for part := range strings.SplitSeq(subject, "/") {
		if err := checkName("subject", part); err != nil {
			return nil, err
		}
	}
	path, err := NewFolder(filepath.Join(root, scenario, filepath.FromSlash(subject)), at)
	if err != nil {
		return nil, fmt.Errorf("make the folder of the recording: %w", err)
	}
	d := &Dir{Path: path}
	if err := d.open(); err != nil {
		return nil, errors.Join(err, d.Close())
	}
	if err := Link(path, filepath.Join(filepath.Dir(path), LatestLink)); err != nil {
		return nil, errors.Join(fmt.Errorf("point %s at the new recording: %w", LatestLink, err), d.Close())
	}
	return d, nil
}

// Close closes every file. What was appended is kept.
func (d *Dir) Close() error {
	var errs []error
	for _, closer := range d.closers {
		errs = append(errs, closer())
	}
	d.closers = nil
	return errors.Join(errs...)
}

func (d *Dir) open() error {
	return errors.Join(
		openWriter(d, &d.Steps, StepsFile, encodeJSON[Step]),
		openWriter(d, &d.Requests, RequestsFile, encodeJSON[Request]),
		openWriter(d, &d.Attempts, AttemptsFile, encodeJSON[Attempt]),
		openWriter(d, &d.Connections, ConnectionsFile, encodeJSON[Conn]),
		openWriter(d, &d.Packets, PacketsFile, encodeJSON[Packet]),
		openWriter(d, &d.Queries, QueriesFile, encodeJSON[Query]),
		openWriter(d, &d.Snapshots, SnapshotsFile, encodeJSON[Snapshot]),
		openWriter(d, &d.Checks, ChecksFile, encodeJSON[Check]),
		openWriter(d, &d.Sockets, SocketsFile, encodeJSON[Socket]),
		openWriter(d, &d.ProxyLog, ProxyLogFile, encodeLogLine),
	)
}

// pathPart is what a scenario or a part of a subject may look like. It keeps
// the folder inside root and the path usable in a shell without quotes.
var pathPart = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.@+=-]*$`)

func checkName(what, name string) error {
	if !pathPart.MatchString(name) || name == LatestLink {
		return fmt.Errorf("%s %q cannot be a folder of a recording: want letters, digits and any of _ . @ + = - (not first), and not %q", what, name, LatestLink)
	}
	return nil
}

// NewFolder makes a folder below parent, called by the time in UTC, that was not there
// before, and returns its path. Mkdir fails if the folder exists, which settles a race
// between two harnesses: the second within a second gets the stamp with "-2".
func NewFolder(parent string, at time.Time) (string, error) {
	if err := os.MkdirAll(parent, 0o755); err != nil {
		return "", err
	}
	stamp := filepath.Join(parent, at.UTC().Format(stampLayout))
	path := stamp
	for n := 2; ; n++ {
		err := os.Mkdir(path, 0o755)
		if err == nil {
			return path, nil
		}
		if !errors.Is(err, os.ErrExist) {
			return "", err
		}
		path = stamp + "-" + strconv.Itoa(n)
	}
}

// Link points a link at a path, in one step, so that a reader finds what the link was
// before or what it is now, never nothing. The target is written relative to the link's
// folder, so that the folder of all runs can be moved.
func Link(path, link string) error {
	target, err := filepath.Rel(filepath.Dir(link), path)
	if err != nil {
		return err
	}
	temporary := filepath.Join(filepath.Dir(link), "."+filepath.Base(link)+"-"+filepath.Base(filepath.Dir(path))+"-"+filepath.Base(path))
	if err := os.Symlink(target, temporary); err != nil {
		return err
	}
	if err := os.Rename(temporary, link); err != nil {
		return errors.Join(err, os.Remove(temporary))
	}
	return nil
}
