package recording

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"golang.org/x/sync/errgroup"
)

// Recording is everything that was recorded of one run, read back. The row
// at index i of a slice is line i+1 of its file.
type Recording struct {
	Dir      string // where it was read from
	Manifest Manifest

	Steps       []Step
	Requests    []Request
	Attempts    []Attempt
	Connections []Conn
	Packets     []Packet
	Queries     []Query
	Snapshots   []Snapshot
	Checks      []Check  // none in a recording of a build that had no such file
	Sockets     []Socket // likewise
	ProxyLog    []LogLine
}

// Open reads a recording of this schema or of version 1. It refuses others, and a row
// that is cut off or not of its type; the error then names file and line.
func Open(dir string) (*Recording, error) {
	r := &Recording{Dir: dir}
	// The schema first: the rest of a foreign manifest may not even decode.
	var version struct {
		Schema int `json:"schema"`
	}
	path := filepath.Join(dir, ManifestFile)
	err := readJSON(path, &version)
	if errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("%s is not a recording, or its run was stopped before it began: it has no %s; want a folder such as runs/alb-ip-rotate/nginx/static/latest", dir, ManifestFile)
	}
	if err != nil {
		return nil, err
	}
	switch version.Schema {
	case Schema:
		err = errors.Join(readJSON(path, &r.Manifest), readRows(dir, StepsFile, &r.Steps, decodeJSON[Step]))
	case 1:
		err = r.openVersion1(path)
	default:
		err = fmt.Errorf("%s: schema %d, but this build reads schemas 1 to %d: use the build named in its \"tool\"", path, version.Schema, Schema)
	}
	if err != nil {
		return nil, err
	}
	if d := r.Manifest.Plan.Duration; d < 0 || d > maxDuration {
		return nil, fmt.Errorf("%s: the plan lasts %g s, want 0 to %g", path, float64(d), float64(maxDuration))
	}
	// At the same time, as a recording may have millions of rows.
	var files errgroup.Group
	read(&files, dir, RequestsFile, &r.Requests, decodeJSON[Request])
	read(&files, dir, AttemptsFile, &r.Attempts, decodeJSON[Attempt])
	read(&files, dir, ConnectionsFile, &r.Connections, decodeJSON[Conn])
	read(&files, dir, PacketsFile, &r.Packets, decodeJSON[Packet])
	read(&files, dir, QueriesFile, &r.Queries, decodeJSON[Query])
	read(&files, dir, SnapshotsFile, &r.Snapshots, decodeJSON[Snapshot])
	read(&files, dir, ProxyLogFile, &r.ProxyLog, decodeLogLine)
	readIfThere(&files, dir, ChecksFile, &r.Checks, decodeJSON[Check])
	readIfThere(&files, dir, SocketsFile, &r.Sockets, decodeJSON[Socket])
	if err := files.Wait(); err != nil {
		return nil, err
	}
	if version.Schema == 1 {
		r.renameMoments1()
	}
	return r, nil
}

// maxDuration is longer than any run: of a plan that lasts longer no page can be drawn.
const maxDuration = Seconds(24 * 60 * 60)

func read[T any](files *errgroup.Group, dir, name string, into *[]T, decode func([]byte) (T, error)) {
	files.Go(func() error { return readRows(dir, name, into, decode) })
}

// readIfThere reads a file that recordings of earlier builds do not have.
func readIfThere[T any](files *errgroup.Group, dir, name string, into *[]T, decode func([]byte) (T, error)) {
	if _, err := os.Stat(filepath.Join(dir, name)); !errors.Is(err, os.ErrNotExist) {
		read(files, dir, name, into, decode)
	}
}

// readBuffer is how much of a file is read at a time, in bytes.
const readBuffer = 1 << 20

// readRows decodes one row from each line. Every row ends with a newline, so
// a last line without one was cut off.
func readRows[T any](dir, name string, into *[]T, decode func([]byte) (T, error)) error {
	path := filepath.Join(dir, name)
	file, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("read the recording: %w", err)
	}
	defer file.Close()
	rows, err := countLines(file)
	if err != nil {
		return fmt.Errorf("read the recording: %w", err)
	}
	*into = slices.Grow(*into, rows) // a slice of millions that grows by itself takes twice the memory
	text := bufio.NewReaderSize(file, readBuffer)
	var long []byte // a line that is longer than the buffer, as far as it was read
	for number := 1; ; {
		line, err := text.ReadSlice('\n')
		if errors.Is(err, bufio.ErrBufferFull) {
			long = append(long, line...)
			continue
		}
		if len(long) > 0 {
			line, long = append(long, line...), nil
		}
		switch {
		case errors.Is(err, io.EOF) && len(line) == 0:
			return nil
		case errors.Is(err, io.EOF):
			return fmt.Errorf("%s:%d: the row is cut off: want a newline at its end", path, number)
		case err != nil:
			return fmt.Errorf("read the recording: %w", err)
		}
		row, err := decode(line[:len(line)-1])
		if err != nil {
			return fmt.Errorf("%s:%d: %w", path, number, err)
		}
		*into = append(*into, row)
		number++
	}
}

// countLines says how many lines a file has, and goes back to its beginning.
func countLines(file *os.File) (int, error) {
	lines, buffer := 0, make([]byte, readBuffer)
	for {
		n, err := file.Read(buffer)
		lines += bytes.Count(buffer[:n], []byte("\n"))
		switch {
		case errors.Is(err, io.EOF):
			_, err := file.Seek(0, io.SeekStart)
			return lines, err
		case err != nil:
			return lines, err
		}
	}
}

// rowOptions are those of encoding/json, which writes the rows. Rows are decoded by the
// package that is to be its version 2: a row takes half the time, and words that come again,
// such as the name of a host, are one string.
var rowOptions = json.JoinOptions(jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))

func decodeJSON[T any](line []byte) (T, error) {
	var row T
	if !bytes.HasPrefix(line, []byte("{")) { // null would decode to an empty row
		return row, errors.New("want one JSON object a line")
	}
	err := json.Unmarshal(line, &row, rowOptions)
	return row, err
}

func decodeLogLine(line []byte) (LogLine, error) {
	at, text, found := bytes.Cut(line, []byte(" "))
	seconds, err := strconv.ParseFloat(string(at), 64)
	if err != nil || !found {
		return LogLine{}, fmt.Errorf("got %q, want \"<seconds> <text>\"", line)
	}
	return LogLine{At: Seconds(seconds), Text: string(text)}, nil
}
